//! What a service ran before: the revisions of its task definition, which ECS keeps.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#family>

use std::collections::BTreeMap;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::operation::describe_task_definition::DescribeTaskDefinitionOutput;
use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use jiff::Timestamp;

use crate::error::{AwsError, Call};
use crate::session::Session;
use crate::times::timestamp;

/// A revision of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number; the first is 1.
    pub revision: u32,
    /// `arn:aws:ecs:us-east-1:123456789012:task-definition/main-validator:7`
    pub arn: String,
    /// When it was registered.
    pub registered_at: Option<Timestamp>,
    /// By whom: the ARN of a user or role.
    pub registered_by: Option<String>,
    /// Whether a service can still be given it.
    pub status: RevisionStatus,
    /// What each container runs, by the container's name: `…/karmacadabra/validator@sha256:…`
    pub images: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether a service can be given a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionStatus {
    /// It can.
    Active,
    /// It was deregistered: what runs with it goes on. Terraform does so with each that it replaces.
    Inactive,
}

impl Session {
    /// The last revisions of a family, at most so many, the newest first. A family that ECS does not know has none.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html>
    pub async fn revisions(&self, family: &str, limit: usize) -> Result<Vec<Revision>, AwsError> {
        revisions(&Client::new(self.config()), family, limit).await
    }

    /// How many revisions of a family ECS keeps, those included that no service can be given any more.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deregister-task-definition-v2.html>
    pub async fn count_revisions(&self, family: &str) -> Result<usize, AwsError> {
        Ok(newest(&Client::new(self.config()), family, usize::MAX).await?.len())
    }
}

async fn revisions(client: &Client, family: &str, limit: usize) -> Result<Vec<Revision>, AwsError> {
    let mut revisions = Vec::new();
    for arn in &newest(client, family, limit).await? {
        revisions.extend(describe(client, arn).await?);
    }
    Ok(revisions)
}

/// The ARNs of the last revisions, whatever their state, the newest first.
async fn newest(client: &Client, family: &str, limit: usize) -> Result<Vec<String>, AwsError> {
    let mut arns = Vec::new();
    for status in [TaskDefinitionStatus::Active, TaskDefinitionStatus::Inactive] {
        arns.extend(list(client, family, status, limit).await?);
    }
    arns.sort_by_key(|arn| std::cmp::Reverse(number(arn)));
    arns.truncate(limit);
    Ok(arns)
}

/// The ARNs of the newest revisions of exactly this family: ECS takes the name for the beginning of one.
async fn list(
    client: &Client,
    family: &str,
    status: TaskDefinitionStatus,
    limit: usize,
) -> Result<Vec<String>, AwsError> {
    let on = format!("task definitions of family {family}");
    let mut listed = client
        .list_task_definitions()
        .family_prefix(family)
        .status(status)
        .sort(SortOrder::Desc)
        .into_paginator()
        .items()
        .send();
    let mut arns = Vec::new();
    while arns.len() < limit
        && let Some(arn) = listed.next().await
    {
        let arn = arn.map_err(|error| Call::new("ecs:ListTaskDefinitions", &on).failed(error))?;
        if is_of(family, &arn) {
            arns.push(arn);
        }
    }
    Ok(arns)
}

fn is_of(family: &str, arn: &str) -> bool {
    let name = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
    name.rsplit_once(':').is_some_and(|(of, _)| of == family)
}

fn number(arn: &str) -> u32 {
    let number = arn.rsplit_once(':').and_then(|(_, number)| number.parse().ok());
    number.unwrap_or_default()
}

async fn describe(client: &Client, arn: &str) -> Result<Option<Revision>, AwsError> {
    let answer = client
        .describe_task_definition()
        .task_definition(arn)
        .include(TaskDefinitionField::Tags)
        .send()
        .await
        .map_err(|error| Call::new("ecs:DescribeTaskDefinition", arn).failed(error))?;
    Ok(revision(answer))
}

fn revision(answer: DescribeTaskDefinitionOutput) -> Option<Revision> {
    let tags = answer.tags.unwrap_or_default().into_iter();
    let definition = answer.task_definition?;
    let containers = definition.container_definitions.unwrap_or_default().into_iter();
    Some(Revision {
        revision: u32::try_from(definition.revision).unwrap_or_default(),
        arn: definition.task_definition_arn?,
        registered_at: definition.registered_at.as_ref().and_then(timestamp),
        registered_by: definition.registered_by,
        status: match definition.status {
            Some(TaskDefinitionStatus::Active) | None => RevisionStatus::Active,
            Some(_) => RevisionStatus::Inactive,
        },
        images: containers
            .filter_map(|container| Some((container.name?, container.image?)))
            .collect(),
        tags: tags
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect(),
    })
}

#[cfg(test)]
mod tests;
