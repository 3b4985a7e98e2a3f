//! ECR: the account's registry, its repositories and what lies in them. Images themselves go there over the registry's own protocol.
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{
    ImageDetail, ImageFailure, ImageFailureCode, ImageIdentifier, ImageScanningConfiguration, ImageTagMutability,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::error::{AwsError, Call};
use crate::password::Password;
use crate::session::Session;
use crate::times::timestamp;

/// So many images ECR deletes at once.
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html>
const DELETED_AT_ONCE: usize = 100;

/// What the registry lets one in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    /// `123456789012.dkr.ecr.us-east-1.amazonaws.com`, with a port where it has one.
    pub registry_host: String,
    /// `AWS`
    pub username: String,
    /// Good for twelve hours.
    pub password: Password,
    /// Until then.
    pub expires_at: Option<Timestamp>,
}

/// A repository as it is on AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `123456789012.dkr.ecr.us-east-1.amazonaws.com/karmacadabra/validator`
    pub uri: String,
    /// Whether a tag can be given to another image.
    pub tags: TagMutability,
    /// Whether what is pushed is scanned.
    pub scans_on_push: bool,
}

/// Whether a tag can be given to another image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagMutability {
    /// Any tag, or all but some.
    Mutable,
    /// No tag, or none but some.
    Immutable,
}

/// An image in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…`
    pub digest: String,
    /// Its tags; an image can have none.
    pub tags: BTreeSet<String>,
    /// Compressed, in bytes.
    pub size: u64,
    /// When it came there.
    pub pushed_at: Option<Timestamp>,
    /// The image that this one is about, where it is an SBOM, a provenance or a signature.
    pub subject: Option<String>,
}

impl Session {
    /// Asks for a login to the account's registry in the session's region.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>
    pub async fn registry_login(&self) -> Result<RegistryLogin, AwsError> {
        login(&self.ecr()).await
    }

    /// These repositories; a name that the registry does not have is absent.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html>
    pub async fn repositories(&self, names: &[String]) -> Result<BTreeMap<String, Repository>, AwsError> {
        repositories(&self.ecr(), names).await
    }

    /// What lies in a repository, the newest first; SBOMs and the like are there too.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html>
    pub async fn images(&self, repository: &str) -> Result<Vec<Image>, AwsError> {
        images(&self.ecr(), repository).await
    }

    /// Deletes images by their digests. One that is not there any more is as good as deleted.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html>
    pub async fn delete_images(&self, repository: &str, digests: &[String]) -> Result<(), AwsError> {
        delete_images(&self.ecr(), repository, digests).await
    }

    fn ecr(&self) -> Client {
        Client::new(self.config())
    }
}

async fn login(client: &Client) -> Result<RegistryLogin, AwsError> {
    let call = Call::new("ecr:GetAuthorizationToken", "the registry");
    let answer = client.get_authorization_token().send().await;
    let answer = answer.map_err(|error| call.failed(error))?;
    let data = answer.authorization_data.unwrap_or_default().into_iter().next();
    let login = data.and_then(|data| {
        let (username, password) = name_and_password(data.authorization_token()?)?;
        Some(RegistryLogin {
            registry_host: host(data.proxy_endpoint()?).to_owned(),
            username,
            password,
            expires_at: data.expires_at().and_then(timestamp),
        })
    });
    login.ok_or_else(|| AwsError::Unreachable {
        action: call.action.to_owned(),
        source: "the answer holds no login".into(),
    })
}

/// What stands before and behind the colon in `AWS:…`, as base64.
fn name_and_password(token: &str) -> Option<(String, Password)> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let whole = Password::from(text);
    let (name, password) = whole.reveal().split_once(':')?;
    Some((name.to_owned(), Password::from(password.to_owned())))
}

/// Of `https://123456789012.dkr.ecr.us-east-1.amazonaws.com`.
fn host(endpoint: &str) -> &str {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    host.trim_end_matches('/')
}

/// One by one: of several, ECR answers none where one is missing.
async fn repositories(client: &Client, names: &[String]) -> Result<BTreeMap<String, Repository>, AwsError> {
    let mut found = BTreeMap::new();
    for name in names {
        let answer = client.describe_repositories().repository_names(name).send().await;
        let on = format!("repository {name}");
        match answer.map_err(|error| Call::new("ecr:DescribeRepositories", &on).failed(error)) {
            Ok(answer) => found.extend(answer.repositories().iter().filter_map(repository)),
            Err(AwsError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn repository(described: &aws_sdk_ecr::types::Repository) -> Option<(String, Repository)> {
    use ImageTagMutability::{Immutable, ImmutableWithExclusion};
    let scanning = described.image_scanning_configuration();
    let repository = Repository {
        uri: described.repository_uri()?.to_owned(),
        tags: match described.image_tag_mutability() {
            Some(Immutable | ImmutableWithExclusion) => TagMutability::Immutable,
            _ => TagMutability::Mutable,
        },
        scans_on_push: scanning.is_some_and(ImageScanningConfiguration::scan_on_push),
    };
    Some((described.repository_name()?.to_owned(), repository))
}

async fn images(client: &Client, repository: &str) -> Result<Vec<Image>, AwsError> {
    let on = format!("repository {repository}");
    let mut details = client
        .describe_images()
        .repository_name(repository)
        .into_paginator()
        .items()
        .send();
    let mut images = Vec::new();
    while let Some(detail) = details.next().await {
        let detail = detail.map_err(|error| Call::new("ecr:DescribeImages", &on).failed(error))?;
        images.extend(image(&detail));
    }
    images.sort_by_key(|image: &Image| std::cmp::Reverse(image.pushed_at));
    Ok(images)
}

fn image(detail: &ImageDetail) -> Option<Image> {
    Some(Image {
        digest: detail.image_digest()?.to_owned(),
        tags: detail.image_tags().iter().cloned().collect(),
        size: detail
            .image_size_in_bytes()
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or_default(),
        pushed_at: detail.image_pushed_at().and_then(timestamp),
        subject: detail.subject_manifest_digest().map(str::to_owned),
    })
}

/// An index cannot go before what it lists is on its way too; ECR then says so, and takes it in the next round.
async fn delete_images(client: &Client, repository: &str, digests: &[String]) -> Result<(), AwsError> {
    let mut left: Vec<String> = digests.to_vec();
    loop {
        let mut failures = Vec::new();
        for batch in left.chunks(DELETED_AT_ONCE) {
            failures.extend(delete_batch(client, repository, batch).await?);
        }
        let Some(first) = failures.first() else { return Ok(()) };
        let still: Vec<String> = failures.iter().filter_map(referenced).collect();
        if still.len() < failures.len() || still.len() >= left.len() {
            return Err(refused(repository, first));
        }
        left = still;
    }
}

/// What was not deleted although it is there.
async fn delete_batch(client: &Client, repository: &str, batch: &[String]) -> Result<Vec<ImageFailure>, AwsError> {
    let on = format!("repository {repository}");
    let ids = batch
        .iter()
        .map(|digest| ImageIdentifier::builder().image_digest(digest).build());
    let answer = client
        .batch_delete_image()
        .repository_name(repository)
        .set_image_ids(Some(ids.collect()))
        .send()
        .await
        .map_err(|error| Call::new("ecr:BatchDeleteImage", &on).failed(error))?;
    let mut failures = answer.failures.unwrap_or_default();
    failures.retain(|failure| failure.failure_code() != Some(&ImageFailureCode::ImageNotFound));
    Ok(failures)
}

/// The digest of an image that another one still needs.
fn referenced(failure: &ImageFailure) -> Option<String> {
    let is_needed = failure.failure_code() == Some(&ImageFailureCode::ImageReferencedByManifestList);
    let digest = failure.image_id()?.image_digest()?;
    is_needed.then(|| digest.to_owned())
}

fn refused(repository: &str, failure: &ImageFailure) -> AwsError {
    let code = failure.failure_code().map_or("ImageFailure", ImageFailureCode::as_str);
    let image = failure
        .image_id()
        .and_then(ImageIdentifier::image_digest)
        .unwrap_or_default();
    let reason = failure.failure_reason().unwrap_or("no reason is given");
    AwsError::Refused {
        action: "ecr:BatchDeleteImage".to_owned(),
        code: code.to_owned(),
        message: format!("{repository}@{image}: {reason}"),
    }
}

#[cfg(test)]
mod tests;
