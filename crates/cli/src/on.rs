//! `--on local|aws`, and how AWS is asked: the same flags for every command that asks it.

use clap::{Args, ValueEnum};
use karma_aws::{AwsError, Resolve, Session, SessionOptions};

use crate::failure::Failure;
use crate::printer::Printer;
use crate::variables::VariableArguments;

/// Which fleet of the stack is meant: the one here, or the one on AWS.
#[derive(Debug, Args)]
pub(crate) struct OnArguments {
    /// Where the fleet runs that is meant
    #[arg(long, env = "KARMA_ON", value_enum, default_value_t = Place::Local, value_name = "PLACE", help_heading = "Place")]
    pub(crate) on: Place,

    #[command(flatten)]
    pub(crate) aws: AwsArguments,

    #[command(flatten)]
    pub(crate) variables: VariableArguments,
}

/// Where a fleet runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// On this machine: the `karma up` of the stack
    Local,
    /// On ECS: what Terraform has made of the stack
    Aws,
}

/// With what and by which way AWS is asked. Everything else is as the AWS CLI has it: credentials, `~/.aws`, `AWS_ENDPOINT_URL`.
#[derive(Debug, Args)]
pub(crate) struct AwsArguments {
    /// The AWS region [default: that of `AWS_REGION`, of the profile, or of the stack]
    #[arg(long, value_name = "REGION", help_heading = "AWS")]
    pub(crate) region: Option<String>,

    /// The profile in ~/.aws whose credentials and region count [default: `AWS_PROFILE`]
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(crate) profile: Option<String>,

    /// Connect elsewhere for this host and port, under the same name, as `curl --resolve` does; repeatable
    #[arg(
        long,
        env = "KARMA_RESOLVE",
        value_name = "HOST:PORT:ADDRESS:PORT",
        value_delimiter = ',',
        help_heading = "AWS"
    )]
    pub(crate) resolve: Vec<Resolve>,
}

impl AwsArguments {
    /// Says which hosts are taken to be elsewhere.
    pub(crate) fn tell_resolve(&self, printer: Printer) {
        for resolve in &self.resolve {
            printer.talk(&format!(
                "note: {}:{} is taken to be at {}",
                resolve.host, resolve.port, resolve.to
            ));
        }
    }

    /// Settles whom to ask; nobody is asked yet. The stack's region counts where nothing else says one.
    pub(crate) async fn session(&self, region_of_stack: Option<String>, printer: Printer) -> Result<Session, Failure> {
        self.tell_resolve(printer);
        let options = SessionOptions {
            region: self.region.clone(),
            default_region: region_of_stack,
            profile: self.profile.clone(),
            resolve: self.resolve.clone(),
        };
        Ok(Session::open(options).await?)
    }
}

impl AwsArguments {
    /// What another program has to be told to ask the same account. The region is the stack's own matter there.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.profile
            .iter()
            .map(|profile| ("AWS_PROFILE", profile.clone()))
            .collect()
    }
}

/// What AWS refuses, or cannot be asked: exit code 2.
impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::from_error(&error).hints(error.hint())
    }
}
