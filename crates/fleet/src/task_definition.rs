//! `aws_ecs_task_definition`

use std::collections::BTreeSet;

use karma_terraform::{Span, Value};

use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;
use crate::{Container, DependencyCondition, container_definitions};

/// GiB of disk that a task on Fargate has where its definition does not say.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html>
const EPHEMERAL_STORAGE: u32 = 20;

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
    /// Its disk in GiB.
    pub ephemeral_storage: u32,
    /// What its images are built for.
    pub cpu_architecture: CpuArchitecture,
    /// The containers, in the order of the definition.
    pub containers: Vec<Container>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// A processor that Fargate has.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CpuArchitecture {
    /// `X86_64`, which a definition means that says nothing.
    #[default]
    X86_64,
    /// `ARM64`: Graviton.
    Arm64,
}

impl TaskDefinition {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let family = from.required("family");
        let containers = container_definitions::read(from, Container::read)?;
        if let Some(problem) = problem_among(&containers) {
            return Err(container_definitions::invalid(from, &problem));
        }
        Ok(Self {
            cpu: from.optional("cpu").map(|CpuUnits(units)| units),
            memory: from.optional("memory").map(|Mebibytes(size)| size),
            ephemeral_storage: from
                .block("ephemeral_storage")
                .and_then(|block| block.optional("size_in_gib"))
                .unwrap_or(EPHEMERAL_STORAGE),
            cpu_architecture: from
                .block("runtime_platform")
                .and_then(|block| block.optional("cpu_architecture"))
                .unwrap_or_default(),
            family: family?,
            containers,
            declared_at: from.declared_at(),
        })
    }
}

impl FromValue for CpuArchitecture {
    const EXPECTED: &'static str = "`X86_64` or `ARM64`";
    fn from_value(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "X86_64" => Some(Self::X86_64),
            "ARM64" => Some(Self::Arm64),
            _ => None,
        }
    }
}

/// `256`, `"256"` or `".25 vCPU"`
struct CpuUnits(u32);

impl FromValue for CpuUnits {
    const EXPECTED: &'static str = "CPU units like `256`, or `.25 vCPU`";
    fn from_value(value: &Value) -> Option<Self> {
        u32::from_value(value)
            .or_else(|| in_units_of_1024(value.as_str()?, "vcpu"))
            .map(Self)
    }
}

/// `512`, `"512"` or `"0.5GB"`
struct Mebibytes(u32);

impl FromValue for Mebibytes {
    const EXPECTED: &'static str = "MiB like `512`, or `0.5GB`";
    fn from_value(value: &Value) -> Option<Self> {
        u32::from_value(value)
            .or_else(|| in_units_of_1024(value.as_str()?, "gb"))
            .map(Self)
    }
}

/// Both sizes can be written in units 1024 times as large.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>
fn in_units_of_1024(text: &str, unit: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let number: f64 = lower.strip_suffix(unit)?.trim_end().parse().ok()?;
    let whole = number * 1024.0;
    if whole.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&whole) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked: whole and within u32"
    )]
    Some(whole as u32)
}

/// What is wrong with containers that are each right by themselves: each has its own name, one at least is essential, and `dependsOn`
/// leads to containers of this definition, to states that they can come to, and never in a circle.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html>
fn problem_among(containers: &[Container]) -> Option<String> {
    duplicate_name(containers)
        .or_else(|| no_essential_container(containers))
        .or_else(|| {
            containers
                .iter()
                .find_map(|container| bad_dependency(container, containers))
        })
        .or_else(|| circle(containers))
}

fn duplicate_name(containers: &[Container]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let again = containers.iter().find(|container| !seen.insert(&container.name))?;
    Some(format!(
        "two containers are named {:?}; each needs a name of its own",
        again.name
    ))
}

fn no_essential_container(containers: &[Container]) -> Option<String> {
    let none = !containers.iter().any(|container| container.essential);
    none.then(|| "no container is essential; a task needs at least one".to_owned())
}

fn bad_dependency(container: &Container, containers: &[Container]) -> Option<String> {
    container.depends_on.iter().find_map(|dependency| {
        let on = &dependency.container_name;
        let problem = match containers.iter().find(|other| other.name == *on) {
            None => "which the definition does not have",
            Some(other) => unreachable_state(other, dependency.condition)?,
        };
        Some(format!(
            "the container {:?} depends on {on:?}, {problem}",
            container.name
        ))
    })
}

fn unreachable_state(container: &Container, condition: DependencyCondition) -> Option<&'static str> {
    match condition {
        DependencyCondition::Healthy if container.health_check.is_none() => {
            Some("which has no health check to become healthy by")
        }
        DependencyCondition::Complete | DependencyCondition::Success if container.essential => {
            Some("which is essential: the task ends when it ends")
        }
        _ => None,
    }
}

/// Takes away, again and again, the containers that wait for nobody left; what remains waits in a circle.
fn circle(containers: &[Container]) -> Option<String> {
    let mut waiting: Vec<&Container> = containers.iter().collect();
    while !waiting.is_empty() {
        let names: BTreeSet<&str> = waiting.iter().map(|container| container.name.as_str()).collect();
        waiting.retain(|container| {
            container
                .depends_on
                .iter()
                .any(|on| names.contains(on.container_name.as_str()))
        });
        if waiting.len() == names.len() {
            let names: Vec<&str> = names.into_iter().collect();
            return Some(format!(
                "these containers wait for each other in a circle: {}",
                names.join(", ")
            ));
        }
    }
    None
}
