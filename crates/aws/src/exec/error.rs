//! [`ExecError`].

use crate::error::{AwsError, ConnectError};

/// Why a command is not run, or why one hears no more of it.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec-troubleshooting.html>
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// AWS says no.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// ECS knows no such task, or no longer.
    #[error("cluster {cluster} has no task {task}")]
    NoSuchTask {
        /// The cluster's name.
        cluster: String,
        /// The task's id.
        task: String,
    },
    /// It does not run yet, or no longer.
    #[error("task {task} does not run, it is {status}")]
    NotRunning {
        /// The task's id.
        task: String,
        /// `PENDING`
        status: String,
    },
    /// Nothing can be run in it, because it was started without the agent.
    #[error("task {task} was started without execute command")]
    NotEnabled {
        /// The task's id.
        task: String,
    },
    /// The agent in it is not there.
    #[error("the agent in task {task} is not connected{}", .reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NotConnected {
        /// The task's id.
        task: String,
        /// What ECS says of it.
        reason: Option<String>,
    },
    /// It has several.
    #[error("task {task} has several containers")]
    WhichContainer {
        /// The task's id.
        task: String,
        /// Their names.
        containers: Vec<String>,
    },
    /// It has none of this name.
    #[error("task {task} has no container `{container}`")]
    NoSuchContainer {
        /// The task's id.
        task: String,
        /// The name.
        container: String,
        /// The names that there are.
        containers: Vec<String>,
    },
    /// ECS has begun a session and does not say where.
    #[error("ecs:ExecuteCommand has answered without a channel")]
    NoChannel,
    /// The channel's other end is not reached.
    #[error("cannot open the channel to the task")]
    Connect(#[from] ConnectError),
    /// The channel's other end does not take us.
    #[error("the channel to the task was refused: {0}")]
    Socket(String),
    /// The cluster encrypts sessions with a key of its own, besides TLS.
    #[error("the cluster wants sessions encrypted with a KMS key")]
    Encryption,
    /// The agent wants something that is not known here.
    #[error("the session was not entered: {0}")]
    Handshake(String),
    /// The session's service has ended it before the command ran.
    #[error("the session was closed: {0}")]
    Closed(String),
    /// The connection has gone.
    #[error("the channel to the task broke")]
    Broke,
}

impl ExecError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => error.hint(),
            Self::NoSuchTask { .. } | Self::NotRunning { .. } => {
                Some("`karma tasks --on aws` lists the tasks that run".to_owned())
            }
            Self::NotEnabled { .. } => Some(
                "set `enable_execute_command = true` in its aws_ecs_service and deploy; tasks from before stay without".to_owned(),
            ),
            Self::NotConnected { .. } => Some(
                "its task role must allow ssmmessages:CreateControlChannel, CreateDataChannel, OpenControlChannel and OpenDataChannel, and the \
                 task must reach ssmmessages: over NAT, a public address or an endpoint"
                    .to_owned(),
            ),
            Self::WhichContainer { containers, .. } | Self::NoSuchContainer { containers, .. } => {
                Some(format!("choose one with --container: {}", containers.join(", ")))
            }
            Self::Encryption => {
                Some("`aws ecs execute-command` with AWS's plug-in can, or take kms_key_id out of the cluster's configuration".to_owned())
            }
            Self::Connect(_) => Some("this machine must reach ssmmessages.REGION.amazonaws.com on port 443".to_owned()),
            Self::Broke => Some("the command may still run: karma exec again, or `karma restart` the service".to_owned()),
            Self::NoChannel | Self::Socket(_) | Self::Handshake(_) | Self::Closed(_) => None,
        }
    }
}
