//! What ECS answers before there is a channel.

use aws_sdk_ecs::error::ErrorMetadata;
use aws_sdk_ecs::operation::describe_tasks::{DescribeTasksError, DescribeTasksOutput};
use aws_sdk_ecs::operation::execute_command::{ExecuteCommandError, ExecuteCommandOutput};
use aws_sdk_ecs::types::error::TargetNotConnectedException;
use aws_sdk_ecs::types::{Container, Session, Task};
use aws_smithy_mocks::{Rule, mock};

use super::super::{ExecError, ExecuteCommand, begin};
use crate::error::AwsError;
use crate::testing::answering;

fn wanted() -> ExecuteCommand {
    ExecuteCommand {
        cluster: "main".to_owned(),
        task: "0123".to_owned(),
        container: None,
        command: vec!["sh".to_owned(), "-c".to_owned(), "echo $HOME".to_owned()],
        terminal: (80, 24),
    }
}

fn running() -> Rule {
    mock!(aws_sdk_ecs::Client::describe_tasks)
        .match_requests(|asked| asked.cluster() == Some("main") && asked.tasks() == ["0123"])
        .then_output(|| {
            let task = Task::builder()
                .last_status("RUNNING")
                .enable_execute_command(true)
                .containers(Container::builder().name("app").build());
            DescribeTasksOutput::builder().tasks(task.build()).build()
        })
}

async fn begun(rules: &[&Rule]) -> Result<(String, String), ExecError> {
    let client = answering!(aws_sdk_ecs, rules.iter().copied());
    let channel = begin(&client, &wanted()).await?;
    Ok((channel.address, channel.token))
}

#[tokio::test]
async fn the_only_container_is_asked_for_with_the_command_in_one_line() {
    let execute = mock!(aws_sdk_ecs::Client::execute_command)
        .match_requests(|asked| {
            let command = asked.command() == Some("sh -c 'echo $HOME'");
            asked.container() == Some("app") && command && asked.interactive() == Some(true)
        })
        .then_output(|| {
            let session = Session::builder().stream_url("wss://s").token_value("t").build();
            ExecuteCommandOutput::builder().session(session).build()
        });
    let (address, token) = begun(&[&running(), &execute]).await.unwrap();
    assert_eq!((address.as_str(), token.as_str()), ("wss://s", "t"));
}

#[tokio::test]
async fn an_agent_that_is_not_connected_is_named() {
    let execute = mock!(aws_sdk_ecs::Client::execute_command).then_error(|| {
        ExecuteCommandError::TargetNotConnectedException(TargetNotConnectedException::builder().build())
    });
    let error = begun(&[&running(), &execute]).await.unwrap_err();
    assert_eq!(error.to_string(), "the agent in task 0123 is not connected");
}

#[tokio::test]
async fn who_may_not_do_it_hears_what_and_on_what() {
    let execute = mock!(aws_sdk_ecs::Client::execute_command).then_error(|| {
        let said = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ecs:ExecuteCommand on resource: \
                    arn:aws:ecs:us-east-1:123456789012:task/main/0123 because no identity-based policy allows it";
        let metadata = ErrorMetadata::builder().code("AccessDeniedException").message(said);
        ExecuteCommandError::generic(metadata.build())
    });
    let error = begun(&[&running(), &execute]).await.unwrap_err();
    let ExecError::Aws(AwsError::NotPermitted { action, on, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(action, "ecs:ExecuteCommand");
    assert_eq!(on, "arn:aws:ecs:us-east-1:123456789012:task/main/0123");
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_named() {
    let describe = mock!(aws_sdk_ecs::Client::describe_tasks).then_error(|| {
        let metadata = ErrorMetadata::builder()
            .code("ClusterNotFoundException")
            .message("Cluster not found.");
        DescribeTasksError::generic(metadata.build())
    });
    let error = begun(&[&describe]).await.unwrap_err();
    assert!(matches!(error, ExecError::Aws(AwsError::NotFound { .. })), "{error}");
}

#[tokio::test]
async fn a_task_that_is_gone_is_named() {
    let describe = mock!(aws_sdk_ecs::Client::describe_tasks).then_output(|| DescribeTasksOutput::builder().build());
    let error = begun(&[&describe]).await.unwrap_err();
    assert_eq!(error.to_string(), "cluster main has no task 0123");
}
