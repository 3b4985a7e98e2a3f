//! Running a command in a container of a task on ECS, without AWS's Session Manager plug-in.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html>
//!
//! ```text
//! DescribeTasks ──▶ preflight ──▶ ExecuteCommand ──▶ socket ──▶ conversation
//!                   what lacks?   address, token     WebSocket     │ frames
//!                                                               channel ◀─▶ message, payload
//! ```
//!
//! The agent in the task and this end speak the data channel of Session Manager: [`channel`] is all of the protocol and does no I/O.

mod channel;
mod conversation;
mod error;
mod message;
mod payload;
mod preflight;
mod round_trip;
mod socket;
mod words;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::operation::execute_command::ExecuteCommandError;

use crate::error::{AwsError, Call};
use crate::session::Session;

pub use conversation::{Conversation, Printed, Typed};
pub use error::ExecError;
pub use words::command_line;

/// What is to be run, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteCommand {
    /// The cluster's name.
    pub cluster: String,
    /// The task's id.
    pub task: String,
    /// In which container of it; `None` where it has only one.
    pub container: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How large the user's terminal is: columns and rows.
    pub terminal: (u16, u16),
}

/// Where the agent's end of the channel is. It has no `Debug`, because of the token.
struct DataChannel {
    address: String,
    token: String,
}

impl Session {
    /// Runs a command in a task. What is missing for it is named before anything is begun.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html>
    pub async fn execute_command(&self, wanted: &ExecuteCommand) -> Result<Conversation, ExecError> {
        let client = Client::new(self.config());
        let data_channel = begin(&client, wanted).await?;
        let socket = socket::connect(self.network(), &data_channel.address).await?;
        Ok(Conversation::begin(socket, &data_channel.token, wanted.terminal))
    }
}

async fn begin(client: &Client, wanted: &ExecuteCommand) -> Result<DataChannel, ExecError> {
    let container = preflight::check(describe(client, wanted).await?.as_ref(), wanted)?;
    let on = format!("task {}/{}", wanted.cluster, wanted.task);
    let begun = client
        .execute_command()
        .cluster(&wanted.cluster)
        .task(&wanted.task)
        .container(container)
        .command(command_line(&wanted.command))
        // There is no other way: AWS begins no session that is not interactive.
        .interactive(true)
        .send()
        .await
        .map_err(|error| {
            let is_unconnected = error
                .as_service_error()
                .is_some_and(ExecuteCommandError::is_target_not_connected_exception);
            if is_unconnected {
                ExecError::NotConnected {
                    task: wanted.task.clone(),
                    reason: None,
                }
            } else {
                Call::new("ecs:ExecuteCommand", &on).failed(error).into()
            }
        })?;
    let session = begun
        .session
        .unwrap_or_else(|| aws_sdk_ecs::types::Session::builder().build());
    match (session.stream_url, session.token_value) {
        (Some(address), Some(token)) => Ok(DataChannel { address, token }),
        _ => Err(ExecError::NoChannel),
    }
}

/// The task as ECS sees it; `None` where ECS does not, or no longer.
async fn describe(client: &Client, wanted: &ExecuteCommand) -> Result<Option<aws_sdk_ecs::types::Task>, AwsError> {
    let on = format!("task {}/{}", wanted.cluster, wanted.task);
    let described = client
        .describe_tasks()
        .cluster(&wanted.cluster)
        .tasks(&wanted.task)
        .send()
        .await
        .map_err(|error| Call::new("ecs:DescribeTasks", &on).failed(error))?;
    Ok(described.tasks.unwrap_or_default().into_iter().next())
}

#[cfg(test)]
mod tests;
