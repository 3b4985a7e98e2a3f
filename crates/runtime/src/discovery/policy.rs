//! How the proxies of Service Connect treat requests, otherwise than a load balancer does.
//!
//! On ECS two proxies stand in the way of a request, the client's and the server's; here it is one, with the client's policies.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html#service-connect-concepts-proxy>

use std::time::Duration;

use karma_balancer::{Attributes, OutlierEjection, TargetGroupSettings};
use karma_fleet::{ClientAlias, ServiceConnectService, Timeouts};

use super::Namespace;
use crate::local::LocalService;

/// How long requests under way may take when a task leaves a name. AWS documents no number; this is the default `stopTimeout`.
pub(super) const DRAINING: Duration = Duration::from_secs(30);

/// How many other tasks a request is sent to whose connection fails.
const RETRIES: u32 = 2;

/// The longest idle timeout that a load balancer can have: for one that is off, so that who is gone for good is noticed one day.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// The timeouts of a name; of several services that offer it, those of the first.
pub(super) fn timeouts(services: &[LocalService], namespace: &Namespace, alias: &ClientAlias) -> Option<Timeouts> {
    let connects = services.iter().filter_map(|service| service.service_connect.as_ref());
    let mut offers = connects
        .filter(|connect| connect.namespace == *namespace)
        .flat_map(|connect| &connect.services);
    let offer = offers.find(|offer: &&ServiceConnectService| offer.client_alias == *alias);
    offer.map(|offer| offer.timeouts)
}

/// Where the idle timeout is shorter than the other, it ends the request.
pub(super) fn attributes(timeouts: Option<Timeouts>) -> Attributes {
    Attributes {
        idle_timeout: timeouts.and_then(|timeouts| timeouts.idle).unwrap_or(FOR_EVER),
        request_timeout: timeouts.and_then(|timeouts| timeouts.per_request),
        retries: RETRIES,
        ..Attributes::default()
    }
}

/// The tasks behind a name: each in turn, those that refuse connections left alone for a while.
pub(super) fn settings(dns_name: &str) -> TargetGroupSettings {
    TargetGroupSettings {
        deregistration_delay: DRAINING,
        outlier_ejection: Some(OutlierEjection::default()),
        ..TargetGroupSettings::named(dns_name)
    }
}
