//! What Elastic Load Balancing knows of services. All of it is nice to have: what is refused leaves a note.

use aws_sdk_ecs::types::Service;

use super::EcsOrchestrator;
use super::observe::Notes;
use super::seen::{Addresses, TargetHealth, target_health};
use crate::error::{AwsError, Call};

impl EcsOrchestrator {
    /// The DNS names of the stack's load balancers.
    pub(super) async fn addresses(&self, notes: &mut Notes) -> Addresses {
        let mut addresses = Addresses::new();
        for name in self.scope.listeners.iter().map(|listener| &listener.load_balancer) {
            if addresses.contains_key(name) {
                continue;
            }
            match self.address(name).await {
                Ok(address) => addresses.extend(address.map(|address| (name.clone(), address))),
                Err(error) => note(notes, "addresses are not shown", &error),
            }
        }
        addresses
    }

    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html>
    async fn address(&self, load_balancer: &str) -> Result<Option<String>, AwsError> {
        let called = format!("load balancer {load_balancer}");
        let call = Call::new("elasticloadbalancing:DescribeLoadBalancers", &called);
        let request = self
            .clients
            .load_balancing
            .describe_load_balancers()
            .names(load_balancer);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(answer
            .load_balancers()
            .first()
            .and_then(|one| one.dns_name())
            .map(str::to_owned))
    }

    /// What each target group of a service says of its targets.
    pub(super) async fn target_health(&self, service: &Service, notes: &mut Notes) -> Vec<TargetHealth> {
        let mut health = Vec::new();
        let groups = service.load_balancers().iter();
        for group in groups.filter_map(|balancer| balancer.target_group_arn()) {
            match self.health_in(group).await {
                Ok(said) => health.push(said),
                Err(error) => note(notes, "target health is not shown", &error),
            }
        }
        health
    }

    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>
    async fn health_in(&self, group: &str) -> Result<TargetHealth, AwsError> {
        // arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>
        let name = group.split('/').nth(1).unwrap_or(group);
        let called = format!("target group {name}");
        let call = Call::new("elasticloadbalancing:DescribeTargetHealth", &called);
        let request = self
            .clients
            .load_balancing
            .describe_target_health()
            .target_group_arn(group);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(target_health(name, answer.target_health_descriptions()))
    }
}

/// Says once what is not shown, and why.
pub(super) fn note(notes: &mut Notes, what: &str, error: &AwsError) {
    let note = format!("{what}: {error}");
    if !notes.iter().any(|known| known.starts_with(what)) {
        notes.push(note);
    }
}
