//! [`Session`]: who asks AWS, where, and by which way.

use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};

use crate::connection::Network;
use crate::error::{AwsError, Call};
use crate::http_client::LentClient;
use crate::resolve::Resolve;

/// So often a call is made before its failure counts; between attempts it waits longer and longer, by chance.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const ATTEMPTS: u32 = 5;

/// How long a service may take to be connected to.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a service may take to begin its answer.
const READ: Duration = Duration::from_secs(30);

/// What a user says of it; what he does not say comes from where the AWS CLI takes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionOptions {
    /// The region; otherwise that of `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile.
    pub region: Option<String>,
    /// The region where none of these says, such as the one in the stack.
    pub default_region: Option<String>,
    /// The profile; otherwise that of `AWS_PROFILE`.
    pub profile: Option<String>,
    /// Hosts that are elsewhere.
    pub resolve: Vec<Resolve>,
}

/// Calls of AWS with one set of credentials, in one region. Cheap to clone.
///
/// Credentials come from the environment, the files in `~/.aws` (SSO, roles and `credential_process` too), a web identity such as OIDC's, or the
/// metadata of a container or a machine, in [this order](https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
/// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` lead to another server.
#[derive(Debug, Clone)]
pub struct Session {
    config: SdkConfig,
    network: Arc<Network>,
    region: String,
}

/// Whose the credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// `arn:aws:iam::123456789012:user/ann`
    pub arn: String,
}

impl Session {
    /// Settles where to ask and with what. No service is asked yet, and credentials are only looked for at the first call.
    pub async fn open(options: SessionOptions) -> Result<Self, AwsError> {
        let network = Arc::new(Network::of_machine(options.resolve.clone()));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .app_name(AppName::new("karma").expect("the name has only letters"))
            .http_client(LentClient::new(Arc::clone(&network)))
            .region(region(&options))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .read_timeout(READ)
                    .build(),
            );
        if let Some(profile) = options.profile {
            loader = loader.profile_name(profile);
        }
        Self::of(loader.load().await, network)
    }

    fn of(config: SdkConfig, network: Arc<Network>) -> Result<Self, AwsError> {
        let region = config.region().ok_or(AwsError::NoRegion)?.to_string();
        Ok(Self {
            config,
            network,
            region,
        })
    }

    /// `us-east-1`
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Asks whose the credentials are; everybody may ask that.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
    pub async fn identity(&self) -> Result<Identity, AwsError> {
        let call = Call::new("sts:GetCallerIdentity", "the credentials");
        let client = aws_sdk_sts::Client::new(self.config());
        let answer = client.get_caller_identity().send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        Ok(Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
        })
    }

    /// What the SDK's clients are made of.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The way to hosts that the SDK does not ask.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }
}

/// What is given, else what the environment says, else the profile, else the stack.
fn region(options: &SessionOptions) -> RegionProviderChain {
    let profile = ProfileFileRegionProvider::builder();
    let profile = match &options.profile {
        Some(name) => profile.profile_name(name),
        None => profile,
    };
    RegionProviderChain::first_try(options.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(options.default_region.clone().map(Region::new))
}

#[cfg(test)]
mod tests;
