//! `aws_ecs_task_definition`

use karma_terraform::Span;

use crate::Container;

/// A task definition: the containers that run together, and their size.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html>
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDefinition {
    /// Its family.
    pub family: String,
    /// CPU units: 1024 are one vCPU.
    pub cpu: Option<u32>,
    /// Memory in MiB.
    pub memory: Option<u32>,
    /// The containers, in the order of the definition.
    pub containers: Vec<Container>,
    /// Where the stack declares it.
    pub declared_at: Span,
}
