//! What is told of a task and of a container, in the shape that Fargate gives it.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html>

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Region;
use crate::limits::register::{ContainerRecord, TaskRecord};
use crate::task::TaskStatus;

/// Stands where ARNs have the number of an account, since there is none.
const NO_ACCOUNT: &str = "000000000000";

/// The region where the stack does not say.
const USUAL_REGION: &str = "us-east-1";

/// How ARNs of a task's own things begin, and what its cluster and its definition are called.
pub(super) struct Arn {
    /// `arn:aws:ecs:us-east-1:000000000000`
    prefix: String,
    cluster: String,
    task: String,
    revision: String,
    region: String,
}

pub(super) fn arn_of(region: &Region, task: &TaskRecord) -> Arn {
    let region = region.0.clone().unwrap_or_else(|| USUAL_REGION.to_owned());
    let prefix = format!("arn:aws:ecs:{region}:{NO_ACCOUNT}");
    let (cluster, id) = (&task.service.cluster, &task.place.task);
    Arn {
        cluster: format!("{prefix}:cluster/{cluster}"),
        task: format!("{prefix}:task/{cluster}/{id}"),
        revision: task.service.revision.to_string(),
        prefix,
        region,
    }
}

/// `/task`
pub(super) fn task_document(arn: &Arn, task: &TaskRecord, now: Timestamp) -> Value {
    let service = &task.service;
    let containers: Vec<_> = task
        .containers
        .iter()
        .map(|container| container_document(arn, task, container))
        .collect();
    let mebibytes = |bytes: u64| bytes >> 20;
    let storage = task
        .storage
        .map(|used| json!({ "Utilized": mebibytes(used), "Reserved": mebibytes(service.limits.storage) }));
    without_nulls(json!({
        "Cluster": arn.cluster,
        "TaskARN": arn.task,
        "Family": service.family,
        "Revision": arn.revision,
        "ServiceName": service.name,
        "DesiredStatus": desired_status(task.last_status),
        "KnownStatus": task.last_status.as_str(),
        "Limits": {
            "CPU": service.limits.cpu_units.map(|units| f64::from(units) / 1024.0),
            "Memory": service.limits.memory.map(mebibytes),
        },
        "PullStartedAt": task.created_at,
        "PullStoppedAt": task.created_at,
        "LaunchType": "FARGATE",
        "Containers": containers,
        // The machine's own clock is the only one here.
        "ClockDrift": { "ClockErrorBound": 0, "ReferenceTimestamp": now, "ClockSynchronizationStatus": "SYNCHRONIZED" },
        "EphemeralStorageMetrics": storage,
        "FaultInjectionEnabled": false,
    }))
}

/// The container itself.
pub(super) fn container_document(arn: &Arn, task: &TaskRecord, container: &ContainerRecord) -> Value {
    let (service, definition) = (&task.service, &container.definition);
    let health = definition
        .health_check
        .as_ref()
        .map(|_| json!({ "status": container.health.as_str() }));
    let (log_driver, log_options) = log(arn, task, container);
    without_nulls(json!({
        "DockerId": docker_id(task, container),
        "Name": *definition.name,
        "DockerName": *definition.name,
        "Image": definition.image,
        "Labels": {
            "com.amazonaws.ecs.cluster": arn.cluster,
            "com.amazonaws.ecs.container-name": *definition.name,
            "com.amazonaws.ecs.task-arn": arn.task,
            "com.amazonaws.ecs.task-definition-family": service.family,
            "com.amazonaws.ecs.task-definition-version": arn.revision,
        },
        "DesiredStatus": desired_status(task.last_status),
        "KnownStatus": known_status(container),
        "ExitCode": container.exit_code,
        "Limits": {
            "CPU": definition.limits.cpu_units.unwrap_or(2),
            "Memory": definition.limits.memory.map(|bytes| bytes >> 20),
        },
        "CreatedAt": task.created_at,
        "StartedAt": container.started_at,
        "FinishedAt": container.finished_at,
        "Type": "NORMAL",
        "Health": health,
        "LogDriver": log_driver,
        "LogOptions": log_options,
        "ContainerARN": format!("{}:container/{}/{}/{}", arn.prefix, service.cluster, task.place.task, docker_id(task, container)),
        "Networks": [{ "NetworkMode": "awsvpc", "IPv4Addresses": [task.place.address] }],
        "RestartCount": definition.restart_policy.as_ref().map(|_| container.restarts),
    }))
}

/// `cd189a933e5849daa93386466019ab50-2495160603`: the task's id and ten digits.
pub(super) fn docker_id(task: &TaskRecord, container: &ContainerRecord) -> String {
    let number = u64::from_str_radix(&container.key[..16], 16).unwrap_or_default() % 10_000_000_000;
    format!("{}-{number:010}", task.place.task)
}

fn log(arn: &Arn, task: &TaskRecord, container: &ContainerRecord) -> (Option<&'static str>, Option<Value>) {
    let Some(log) = &container.definition.log else {
        return (None, None);
    };
    let options = json!({
        "awslogs-group": log.group,
        "awslogs-region": arn.region,
        "awslogs-stream": format!("{}/{}/{}", log.stream_prefix, container.definition.name, task.place.task),
    });
    (Some("awslogs"), Some(options))
}

fn desired_status(last_status: TaskStatus) -> &'static str {
    if last_status.can_stop() { "RUNNING" } else { "STOPPED" }
}

fn known_status(container: &ContainerRecord) -> &'static str {
    match (container.pid, container.exit_code) {
        (Some(_), _) => "RUNNING",
        (None, Some(_)) => "STOPPED",
        (None, None) => "PULLED",
    }
}

/// Keys without a value are left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let set = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                set.map(|(key, value)| (key, without_nulls(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        other => other,
    }
}
