//! Fleets for tests, built by hand: what is not said is as small as it can be.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use karma_fleet::{
    AccessLogs, Action, Address, Algorithm, AppProtocol, ClientAlias, Condition, Container, ContainerHealthCheck,
    ContainerLimits, CpuArchitecture, DeploymentConfiguration, DesyncMitigationMode, EnvironmentValue, Fleet, Forward,
    ForwardedFor, HealthCheck, HealthCheckPort, HostHeader, Http2, ImageReference, InvalidHeaders, Listener,
    ListenerProtocol, ListenerRule, LoadBalancer, Matcher, MinimumHealthy, Mode, NetworkConfiguration, PortMapping,
    ProtocolVersion, Service, ServiceConnect, ServiceConnectService, ServiceLoadBalancer, Span, TargetGroup,
    TaskDefinition, Timeouts, Transforms, WeightedTargetGroup,
};
use karma_runtime::{Program, Programs};

/// The port of every service that takes requests.
pub(crate) const PORT: u16 = 8080;

/// A fleet and the programs of its images.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestFleet {
    pub(crate) fleet: Fleet,
    pub(crate) programs: Programs,
}

/// One service; change what the test is about.
#[derive(Debug, Clone)]
pub(crate) struct TestService {
    pub(crate) name: String,
    pub(crate) desired_count: u32,
    pub(crate) containers: Vec<Container>,
    /// Whether the load balancer leads `/<name>/*` to it.
    pub(crate) behind_load_balancer: bool,
    /// Whether it offers `<name>:80xx` by Service Connect.
    pub(crate) alias_port: Option<u16>,
    pub(crate) deregistration_delay: Duration,
    /// MiB of its tasks.
    pub(crate) memory: Option<u32>,
    /// Whether commands may be run in its tasks.
    pub(crate) enable_execute_command: bool,
    pub(crate) minimum_healthy_percent: u32,
    pub(crate) maximum_percent: u32,
}

impl TestFleet {
    /// Adds a service.
    pub(crate) fn with(mut self, service: &TestService) -> Self {
        let definition = TaskDefinition {
            family: service.name.clone(),
            cpu: None,
            memory: service.memory,
            ephemeral_storage: 20,
            cpu_architecture: CpuArchitecture::default(),
            containers: service.containers.clone(),
            declared_at: nowhere(),
        };
        let name = &service.name;
        self.fleet
            .task_definitions
            .insert(address("aws_ecs_task_definition", name), definition);
        if service.behind_load_balancer {
            self.lead_to(service);
        }
        self.fleet
            .services
            .insert(address("aws_ecs_service", name), ecs_service(service));
        self
    }

    /// Says what an image is.
    pub(crate) fn program(mut self, repository: &str, program: impl Into<PathBuf>, args: &[&str]) -> Self {
        let program = Program {
            program: program.into(),
            image_path: "/bin/program".to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            files: BTreeMap::new(),
        };
        self.programs.insert(repository.to_owned(), program);
        self
    }

    fn lead_to(&mut self, service: &TestService) {
        let load_balancer = address("aws_lb", "main");
        self.fleet
            .load_balancers
            .entry(load_balancer.clone())
            .or_insert_with(main_load_balancer);
        let group = address("aws_lb_target_group", &service.name);
        let listener = self
            .fleet
            .listeners
            .entry(address("aws_lb_listener", "http"))
            .or_insert_with(|| Listener {
                load_balancer,
                port: 80,
                protocol: ListenerProtocol::Http,
                default_action: Action::FixedResponse {
                    status: 404,
                    content_type: "application/json".to_owned(),
                    body: "{}".to_owned(),
                },
                rules: vec![],
                declared_at: nowhere(),
            });
        listener.rules.push(ListenerRule {
            address: address("aws_lb_listener_rule", &service.name),
            priority: listener.rules.last().map_or(1, |last| last.priority + 1),
            conditions: vec![Condition::PathPattern(vec![format!("/{}/*", service.name)])],
            transforms: Transforms::default(),
            action: Action::Forward(Forward::from(WeightedTargetGroup {
                target_group: group.clone(),
                weight: 1,
            })),
            declared_at: nowhere(),
        });
        self.fleet.target_groups.insert(group, target_group(service));
    }
}

fn main_load_balancer() -> LoadBalancer {
    LoadBalancer {
        name: "main".to_owned(),
        idle_timeout: Duration::from_mins(1),
        client_keep_alive: Duration::from_hours(1),
        desync_mitigation_mode: DesyncMitigationMode::default(),
        http2: Http2::Enabled,
        invalid_headers: InvalidHeaders::Forward,
        host_header: HostHeader::Adjusted,
        forwarded_for: ForwardedFor::Append,
        access_logs: AccessLogs::Disabled,
        declared_at: nowhere(),
    }
}

/// A service of one container with one task, behind nothing.
pub(crate) fn service(name: &str, container: Container) -> TestService {
    TestService {
        name: name.to_owned(),
        desired_count: 1,
        containers: vec![container],
        behind_load_balancer: false,
        alias_port: None,
        deregistration_delay: Duration::from_secs(5),
        memory: None,
        enable_execute_command: false,
        minimum_healthy_percent: 100,
        maximum_percent: 200,
    }
}

/// An essential container of the image `<repository>:1`.
pub(crate) fn container(name: &str, repository: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: ImageReference {
            repository: repository.to_owned(),
            version: ":1".to_owned(),
        },
        entry_point: None,
        command: None,
        essential: true,
        environment: BTreeMap::new(),
        secrets: vec![],
        port_mappings: vec![],
        health_check: None,
        stop_timeout: Duration::from_secs(2),
        depends_on: vec![],
        start_timeout: None,
        restart_policy: None,
        limits: ContainerLimits::default(),
        working_directory: None,
        user: None,
        readonly_root_filesystem: false,
        log: None,
        unmodeled: vec![],
    }
}

/// A container that runs a line of shell; its image is `shell`.
pub(crate) fn shell(line: &str) -> Container {
    Container {
        command: Some(vec!["-c".to_owned(), line.to_owned()]),
        ..container("main", "shell")
    }
}

/// A container that serves on [`PORT`]; its image is `server`.
pub(crate) fn server() -> Container {
    Container {
        environment: [("PORT".to_owned(), EnvironmentValue::Known(PORT.to_string()))].into(),
        port_mappings: vec![PortMapping {
            name: Some("http".to_owned()),
            container_port: PORT,
            app_protocol: AppProtocol::Http,
        }],
        ..container("main", "server")
    }
}

/// A health check by a line of shell that is run as often as can be.
pub(crate) fn health_check(line: &str) -> ContainerHealthCheck {
    ContainerHealthCheck {
        command: vec!["CMD-SHELL".to_owned(), line.to_owned()],
        interval: Duration::from_millis(50),
        timeout: Duration::from_secs(2),
        retries: 2,
        start_period: Duration::ZERO,
    }
}

/// An address in the root module.
pub(crate) fn address(kind: &str, name: &str) -> Address {
    Address {
        module: vec![],
        mode: Mode::Managed,
        kind: kind.to_owned(),
        name: name.to_owned(),
        key: None,
    }
}

fn ecs_service(service: &TestService) -> Service {
    let target = ServiceLoadBalancer {
        target_group: address("aws_lb_target_group", &service.name),
        container_name: "main".to_owned(),
        container_port: PORT,
    };
    let offer = |port| ServiceConnectService {
        port_name: "http".to_owned(),
        discovery_name: service.name.clone(),
        client_alias: ClientAlias {
            dns_name: service.name.clone(),
            port,
        },
        timeouts: Timeouts {
            idle: Some(Duration::from_mins(5)),
            per_request: Some(Duration::from_secs(15)),
        },
    };
    Service {
        name: format!("test-{}", service.name),
        label: service.name.clone(),
        cluster: None,
        task_definition: address("aws_ecs_task_definition", &service.name),
        desired_count: service.desired_count,
        deployment: DeploymentConfiguration {
            minimum_healthy_percent: service.minimum_healthy_percent,
            maximum_percent: service.maximum_percent,
            circuit_breaker: None,
        },
        deployment_alarms: None,
        force_new_deployment: false,
        capacity_provider_strategy: vec![],
        network: NetworkConfiguration::default(),
        availability_zone_rebalancing: false,
        health_check_grace_period: Duration::ZERO,
        load_balancers: service.behind_load_balancer.then_some(target).into_iter().collect(),
        service_connect: Some(ServiceConnect {
            namespace: Some("test".to_owned()),
            services: service.alias_port.map(offer).into_iter().collect(),
        }),
        enable_execute_command: service.enable_execute_command,
        declared_at: nowhere(),
    }
}

fn target_group(service: &TestService) -> TargetGroup {
    TargetGroup {
        name: service.name.clone(),
        port: PORT,
        health_check: HealthCheck {
            path: "/health".to_owned(),
            port: HealthCheckPort::TrafficPort,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            healthy_threshold: 2,
            unhealthy_threshold: 2,
            matcher: Matcher(vec![200..=200]),
        },
        deregistration_delay: service.deregistration_delay,
        protocol_version: ProtocolVersion::Http1,
        algorithm: Algorithm::RoundRobin,
        stickiness: None,
        slow_start: Duration::ZERO,
        minimum_healthy: MinimumHealthy {
            count: 1,
            percentage: None,
        },
        declared_at: nowhere(),
    }
}

fn nowhere() -> Span {
    Span {
        file: "main.tf".into(),
        start: 0,
        end: 0,
    }
}
