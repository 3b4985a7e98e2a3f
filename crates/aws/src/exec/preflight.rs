//! Whether a command can be run in a task, and what is missing where not; from what ECS says of the task alone.

use aws_sdk_ecs::types::{Container, ManagedAgentName, Task};

use super::ExecuteCommand;
use super::error::ExecError;

/// The name of the container that the command is run in.
pub(super) fn check(task: Option<&Task>, wanted: &ExecuteCommand) -> Result<String, ExecError> {
    let id = || wanted.task.clone();
    let Some(task) = task else {
        return Err(ExecError::NoSuchTask {
            cluster: wanted.cluster.clone(),
            task: id(),
        });
    };
    match task.last_status() {
        Some("RUNNING") => {}
        status => {
            let status = status.unwrap_or("unknown").to_owned();
            return Err(ExecError::NotRunning { task: id(), status });
        }
    }
    if !task.enable_execute_command() {
        return Err(ExecError::NotEnabled { task: id() });
    }
    let container = choose(task.containers(), wanted)?;
    connected(container).map_err(|reason| ExecError::NotConnected { task: id(), reason })?;
    Ok(container.name().unwrap_or_default().to_owned())
}

/// Service Connect and other helpers of AWS have containers too, which nobody means who names none.
fn choose<'t>(all: &'t [Container], wanted: &ExecuteCommand) -> Result<&'t Container, ExecError> {
    let own = || {
        all.iter()
            .filter(|container| !name(container).starts_with("ecs-service-connect"))
    };
    let names = || own().map(|container| name(container).to_owned()).collect();
    let task = || wanted.task.clone();
    if let Some(wanted) = &wanted.container {
        return all
            .iter()
            .find(|container| name(container) == wanted)
            .ok_or_else(|| ExecError::NoSuchContainer {
                task: task(),
                container: wanted.clone(),
                containers: names(),
            });
    }
    let mut own_containers = own();
    match (own_containers.next(), own_containers.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(ExecError::WhichContainer {
            task: task(),
            containers: names(),
        }),
    }
}

fn name(container: &Container) -> &str {
    container.name().unwrap_or_default()
}

/// `Err` is what ECS says of the agent, where it says something.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ManagedAgent.html>
fn connected(container: &Container) -> Result<(), Option<String>> {
    let is_of_exec = |name: Option<&ManagedAgentName>| name == Some(&ManagedAgentName::ExecuteCommandAgent);
    let agent = container.managed_agents().iter().find(|agent| is_of_exec(agent.name()));
    match agent {
        Some(agent) if agent.last_status() == Some("RUNNING") => Ok(()),
        Some(agent) => {
            let said = agent.reason().or(agent.last_status());
            Err(said.map(str::to_owned))
        }
        // ECS does not list agents for every sort of task; ExecuteCommand itself will tell.
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::ManagedAgent;

    use super::*;

    fn wanted(container: Option<&str>) -> ExecuteCommand {
        ExecuteCommand {
            cluster: "main".to_owned(),
            task: "0123".to_owned(),
            container: container.map(str::to_owned),
            command: vec!["env".to_owned()],
            terminal: (80, 24),
        }
    }

    fn container(name: &str, agent: &str) -> Container {
        let agent = ManagedAgent::builder()
            .name(ManagedAgentName::ExecuteCommandAgent)
            .last_status(agent);
        Container::builder().name(name).managed_agents(agent.build()).build()
    }

    fn task(status: &str, enabled: bool, containers: Vec<Container>) -> Task {
        let task = Task::builder()
            .last_status(status)
            .enable_execute_command(enabled)
            .set_containers(Some(containers));
        task.build()
    }

    #[track_caller]
    fn check_refused(task: Option<&Task>, name: Option<&str>, why: &str, hint: &str) {
        let error = check(task, &wanted(name)).unwrap_err();
        assert_eq!(error.to_string(), why);
        assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
    }

    #[test]
    fn what_is_missing_is_named() {
        let app = || vec![container("app", "RUNNING")];
        check_refused(None, None, "cluster main has no task 0123", "karma tasks");
        check_refused(
            Some(&task("PENDING", true, app())),
            None,
            "task 0123 does not run, it is PENDING",
            "karma tasks",
        );
        check_refused(
            Some(&task("RUNNING", false, app())),
            None,
            "task 0123 was started without execute command",
            "enable_execute_command = true",
        );
        check_refused(
            Some(&task("RUNNING", true, vec![container("app", "STOPPED")])),
            None,
            "the agent in task 0123 is not connected: STOPPED",
            "ssmmessages:CreateControlChannel",
        );
        let two = || vec![container("app", "RUNNING"), container("log", "RUNNING")];
        check_refused(
            Some(&task("RUNNING", true, two())),
            None,
            "task 0123 has several containers",
            "app, log",
        );
        check_refused(
            Some(&task("RUNNING", true, two())),
            Some("web"),
            "task 0123 has no container `web`",
            "app, log",
        );
    }

    #[test]
    fn the_only_container_is_meant_and_helpers_of_aws_do_not_count() {
        let containers = vec![
            container("ecs-service-connect-aB3", "RUNNING"),
            container("app", "RUNNING"),
        ];
        let running = task("RUNNING", true, containers);
        assert_eq!(check(Some(&running), &wanted(None)).unwrap(), "app");
        let silent = task("RUNNING", true, vec![Container::builder().name("app").build()]);
        assert_eq!(check(Some(&silent), &wanted(Some("app"))).unwrap(), "app");
    }
}
