//! [`Front`]: what stands between requests and tasks, the load balancers and the Service Connect names, and how it follows the definition.

use std::sync::Arc;

use karma_fleet::Fleet;
use karma_ops::{AliasObservation, DiscoveryMechanism, ListenerObservation};

use crate::discovery::Discovery;
use crate::endpoints::{Behind, Endpoint};
use crate::error::StartError;
use crate::load_balancer::{LiveGroups, LoadBalancers};
use crate::local::{LocalService, ServiceTarget};
use crate::metrics::FrontMeters;
use crate::placement::ZoneNames;
use crate::service::Revision;

/// What stands between requests and tasks.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) groups: LiveGroups,
    pub(crate) load_balancers: LoadBalancers,
    pub(crate) discovery: Discovery,
}

/// What is seen of it.
#[derive(Debug, Clone)]
pub(crate) struct FrontObservation {
    pub(crate) listeners: Vec<ListenerObservation>,
    pub(crate) aliases: Vec<AliasObservation>,
    pub(crate) discovery: DiscoveryMechanism,
}

impl Front {
    /// Leads requests where the definition wants them from now on. What services leave it still has, until they have left. The notes say
    /// what cannot be served.
    pub(crate) fn follow(&mut self, fleet: &Fleet, services: &[LocalService]) -> Result<Vec<String>, StartError> {
        self.groups.follow(fleet);
        let mut notes = self.load_balancers.follow(fleet, &self.groups.present())?;
        notes.extend(self.discovery.follow(services));
        Ok(notes)
    }

    /// What a deployment of each service brings.
    pub(crate) fn revisions(
        &self,
        fleet: &Fleet,
        services: Vec<LocalService>,
        zones: &ZoneNames,
    ) -> Result<Vec<Revision>, StartError> {
        let revision = |service: LocalService| {
            let mut endpoints = self.target_endpoints(&service)?;
            endpoints.extend(self.discovery.endpoints(&service)?);
            let groups = || service.targets.iter().map(|target| &target.target_group);
            let path = |group| Some(fleet.target_groups.get(group)?.health_check.path.clone());
            Ok(Revision {
                endpoints,
                url: groups().find_map(|group| self.load_balancers.url(fleet, group)),
                health_check_path: groups().find_map(path),
                zones: zones.names(&service.network.availability_zones),
                definition: Arc::new(service),
            })
        };
        services.into_iter().map(revision).collect()
    }

    /// What counts requests.
    pub(crate) fn meters(&self) -> FrontMeters {
        FrontMeters {
            listeners: self.load_balancers.meters(),
            groups: self.groups.present(),
            names: self.discovery.meters(),
        }
    }

    pub(crate) fn observe(&self) -> FrontObservation {
        let (aliases, discovery) = self.discovery.observe();
        FrontObservation {
            listeners: self.load_balancers.observe(),
            aliases,
            discovery,
        }
    }

    fn target_endpoints(&self, service: &LocalService) -> Result<Vec<Endpoint>, StartError> {
        let endpoint = |target: &ServiceTarget| {
            let group = self
                .groups
                .get(&target.target_group)
                .ok_or_else(|| StartError::Definition {
                    subject: format!("service {}", service.name),
                    reason: format!("its target group {} is not in the stack", target.target_group),
                })?;
            Ok(Endpoint {
                group: group.clone(),
                port: target.port,
                behind: Behind::LoadBalancer,
            })
        };
        service.targets.iter().map(endpoint).collect()
    }
}
