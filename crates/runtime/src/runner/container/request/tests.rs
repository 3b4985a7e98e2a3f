//! What an engine is asked for.

use std::sync::Arc;
use std::time::Duration;

use karma_fleet::{DeploymentConfiguration, NetworkConfiguration, ServiceConnect, Ulimit, UlimitName};

use super::*;
use crate::limits::{ContainerLimits, TaskLimits};
use crate::local::Pull;
use crate::program::Program;
use crate::secrets::SecretValue;

/// One container that says something against everything in its image.
fn container() -> LocalContainer {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    LocalContainer {
        name: "main".into(),
        image: "k/hello:1".to_owned(),
        image_program: Arc::new(Program::inside_its_image()),
        image_run: Some(ImageRun {
            entry_point: words(&["/agent"]),
            command: words(&["serve"]),
            working_directory: Some("/app".to_owned()),
            user: Some("1000:1000".to_owned()),
            pull: Pull::WhenAbsent,
        }),
        program: "".into(),
        args: vec![],
        working_directory: "".into(),
        environment: [("GREETING".to_owned(), "a=b".to_owned())].into(),
        secrets: [("TOKEN".to_owned(), SecretValue::new("hush"))].into(),
        ports: vec![(8080, None)],
        essential: true,
        health_check: None,
        start_timeout: None,
        stop_timeout: Duration::from_secs(30),
        depends_on: vec![],
        restart_policy: None,
        limits: ContainerLimits {
            cpu_units: Some(128),
            memory: None,
        },
        ulimits: vec![Ulimit {
            name: UlimitName::OpenFiles,
            soft: 10,
            hard: 20,
        }],
        files: Files::ReadOnly,
        log: None,
    }
}

fn service(container: &LocalContainer, service_connect: Option<ServiceConnect>) -> LocalService {
    LocalService {
        name: "test-hello".to_owned(),
        label: "hello".into(),
        family: "hello".to_owned(),
        revision: 1,
        cluster: "default".to_owned(),
        limits: TaskLimits {
            cpu_units: Some(256),
            memory: Some(512 << 20),
            storage: 0,
        },
        enable_execute_command: false,
        desired_count: 1,
        deployment: DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
        },
        deployment_alarms: None,
        force_new_deployment: false,
        capacity_provider_strategy: vec![],
        network: NetworkConfiguration::default(),
        availability_zone_rebalancing: false,
        health_check_grace_period: Duration::ZERO,
        containers: vec![Arc::new(container.clone())],
        targets: vec![],
        service_connect,
    }
}

/// What is asked for the container, in a service that is alone or takes part in Service Connect.
fn request(service_connect: Option<ServiceConnect>) -> Value {
    let (container, task) = (container(), TaskId::parse("0123456789abcdef0123456789abcdef").unwrap());
    let place = Place {
        task,
        service: "hello".into(),
        address: Ipv4Addr::new(127, 3, 0, 1),
        variables: vec![],
    };
    let order = Order {
        state_directory: Path::new("/stack/.karma"),
        region: Some("us-east-1"),
        metadata: Some("http://127.0.0.1:5/key".to_owned()),
        names: [("peer".to_owned(), Ipv4Addr::new(127, 255, 0, 1))].into(),
        place: &place,
        service: &service(&container, service_connect),
        container: &container,
        run: container.image_run.as_ref().unwrap(),
    };
    order.request()
}

fn member() -> ServiceConnect {
    ServiceConnect {
        namespace: None,
        services: vec![],
    }
}

fn has_variable(request: &Value, variable: &str) -> bool {
    request["Env"].as_array().unwrap().contains(&json!(variable))
}

#[test]
fn the_definition_goes_before_the_image() {
    let request = request(None);
    let check = |name: &str, expected: Value| assert_eq!(request[name], expected, "{name}");
    check("Image", json!("k/hello:1"));
    check("Entrypoint", json!(["/agent"]));
    check("Cmd", json!(["serve"]));
    check("WorkingDir", json!("/app"));
    check("User", json!("1000:1000"));
    check("Healthcheck", json!({ "Test": ["NONE"] }));
    for variable in ["GREETING=a=b", "TOKEN=hush", "AWS_REGION=us-east-1"] {
        assert!(has_variable(&request, variable), "{variable}: {request}");
    }
}

#[test]
fn limits_are_those_of_the_task_where_the_container_has_none() {
    let request = request(None);
    let check = |name: &str, expected: Value| assert_eq!(request["HostConfig"][name], expected, "{name}");
    check("Memory", json!(512 << 20));
    check("NanoCpus", json!(250_000_000_u64));
    check("CpuShares", json!(128));
    check("Ulimits", json!([{ "Name": "nofile", "Soft": 10, "Hard": 20 }]));
    check("ReadonlyRootfs", json!(true));
}

#[test]
fn a_task_that_is_alone_has_a_network_of_its_own_and_its_ports_on_its_address() {
    let request = request(None);
    assert_eq!(request["HostConfig"]["NetworkMode"], "bridge");
    assert_eq!(request["ExposedPorts"], json!({ "8080/tcp": {} }));
    let bindings = json!({ "8080/tcp": [{ "HostIp": "127.3.0.1", "HostPort": "8080" }] });
    assert_eq!(request["HostConfig"]["PortBindings"], bindings);
    assert!(has_variable(&request, "HOST=0.0.0.0"), "{request}");
    assert!(!request.to_string().contains("METADATA"), "{request}");
}

#[test]
fn a_member_of_service_connect_is_where_the_names_lead_to() {
    let request = request(Some(member()));
    assert_eq!(request["HostConfig"]["NetworkMode"], "host");
    assert_eq!(request["HostConfig"]["ExtraHosts"], json!(["peer:127.255.0.1"]));
    assert_eq!(request["HostConfig"]["PortBindings"], json!({}));
    assert_eq!(request["ExposedPorts"], Value::Null);
    assert!(has_variable(&request, "HOST=127.3.0.1"), "{request}");
    assert!(
        has_variable(&request, "ECS_CONTAINER_METADATA_URI_V4=http://127.0.0.1:5/key"),
        "{request}"
    );
}

#[test]
fn a_container_is_found_by_its_stack_and_by_its_task() {
    let request = request(None);
    let task = TaskId::parse("0123456789abcdef0123456789abcdef").unwrap();
    for which in [Which::OfStack(Path::new("/stack/.karma")), Which::OfTask(&task)] {
        let filter = which.filter();
        let (name, value) = filter["label"][0].as_str().unwrap().split_once('=').unwrap();
        assert_eq!(request["Labels"][name], value);
    }
}
