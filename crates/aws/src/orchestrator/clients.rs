//! [`Clients`]: a client for each service that is asked.

use crate::session::Session;

#[derive(Debug, Clone)]
pub(super) struct Clients {
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) autoscaling: aws_sdk_applicationautoscaling::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
}

impl Clients {
    pub(super) fn new(session: &Session) -> Self {
        let config = session.config();
        Self {
            ecs: aws_sdk_ecs::Client::new(config),
            load_balancing: aws_sdk_elasticloadbalancingv2::Client::new(config),
            autoscaling: aws_sdk_applicationautoscaling::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }
}
