//! The typed model of an ECS stack: what a stack's resources mean to somebody who wants to run, price or check it.

mod cluster;
mod container;
mod fleet;
mod image;
mod listener;
mod load_balancer;
mod log_group;
mod repository;
mod secret;
mod service;
mod service_connect;
mod target_group;
mod task_definition;

pub use cluster::Cluster;
pub use container::{
    Container, ContainerDependency, ContainerHealthCheck, DependencyCondition, EnvironmentValue, LogConfiguration,
    PortMapping, SecretReference,
};
pub use fleet::{Fleet, Table};
pub use image::ImageReference;
pub use listener::{Action, Condition, Listener, ListenerProtocol, ListenerRule, WeightedTargetGroup};
pub use load_balancer::LoadBalancer;
pub use log_group::LogGroup;
pub use repository::Repository;
pub use secret::Secret;
pub use service::{DeploymentConfiguration, Service, ServiceLoadBalancer};
pub use service_connect::{ClientAlias, ServiceConnect, ServiceConnectService};
pub use target_group::{Algorithm, HealthCheck, HealthCheckPort, Matcher, TargetGroup};
pub use task_definition::TaskDefinition;
