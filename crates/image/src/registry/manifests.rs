//! Manifests: whether they are there, what they are, and how they get there.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, StatusCode};
use oci_spec::image::{Descriptor, ImageIndex, ImageIndexBuilder, MediaType, SCHEMA_VERSION};

use super::Registry;
use super::call::{Answer, Call};
use super::error::RegistryError;
use crate::digest::Digest;
use crate::json;
use crate::reference::{InvalidReference, Reference};

/// The kinds of manifest that a tag may point at.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A registry that keeps the list of what is attached to an image says so.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// A manifest as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Of its bytes.
    pub digest: Digest,
    /// What kind it is.
    pub media_type: String,
    /// The very bytes.
    pub bytes: Bytes,
}

/// Who keeps the list of what is attached to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReferrersListedBy {
    /// The registry, from what the manifests say.
    Registry,
    /// Whoever pushes, under a tag: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>.
    Clients,
}

impl Registry {
    /// Whether there is an image of this tag or digest. Which registry the reference names is not looked at.
    pub async fn manifest_exists(&self, image: &Reference) -> Result<bool, RegistryError> {
        Ok(self.manifest_digest(image).await?.is_some())
    }

    /// What a tag points at, or whether there is such a digest.
    pub async fn manifest_digest(&self, image: &Reference) -> Result<Option<Digest>, RegistryError> {
        self.digest_of(image.repository(), &target(image)?).await
    }

    /// A manifest by its tag or digest; `None` where there is none.
    pub async fn pull_manifest(&self, image: &Reference) -> Result<Option<Manifest>, RegistryError> {
        let manifest = self.get_manifest(image.repository(), &target(image)?).await?;
        let (Some(expected), Some(found)) = (image.digest(), &manifest) else {
            return Ok(manifest);
        };
        if *expected == found.digest {
            return Ok(manifest);
        }
        Err(self.another(format!("the manifest of {image}"), *expected, Some(found.digest)))
    }

    pub(super) async fn digest_of(&self, repository: &str, target: &str) -> Result<Option<Digest>, RegistryError> {
        let call = self.manifest_call(Method::HEAD, repository, target);
        let answer = self.ask(&call).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(self.refused(&call, &answer)),
        }
        match answer.digest() {
            Some(digest) => Ok(Some(digest)),
            // It need not say it.
            None => Ok(self
                .get_manifest(repository, target)
                .await?
                .map(|manifest| manifest.digest)),
        }
    }

    async fn get_manifest(&self, repository: &str, target: &str) -> Result<Option<Manifest>, RegistryError> {
        let call = self.manifest_call(Method::GET, repository, target);
        let answer = self.ask(&call).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(Manifest {
                digest: Digest::of(answer.body()),
                media_type: answer.header(&CONTENT_TYPE).unwrap_or_default().to_owned(),
                bytes: answer.body().clone(),
            })),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(&call, &answer)),
        }
    }

    fn manifest_call(&self, method: Method, repository: &str, target: &str) -> Call {
        let address = self.address(repository, &format!("manifests/{target}"));
        Call::new(
            method,
            address,
            pull(repository),
            format!("asking for {repository}:{target}"),
        )
        .accept(MANIFESTS)
    }

    /// Stores a manifest under a tag or its digest. All that it names has to be there already. Says who lists it with its subject.
    pub(super) async fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> Result<ReferrersListedBy, RegistryError> {
        let target = tag.map_or_else(|| manifest.digest.to_string(), str::to_owned);
        let address = self.address(repository, &format!("manifests/{target}"));
        let call = Call::new(
            Method::PUT,
            address,
            push(repository),
            format!("storing {repository}:{target}"),
        );
        let call = call.body(&manifest.media_type, manifest.bytes.clone());
        let answer = self.ask(&call).await?;
        if !answer.status().is_success() {
            return self.not_stored(repository, tag, manifest, &answer).await;
        }
        match answer.digest() {
            Some(found) if found != manifest.digest => {
                Err(self.another(format!("the manifest of {repository}"), manifest.digest, Some(found)))
            }
            _ if answer.header(&OCI_SUBJECT).is_some() => Ok(ReferrersListedBy::Registry),
            _ => Ok(ReferrersListedBy::Clients),
        }
    }

    /// Why it was not stored. A tag that cannot be moved need not be, if it points there already.
    async fn not_stored(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &Manifest,
        answer: &Answer,
    ) -> Result<ReferrersListedBy, RegistryError> {
        if answer.has_code("NAME_UNKNOWN") {
            return Err(self.no_repository(repository));
        }
        let reference = Reference::new(self.host(), repository)?;
        let Some(tag) = tag.filter(|_| is_immutable(answer)) else {
            return Err(RegistryError::ManifestRefused {
                registry: self.host().to_owned(),
                reference: reference.with_digest(manifest.digest).to_string(),
                status: answer.status(),
                message: answer.message(),
            });
        };
        let existing = self.digest_of(repository, tag).await?;
        if existing == Some(manifest.digest) {
            return Ok(ReferrersListedBy::Clients);
        }
        let reference = reference.with_tag(tag)?.to_string();
        Err(RegistryError::TagImmutable { reference, existing })
    }

    /// What is attached to an image, and who keeps that list.
    pub(super) async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
    ) -> Result<(Vec<Descriptor>, ReferrersListedBy), RegistryError> {
        let address = self.address(repository, &format!("referrers/{subject}"));
        let call = Call::new(
            Method::GET,
            address,
            pull(repository),
            format!("listing what is attached to {subject}"),
        );
        let answer = self.ask(&call.accept(MediaType::ImageIndex.as_ref())).await?;
        let listed = serde_json::from_slice::<ImageIndex>(answer.body()).ok();
        match listed.filter(|_| answer.status() == StatusCode::OK) {
            Some(index) => Ok((index.manifests().clone(), ReferrersListedBy::Registry)),
            None => Ok((
                self.tagged_referrers(repository, subject).await?,
                ReferrersListedBy::Clients,
            )),
        }
    }

    async fn tagged_referrers(&self, repository: &str, subject: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        let tag = referrers_tag(subject);
        let Some(manifest) = self.get_manifest(repository, &tag).await? else {
            return Ok(Vec::new());
        };
        match serde_json::from_slice::<ImageIndex>(&manifest.bytes) {
            Ok(index) => Ok(index.manifests().clone()),
            Err(_) => Err(self.not_a_registry(format!(
                "{repository}:{tag} is not the list of what is attached to an image"
            ))),
        }
    }

    /// Puts what is attached to an image on the list that clients keep.
    pub(super) async fn list_referrer(
        &self,
        repository: &str,
        subject: &Digest,
        referrer: &Descriptor,
    ) -> Result<(), RegistryError> {
        let mut listed = self.tagged_referrers(repository, subject).await?;
        if listed.iter().any(|known| known.digest() == referrer.digest()) {
            return Ok(());
        }
        listed.push(referrer.clone());
        let index = ImageIndexBuilder::default()
            .schema_version(SCHEMA_VERSION)
            .media_type(MediaType::ImageIndex)
            .manifests(listed)
            .build()
            .expect("all that an index needs is given");
        let bytes = Bytes::from(json::bytes(&index));
        let manifest = Manifest {
            digest: Digest::of(&bytes),
            media_type: MediaType::ImageIndex.to_string(),
            bytes,
        };
        self.put_manifest(repository, Some(&referrers_tag(subject)), &manifest)
            .await?;
        Ok(())
    }

    pub(super) fn no_repository(&self, repository: &str) -> RegistryError {
        RegistryError::NoRepository {
            registry: self.host().to_owned(),
            repository: repository.to_owned(),
        }
    }

    pub(super) fn another(&self, what: String, expected: Digest, found: Option<Digest>) -> RegistryError {
        RegistryError::DigestMismatch {
            registry: self.host().to_owned(),
            what,
            expected,
            found,
        }
    }
}

/// What is asked for where only reading is wanted.
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// What is asked for to write.
pub(super) fn push(repository: &str) -> String {
    format!("repository:{repository}:pull,push")
}

fn target(image: &Reference) -> Result<String, InvalidReference> {
    match (image.digest(), image.tag()) {
        (Some(digest), _) => Ok(digest.to_string()),
        (None, Some(tag)) => Ok(tag.to_owned()),
        (None, None) => Err(InvalidReference::PointsAtNothing(image.to_string())),
    }
}

fn referrers_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// ECR answers 400 `TAG_INVALID` and says in words that the tag is immutable; others say no more than the words.
fn is_immutable(answer: &Answer) -> bool {
    let words = answer.message().unwrap_or_default().to_ascii_lowercase();
    answer.status() == StatusCode::CONFLICT || words.contains("immutable")
}
