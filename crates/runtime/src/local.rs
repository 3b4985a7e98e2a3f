//! A fleet's services, settled for this machine: programs instead of images where images are not run themselves, values instead of references.

mod dependencies;
mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use karma_fleet::{
    Address, CapacityProviderStrategyItem, Container, ContainerDependency, DeploymentAlarms, DeploymentConfiguration,
    EnvironmentValue, Fleet, LogConfiguration, NetworkConfiguration, RestartPolicy, Service, ServiceConnect,
    TaskDefinition, Ulimit,
};
use sha2::{Digest, Sha256};

use crate::error::StartError;
use crate::launcher::Files;
use crate::limits::{self, ContainerLimits, TaskLimits};
use crate::program::{Program, Programs};
use crate::secrets::{LocalSecrets, SecretValue};
use dependencies::{check_dependencies, forget_absent};
pub(crate) use image::{ImageRun, Pull};

/// What happens where a secret has no value on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MissingSecrets {
    /// The task starts without it, and a note says so.
    #[default]
    Note,
    /// The fleet does not start, as a task would not on AWS.
    Refuse,
}

/// What stands for images on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Images<'p> {
    /// Programs of it.
    Programs(&'p Programs),
    /// The images themselves, which an engine runs.
    Themselves,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocalService {
    pub(crate) name: String,
    pub(crate) label: Arc<str>,
    pub(crate) family: String,
    /// Of the family; counted in `orchestrator/definition/revisions.rs`.
    pub(crate) revision: u32,
    /// The name of its cluster.
    pub(crate) cluster: String,
    pub(crate) limits: TaskLimits,
    /// Whether commands may be run in its tasks.
    pub(crate) enable_execute_command: bool,
    pub(crate) desired_count: usize,
    pub(crate) deployment: DeploymentConfiguration,
    pub(crate) deployment_alarms: Option<DeploymentAlarms>,
    pub(crate) force_new_deployment: bool,
    pub(crate) capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    pub(crate) network: NetworkConfiguration,
    pub(crate) availability_zone_rebalancing: bool,
    pub(crate) health_check_grace_period: Duration,
    pub(crate) containers: Vec<Arc<LocalContainer>>,
    pub(crate) targets: Vec<ServiceTarget>,
    pub(crate) service_connect: Option<ServiceConnect>,
}

/// A target group of a service and the port that its tasks are registered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceTarget {
    pub(crate) target_group: Address,
    pub(crate) port: u16,
}

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocalContainer {
    pub(crate) name: Arc<str>,
    /// What it would run on AWS.
    pub(crate) image: String,
    /// What stands for its image here.
    pub(crate) image_program: Arc<Program>,
    /// How the image itself is run, where it is.
    pub(crate) image_run: Option<ImageRun>,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// Where the program begins: a path below the task's disk, or an absolute one of this machine.
    pub(crate) working_directory: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, SecretValue>,
    /// The ports it listens on, and the names they have.
    pub(crate) ports: Vec<(u16, Option<String>)>,
    pub(crate) essential: bool,
    pub(crate) health_check: Option<LocalHealthCheck>,
    /// For so long at most the containers that depend on it wait.
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) stop_timeout: Duration,
    pub(crate) depends_on: Vec<ContainerDependency>,
    pub(crate) restart_policy: Option<RestartPolicy>,
    pub(crate) limits: ContainerLimits,
    pub(crate) ulimits: Vec<Ulimit>,
    pub(crate) files: Files,
    pub(crate) log: Option<LogConfiguration>,
}

/// A container health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalHealthCheck {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) start_period: Duration,
}

impl LocalContainer {
    /// Everything in it that can name a file.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        let check = self.health_check.iter();
        let check = check.flat_map(|check| [&check.program].into_iter().chain(&check.args));
        let words = self.args.iter().chain(self.environment.values()).chain(check);
        words.cloned().chain([self.program.display().to_string()])
    }

    /// The directories of a run's state that its variables name. Each stands for a service of AWS, a bucket say, so it can be written
    /// although the root file system cannot.
    pub(crate) fn directories_of_state(&self, state_directory: &Path) -> BTreeSet<PathBuf> {
        let paths = self.environment.values().map(|value| {
            let path = value.strip_prefix("file://").unwrap_or(value);
            Path::new(path)
        });
        let below = paths.filter(|path| {
            let below = path.strip_prefix(state_directory).ok();
            below.is_some_and(|below| matches!(below.components().next(), Some(Component::Normal(_))))
        });
        let is_plain = |path: &&Path| path.components().all(|part| part != Component::ParentDir);
        below.filter(is_plain).map(Path::to_owned).collect()
    }
}

impl LocalService {
    /// Whether a container health check speaks for its tasks.
    pub(crate) fn has_container_health_check(&self) -> bool {
        self.containers
            .iter()
            .any(|container| container.essential && container.health_check.is_some())
    }

    /// `validator:3`
    pub(crate) fn task_definition(&self) -> Arc<str> {
        format!("{}:{}", self.family, self.revision).into()
    }

    /// What tells this task definition from another: a digest of all that is in it but the values of secrets, which
    /// [`SecretValue`] does not show.
    pub(crate) fn digest(&self) -> String {
        format!(
            "{:x}",
            Sha256::digest(format!("{:?} {:?}", self.containers, self.limits))
        )
    }

    /// Whether a service that runs `deployed` needs a deployment to become this one. The desired count, the percentages, the grace period and
    /// the rebalancing change without one. ECS refuses to change a capacity provider strategy otherwise than by a deployment.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html>
    pub(crate) fn needs_deployment_after(&self, deployed: &Self) -> bool {
        parts(self) != parts(deployed)
    }
}

/// What cannot change without a deployment.
fn parts(service: &LocalService) -> impl PartialEq + '_ {
    (
        service.task_definition(),
        &service.targets,
        &service.network,
        &service.service_connect,
        &service.capacity_provider_strategy,
        service.enable_execute_command,
    )
}

/// Settles every service of a fleet. The notes say what is not as it would be on AWS.
pub(crate) fn services(
    fleet: &Fleet,
    images: Images<'_>,
    secrets: &LocalSecrets,
    missing_secrets: MissingSecrets,
) -> Result<(Vec<LocalService>, Vec<String>), StartError> {
    let mut settling = Settling {
        fleet,
        secrets,
        missing_secrets,
        notes: Vec::new(),
    };
    let services = fleet
        .services
        .values()
        .map(|service| settling.service(service, cluster(fleet, service), definition(fleet, service)?, images))
        .collect::<Result<_, _>>()?;
    Ok((services, settling.notes))
}

fn definition<'f>(fleet: &'f Fleet, service: &Service) -> Result<&'f TaskDefinition, StartError> {
    fleet
        .task_definitions
        .get(&service.task_definition)
        .ok_or_else(|| StartError::Definition {
            subject: service.name.clone(),
            reason: format!("its task definition {} is not in the stack", service.task_definition),
        })
}

/// A service that names no cluster of the stack runs in the account's default one.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
fn cluster(fleet: &Fleet, service: &Service) -> String {
    let cluster = service.cluster.as_ref().and_then(|address| fleet.clusters.get(address));
    cluster.map_or_else(|| "default".to_owned(), |cluster| cluster.name.clone())
}

/// What every container is settled with, and what is noted on the way.
struct Settling<'a> {
    fleet: &'a Fleet,
    secrets: &'a LocalSecrets,
    missing_secrets: MissingSecrets,
    notes: Vec<String>,
}

impl Settling<'_> {
    fn service(
        &mut self,
        service: &Service,
        cluster: String,
        definition: &TaskDefinition,
        images: Images<'_>,
    ) -> Result<LocalService, StartError> {
        let mut containers = Vec::new();
        for container in &definition.containers {
            let Images::Programs(programs) = images else {
                containers.push(self.image(container)?);
                continue;
            };
            match program(container, programs) {
                Ok(program) => containers.push(self.container(container, program)?),
                Err(error) if container.essential => return Err(error),
                Err(error) => {
                    self.notes
                        .push(format!("{error}: it is not essential, the task starts without it"));
                }
            }
        }
        check_dependencies(&definition.family, &definition.containers)?;
        forget_absent(&mut containers);
        Ok(LocalService {
            name: service.name.clone(),
            label: service.label.as_str().into(),
            family: definition.family.clone(),
            revision: 0,
            cluster,
            limits: limits::of_task(definition),
            enable_execute_command: service.enable_execute_command,
            desired_count: usize::try_from(service.desired_count).unwrap_or(usize::MAX),
            deployment: service.deployment,
            deployment_alarms: service.deployment_alarms.clone(),
            force_new_deployment: service.force_new_deployment,
            capacity_provider_strategy: service.capacity_provider_strategy.clone(),
            network: service.network.clone(),
            availability_zone_rebalancing: service.availability_zone_rebalancing,
            health_check_grace_period: service.health_check_grace_period,
            containers: containers.into_iter().map(Arc::new).collect(),
            targets: targets(service),
            service_connect: service.service_connect.clone(),
        })
    }

    /// A container whose image is run itself.
    fn image(&mut self, container: &Container) -> Result<LocalContainer, StartError> {
        let settled = self.settled(container, &Program::inside_its_image(), (PathBuf::new(), Vec::new()))?;
        Ok(LocalContainer {
            image_run: Some(image::run(container, self.fleet)),
            ..settled
        })
    }

    /// A container that a program of this machine stands for.
    fn container(&mut self, container: &Container, program: &Program) -> Result<LocalContainer, StartError> {
        let run = self.command(container, program)?;
        if let Some(user) = &container.user {
            let note = format!("containers run as the user who runs karma, not as {user}");
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        self.settled(container, program, run)
    }

    fn settled(
        &mut self,
        container: &Container,
        program: &Program,
        (path, args): (PathBuf, Vec<String>),
    ) -> Result<LocalContainer, StartError> {
        Ok(LocalContainer {
            name: container.name.as_str().into(),
            image: container.image.to_string(),
            image_program: Arc::new(program.clone()),
            image_run: None,
            program: path,
            args,
            working_directory: working_directory(container, program),
            environment: self.environment(container, program),
            secrets: self.secrets(container)?,
            ports: container
                .port_mappings
                .iter()
                .map(|port| (port.container_port, port.name.clone()))
                .collect(),
            essential: container.essential,
            health_check: health_check(container, program)?,
            start_timeout: container.start_timeout,
            stop_timeout: container.stop_timeout,
            depends_on: container.depends_on.clone(),
            restart_policy: container.restart_policy.clone(),
            limits: limits::of_container(container),
            ulimits: container.limits.ulimits.clone(),
            files: if container.readonly_root_filesystem {
                Files::ReadOnly
            } else {
                Files::ReadAndWrite
            },
            log: container.log.clone(),
        })
    }

    /// The program and its arguments. As OCI has it, an entry point of the definition clears the image's command.
    /// <https://github.com/opencontainers/image-spec/blob/main/config.md>
    fn command(&mut self, container: &Container, program: &Program) -> Result<(PathBuf, Vec<String>), StartError> {
        let map = |words: &[String]| words.iter().map(|word| program.map_word(word)).collect::<Vec<_>>();
        let command = container.command.as_deref();
        let Some((first, rest)) = container.entry_point.as_deref().and_then(<[String]>::split_first) else {
            return Ok((program.program.clone(), map(command.unwrap_or(&program.args))));
        };
        let args = [map(rest), map(command.unwrap_or_default())].concat();
        if *first == program.image_path {
            return Ok((program.program.clone(), args));
        }
        let found = find_program(&program.map_word(first)).ok_or_else(|| StartError::Definition {
            subject: format!("container `{}`", container.name),
            reason: format!("its entry point {first} is neither the image's program nor on this machine"),
        })?;
        self.notes.push(format!(
            "container `{}` is started with {}, which its image may not have",
            container.name,
            found.display()
        ));
        Ok((found, args))
    }

    fn environment(&mut self, container: &Container, program: &Program) -> BTreeMap<String, String> {
        let mut environment = BTreeMap::new();
        for (name, value) in &container.environment {
            match value {
                EnvironmentValue::Known(value) => {
                    environment.insert(name.clone(), program.map_word(value));
                }
                EnvironmentValue::Unknown(of) => self.notes.push(format!(
                    "{name} of container `{}` is decided by AWS ({of}): it is not set",
                    container.name
                )),
            }
        }
        environment
    }

    fn secrets(&mut self, container: &Container) -> Result<BTreeMap<String, SecretValue>, StartError> {
        let mut values = self.secrets.added_to(&container.name);
        for reference in &container.secrets {
            let key = reference
                .json_key
                .as_ref()
                .map(|key| format!(":{key}"))
                .unwrap_or_default();
            let secret = format!("{}{key}", reference.secret_name);
            match (self.secrets.value(reference), self.missing_secrets) {
                (Some(value), _) => {
                    values.insert(reference.name.clone(), value.clone());
                }
                (None, MissingSecrets::Note) => self.notes.push(format!(
                    "secret {secret} has no value on this machine: container `{}` starts without {}",
                    container.name, reference.name
                )),
                (None, MissingSecrets::Refuse) => {
                    let container = container.name.clone();
                    return Err(StartError::MissingSecret { container, secret });
                }
            }
        }
        Ok(values)
    }
}

fn program<'p>(container: &Container, programs: &'p Programs) -> Result<&'p Program, StartError> {
    let repository = &container.image.repository;
    let program = programs.get(repository).ok_or_else(|| StartError::NoProgram {
        container: container.name.clone(),
        image: container.image.to_string(),
        repository: repository.clone(),
    })?;
    if !program.program.is_file() {
        return Err(StartError::ProgramMissing {
            container: container.name.clone(),
            path: program.program.clone(),
        });
    }
    Ok(program)
}

/// Where the image has files of this machine, those; any other directory is one of the task's disk, and none leads out of that.
fn working_directory(container: &Container, program: &Program) -> PathBuf {
    let Some(directory) = &container.working_directory else {
        return PathBuf::new();
    };
    let mapped = program.map_word(directory);
    if mapped != *directory {
        return mapped.into();
    }
    let below = |component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    Path::new(directory).components().filter_map(below).collect()
}

fn targets(service: &Service) -> Vec<ServiceTarget> {
    let target = |target: &karma_fleet::ServiceLoadBalancer| ServiceTarget {
        target_group: target.target_group.clone(),
        port: target.container_port,
    };
    service.load_balancers.iter().map(target).collect()
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>
fn health_check(container: &Container, program: &Program) -> Result<Option<LocalHealthCheck>, StartError> {
    let Some(check) = &container.health_check else {
        return Ok(None);
    };
    let (command, args) = match check.command.as_slice() {
        [kind, line] if kind == "CMD-SHELL" => (
            "/bin/sh".to_owned(),
            vec!["-c".to_owned(), program.map_shell_line(line)],
        ),
        [kind, command, args @ ..] if kind == "CMD" => (
            program.map_word(command),
            args.iter().map(|word| program.map_word(word)).collect(),
        ),
        _ => {
            return Err(StartError::Definition {
                subject: format!("container `{}`", container.name),
                reason: "its health check's command is neither [\"CMD\", program, …] nor [\"CMD-SHELL\", line]"
                    .to_owned(),
            });
        }
    };
    Ok(Some(LocalHealthCheck {
        program: command,
        args,
        interval: check.interval,
        timeout: check.timeout,
        retries: check.retries,
        start_period: check.start_period,
    }))
}

/// A program by its path, or by its name in `PATH`.
fn find_program(word: &str) -> Option<PathBuf> {
    if word.contains('/') {
        return Path::new(word).is_file().then(|| word.into());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(word))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests;
