//! What is left on AWS after `karma destroy`: what Terraform has kept, and what was never its own.
//!
//! Each kind is asked for by itself. One that may not be seen leaves a word that it was not looked at, and the others are told all the same.

use std::sync::Arc;

use karma_aws::{AwsError, EcsOrchestrator, LogGroup, Session};
use karma_fleet::Fleet;
use karma_ops::{Observation, Orchestrator, OrchestratorError, Unit};

use crate::failure::Failure;
use crate::quantity::quantity;
use crate::settings::StackDirectory;
use crate::terraform::State;
use crate::wiring;

/// Where Container Insights keeps what it measures: it makes the group itself, in nobody's Terraform.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html>
const CONTAINER_INSIGHTS: &str = "/aws/ecs/containerinsights/";

/// A stack that was destroyed, and who may be asked about it.
pub(crate) struct Left<'a> {
    pub(crate) session: &'a Session,
    pub(crate) directory: &'a StackDirectory,
    pub(crate) fleet: &'a Fleet,
    /// What Terraform knew before.
    pub(crate) before: &'a State,
    /// What it still knows.
    pub(crate) after: &'a State,
}

impl Left<'_> {
    /// All of it, a sentence each.
    pub(crate) async fn list(&self) -> Vec<String> {
        let mut left = of_terraform(self.before, self.after);
        left.extend(
            self.services()
                .await
                .unwrap_or_else(|failure| unseen("services", &failure)),
        );
        left.extend(
            self.images()
                .await
                .unwrap_or_else(|error| unseen("images", &error.into())),
        );
        left.extend(
            self.log_groups()
                .await
                .unwrap_or_else(|error| unseen("log groups", &error.into())),
        );
        left.extend(
            self.revisions()
                .await
                .unwrap_or_else(|error| unseen("task definitions", &error.into())),
        );
        left
    }

    /// A service that is deleted drains until its tasks have ended.
    async fn services(&self) -> Result<Vec<String>, Failure> {
        let on: Arc<dyn Orchestrator> = Arc::new(EcsOrchestrator::connect(
            self.session,
            self.directory.path(),
            self.fleet,
        ));
        match on.observe().await {
            Ok(observation) => Ok(draining(&observation)),
            Err(OrchestratorError::NotThere { .. }) => Ok(Vec::new()),
            Err(error) => Err(wiring::failure(&error)),
        }
    }

    async fn images(&self) -> Result<Vec<String>, AwsError> {
        let names: Vec<String> = self.fleet.repositories.values().map(|one| one.name.clone()).collect();
        let mut left = Vec::new();
        for name in self.session.repositories(&names).await?.into_keys() {
            let images = self.session.images(&name).await?;
            if !images.is_empty() {
                let bytes = images.iter().map(|image| image.size).sum();
                left.push(format!(
                    "the repository {name} has {} images, {}",
                    images.len(),
                    size(bytes)
                ));
            }
        }
        Ok(left)
    }

    /// A task that ends late writes its last words into a group of the same name, if AWS may make it.
    async fn log_groups(&self) -> Result<Vec<String>, AwsError> {
        let mut left = Vec::new();
        for (address, declared) in &self.fleet.log_groups {
            let found = self.session.log_groups(&declared.name).await?;
            let again = found
                .iter()
                .filter(|group| group.name == declared.name && !self.after.has(address));
            left.extend(again.map(kept));
        }
        for cluster in self.fleet.clusters.values() {
            let beginning = format!("{CONTAINER_INSIGHTS}{}/", cluster.name);
            left.extend(self.session.log_groups(&beginning).await?.iter().map(kept));
        }
        Ok(left)
    }

    /// ECS keeps every revision that ever was, unless somebody deletes it.
    async fn revisions(&self) -> Result<Vec<String>, AwsError> {
        let (mut revisions, mut families) = (0, 0);
        for definition in self.fleet.task_definitions.values() {
            let count = self.session.count_revisions(&definition.family).await?;
            revisions += count;
            families += usize::from(count > 0);
        }
        Ok(remembered(revisions, families).into_iter().collect())
    }
}

/// What Terraform has kept, and secrets whose names are not free yet.
fn of_terraform(before: &State, after: &State) -> Vec<String> {
    let kept = after.addresses().map(|address| format!("{address} is still there"));
    let recoverable = before.recoverable_secrets().filter(|(address, ..)| !after.has(address));
    let recoverable = recoverable.map(|(_, name, days)| {
        format!("the secret {name} can be restored for {days} days, and nobody else can have its name until then")
    });
    kept.chain(recoverable).collect()
}

fn draining(observation: &Observation) -> Vec<String> {
    let services = observation.services.iter().filter(|service| service.running_count > 0);
    services
        .map(|service| {
            format!(
                "the service {} still has {} tasks, which end",
                service.service, service.running_count
            )
        })
        .collect()
}

fn kept(group: &LogGroup) -> String {
    let bytes = size(group.stored_bytes);
    match group.retention_days {
        Some(days) => format!("the log group {} keeps {bytes} for {days} days", group.name),
        None => format!("the log group {} keeps {bytes} for ever", group.name),
    }
}

fn remembered(revisions: usize, families: usize) -> Option<String> {
    (revisions > 0).then(|| {
        format!(
            "ECS remembers {revisions} revisions of {families} task definitions, which cost nothing: `karma history` shows them, and `aws ecs \
             delete-task-definitions` deletes them"
        )
    })
}

fn unseen(what: &str, why: &Failure) -> Vec<String> {
    vec![format!("there may be {what}: {}", why.message())]
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn size(bytes: u64) -> String {
    quantity(bytes as f64, Unit::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(retention_days: Option<u32>, stored_bytes: u64, expected: &str) {
        let name = "/ecs/a".to_owned();
        let group = LogGroup {
            name,
            retention_days,
            stored_bytes,
        };
        assert_eq!(kept(&group), expected);
    }

    #[test]
    fn a_log_group_is_told_with_what_it_keeps_and_for_how_long() {
        check(None, 1_234_567, "the log group /ecs/a keeps 1.23 MB for ever");
        check(Some(7), 0, "the log group /ecs/a keeps 0 B for 7 days");
    }

    #[test]
    fn revisions_are_told_in_one_sentence_where_there_are_any() {
        assert_eq!(remembered(0, 0), None);
        assert!(
            remembered(7, 5)
                .unwrap()
                .starts_with("ECS remembers 7 revisions of 5 task definitions")
        );
    }

    #[test]
    fn what_may_not_be_seen_is_not_said_to_be_away() {
        let why = Failure::unable("not permitted: logs:DescribeLogGroups on log groups /ecs/*");
        let expected = "there may be log groups: not permitted: logs:DescribeLogGroups on log groups /ecs/*";
        assert_eq!(unseen("log groups", &why), [expected]);
    }
}
