//! The typed model of an ECS stack: what a stack's resources mean to somebody who wants to run, price or check it.
//!
//! ```text
//!                                           Fleet
//!   aws_ecs_service ───────────────▶ Service ──task_definition──▶ TaskDefinition ─▶ Container ─▶ ImageReference
//!   aws_ecs_task_definition                 │                                          └──────▶ SecretReference ─▶ Secret
//!   aws_lb, aws_lb_listener(_rule)          └─load_balancers──▶ TargetGroup ◀──rules── Listener ─▶ LoadBalancer
//!   aws_lb_target_group, …
//!   aws_appautoscaling_target ─────▶ ScalableTarget ──service──▶ Service; beside it MetricAlarm, MetricFilter, LogGroup, …
//!   everything else ───────────────▶ unmodeled
//! ```
//!
//! [`Fleet::from_stack`] is the whole of it: a pure function from a [`karma_terraform::Stack`] to a [`Fleet`] and the diagnostics of what
//! could not be read. Links between resources are exact, because an attribute that is unknown before apply remembers where it comes from:
//! no ARN is ever made up. Each family of resources reads itself, in a file of its own.
//!
//! The second half is [`provider()`]: what Terraform's AWS provider adds to a stack while planning, for the evaluator.
//!
//! ```
//! use karma_fleet::Fleet;
//! use karma_terraform::{Inputs, Sources, evaluate, parse};
//!
//! let sources = Sources::from_iter([(
//!     "main.tf",
//!     r#"
//!     resource "aws_ecr_repository" "agent" {
//!       name = "karma/agent"
//!     }
//!     resource "aws_ecs_task_definition" "agent" {
//!       family                = "agent"
//!       container_definitions = jsonencode([{
//!         name  = "agent"
//!         image = "${aws_ecr_repository.agent.repository_url}:0.1.0"
//!       }])
//!     }
//!     resource "aws_ecs_service" "agent" {
//!       name            = "agent"
//!       task_definition = aws_ecs_task_definition.agent.arn
//!     }
//!     "#,
//! )]);
//! let (module, _) = parse(&sources);
//! let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
//! let (fleet, _) = Fleet::from_stack(&stack);
//! let (_, service) = fleet.service("agent").expect("the stack declares it");
//! let definition = &fleet.task_definitions[&service.task_definition];
//! assert_eq!(definition.containers[0].image.to_string(), "karma/agent:0.1.0");
//! ```
//!
//! It refuses to guess. What is not known before apply and would have to be known is an error; what this model does not read is listed by
//! its address in [`Fleet::unmodeled`], or by its name in [`Container::unmodeled`]; what a local run does otherwise than AWS is a warning.
//! It does no I/O and knows no time, no prices and no rules of good taste.

pub mod alarm;
mod capacity;
mod certificate;
mod cluster;
mod container;
mod deployment;
mod fidelity;
mod fleet;
mod health_check;
mod image;
mod listener;
mod load_balancer;
mod log_group;
pub mod metric;
mod network;
mod repository;
mod sampling_rule;
pub mod scaling;
mod secret;
mod secret_reference;
mod service;
mod service_connect;
mod service_schedule;
mod target_group;
mod task_definition;

mod attributes;
mod container_definitions;
mod cursor;
mod from_value;
mod links;
mod provider;
mod value_text;

pub use capacity::CapacityProviderStrategyItem;
pub use cluster::{Cluster, ContainerInsights};
pub use container::health_check::ContainerHealthCheck;
pub use container::limits::{ContainerLimits, Ulimit, UlimitName};
pub use container::log_configuration::LogConfiguration;
pub use container::restart_policy::RestartPolicy;
pub use container::{AppProtocol, Container, ContainerDependency, DependencyCondition, EnvironmentValue, PortMapping};
pub use deployment::{CircuitBreaker, DeploymentAlarms, DeploymentConfiguration};
pub use fidelity::{Fidelity, FidelityLine, fidelity};
pub use fleet::{Fleet, Table};
pub use health_check::{HealthCheck, HealthCheckPort, Matcher};
pub use image::ImageReference;
#[doc(no_inline)]
pub use karma_terraform::{Address, Mode, Span};
pub use listener::action::{Action, Forward, Redirect, WeightedTargetGroup};
pub use listener::condition::{AddressBlock, Condition, QueryStringPattern};
pub use listener::rule::{ListenerRule, Rewrite, Transforms};
pub use listener::{Listener, ListenerProtocol};
pub use load_balancer::{
    AccessLogs, DesyncMitigationMode, ForwardedFor, HostHeader, Http2, InvalidHeaders, LoadBalancer,
};
pub use log_group::LogGroup;
pub use network::{AvailabilityZone, NetworkConfiguration, Subnet};
pub use provider::provider;
pub use repository::Repository;
pub use sampling_rule::SamplingRule;
pub use secret::Secret;
pub use secret_reference::SecretReference;
pub use service::{Service, ServiceLoadBalancer};
pub use service_connect::{ClientAlias, ServiceConnect, ServiceConnectService, Timeouts};
pub use service_schedule::{ServiceSchedule, ServiceUpdate};
pub use target_group::{Algorithm, MinimumHealthy, ProtocolVersion, Stickiness, TargetGroup};
pub use task_definition::{CpuArchitecture, TaskDefinition};
