//! What runs: the services with their deployments and events, their tasks, and what the neighbours of ECS know of them.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{DesiredStatus, Service, Task};
use karma_ops::Observation;

use super::EcsOrchestrator;
use super::scope::ScopedService;
use super::seen::{SeenService, TargetHealth, belongs_to, observation, task};
use crate::error::{AwsError, Call};

/// So many services are described at once.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>
const SERVICES: usize = 10;

/// So many tasks are described at once.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>
const TASKS: usize = 100;

/// What is true although it cannot be shown.
pub(super) type Notes = Vec<String>;

impl EcsOrchestrator {
    pub(super) async fn look(&self) -> Result<Observation, AwsError> {
        let mut notes = Notes::new();
        let mut found = Vec::new();
        for cluster in self.scope.clusters() {
            found.extend(self.services_of(cluster, &mut notes).await?);
        }
        let (limits, addresses) = (self.limits(&mut notes).await, self.addresses(&mut notes).await);
        let mut seen = Vec::new();
        for (of, service) in found {
            let targets = self.target_health(&service, &mut notes).await;
            seen.push(SeenService {
                tasks: self.tasks(of, &service, &targets).await?,
                autoscaling: limits.get(&of.resource_id()).copied(),
                of,
                service,
            });
        }
        seen.sort_by_key(|one| self.scope.services.iter().position(|known| known == one.of));
        let mut observation = observation(&self.scope, seen, &addresses);
        for service in &mut observation.services {
            self.remember_deployments(service).await;
            self.fill_in_last_lines(service, &mut notes).await;
        }
        observation.notes = notes;
        Ok(observation)
    }

    /// The services of the stack in a cluster, as far as they are there.
    async fn services_of(&self, cluster: &str, notes: &mut Notes) -> Result<Vec<(&ScopedService, Service)>, AwsError> {
        let called = format!("cluster {cluster} in {}", self.scope.region);
        let call = Call::new("ecs:DescribeServices", &called);
        let mut described = BTreeMap::new();
        let wanted = self.scope.services_in(cluster);
        for some in wanted.chunks(SERVICES) {
            let names = some.iter().map(|service| service.name.clone()).collect();
            let request = self
                .clients
                .ecs
                .describe_services()
                .cluster(cluster)
                .set_services(Some(names));
            let answer = request.send().await.map_err(|error| call.failed(error))?;
            let services = answer.services.unwrap_or_default().into_iter();
            described.extend(services.filter_map(|service| Some((service.service_name()?.to_owned(), service))));
        }
        let mut found = Vec::new();
        for of in wanted {
            match described.remove(&of.name) {
                Some(service) if service.status() != Some("INACTIVE") => found.push((of, service)),
                Some(_) => notes.push(format!("{} was deleted on AWS", of.label)),
                None => notes.push(format!("{} is not on AWS yet: karma deploy", of.label)),
            }
        }
        Ok(found)
    }

    /// The tasks of a service that run, and those that have stopped in the last hour or so: ECS forgets them then.
    async fn tasks(
        &self,
        of: &ScopedService,
        service: &Service,
        targets: &[TargetHealth],
    ) -> Result<Vec<karma_ops::TaskObservation>, AwsError> {
        let mut arns = self.task_arns(of, DesiredStatus::Running).await?;
        arns.extend(self.task_arns(of, DesiredStatus::Stopped).await?);
        let mut tasks = Vec::new();
        for some in arns.chunks(TASKS) {
            let described = self.describe_tasks(of, some).await?;
            let of_service = described.iter().filter(|task| belongs_to(task, service));
            tasks.extend(of_service.filter_map(|from| task(from, of, targets)));
        }
        Ok(tasks)
    }

    async fn task_arns(&self, of: &ScopedService, status: DesiredStatus) -> Result<Vec<String>, AwsError> {
        let called = of.called();
        let call = Call::new("ecs:ListTasks", &called);
        let request = self
            .clients
            .ecs
            .list_tasks()
            .cluster(&of.cluster)
            .service_name(&of.name)
            .desired_status(status);
        let arns = request
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await;
        arns.map_err(|error| call.failed(error))
    }

    async fn describe_tasks(&self, of: &ScopedService, arns: &[String]) -> Result<Vec<Task>, AwsError> {
        let called = of.called();
        let call = Call::new("ecs:DescribeTasks", &called);
        let request = self
            .clients
            .ecs
            .describe_tasks()
            .cluster(&of.cluster)
            .set_tasks(Some(arns.to_vec()));
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(answer.tasks.unwrap_or_default())
    }
}
