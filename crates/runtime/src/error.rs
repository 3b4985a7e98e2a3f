//! Why a fleet does not start. What can be done about it is [`StartError::hint`].

use std::io;
use std::path::PathBuf;

use crate::runner::EngineError;
use crate::state::StateError;

/// Why a fleet does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stack's definition does not hold together.
    #[error("{subject}: {reason}")]
    Definition {
        /// The address or the ECS name of what is wrong.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// An essential container's image stands for no program on this machine.
    #[error("no program is known for image {image} of container `{container}`")]
    NoProgram {
        /// The container's name.
        container: String,
        /// The image with its version.
        image: String,
        /// Its repository, which is the key in `karma.toml`.
        repository: String,
    },
    /// The program that stands for an image is not there.
    #[error("the program of container `{container}` is not there: {}", path.display())]
    ProgramMissing {
        /// The container's name.
        container: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A secret has no value here, and the caller wanted that to be an error.
    #[error("secret {secret} of container `{container}` has no value on this machine")]
    MissingSecret {
        /// The container's name.
        container: String,
        /// The secret's name, and its json key.
        secret: String,
    },
    /// Somebody else listens on the port of the load balancer.
    #[error("port {port} is in use{}", owner.as_deref().map(|owner| format!(" by {owner}")).unwrap_or_default())]
    PortInUse {
        /// The port.
        port: u16,
        /// The other program, where it can be told: `nginx (pid 812)`.
        owner: Option<String>,
    },
    /// A port cannot be listened on for another reason.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The same stack runs already.
    #[error("this stack is running already{}", pid.map(|pid| format!(", as process {pid}")).unwrap_or_default())]
    AlreadyRunning {
        /// The process, where it has written down who it is.
        pid: Option<u32>,
    },
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// No certificate can be made for the HTTPS listeners.
    #[error("cannot make a certificate for the HTTPS listeners")]
    Certificate(#[source] rcgen::Error),
    /// The certificate that is kept for the HTTPS listeners is of no use.
    #[error("the certificate in {} cannot be used", path.display())]
    Identity {
        /// Where it is kept.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: karma_balancer::InvalidIdentity,
    },
    /// No container engine can run the tasks.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The launcher cannot be started.
    #[error("cannot start {}", path.display())]
    Launcher {
        /// What was to be started.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl StartError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProgram { repository, .. } => Some(format!(
                "add to karma.toml beside the stack: [image.\"{repository}\"] with program = \"target/release/…\" and path = \"/usr/local/bin/…\""
            )),
            Self::ProgramMissing { .. } => Some("build it first, or give its image a `build` in karma.toml".to_owned()),
            Self::MissingSecret { .. } => {
                Some("write it into secrets.local.toml beside the stack, or set the variable".to_owned())
            }
            Self::PortInUse { .. } => Some("choose another port with --port".to_owned()),
            Self::AlreadyRunning { .. } => {
                Some("stop it with `karma down`, or look at it with `karma status`".to_owned())
            }
            Self::State(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Identity { path, .. } => Some(format!("remove {}: a new one is made then", path.display())),
            Self::Definition { .. } | Self::Listen { .. } | Self::Certificate(_) | Self::Launcher { .. } => None,
        }
    }
}
