//! From the layout beside the stack to a registry.

use std::collections::BTreeMap;

use karma_aws::{Resolve, Session};
use karma_image::{
    Credentials, Digest, Layout, Password, Pushed, Reference, Registry, RegistryError, RegistryOptions, Resolution,
    Scheme, push_all,
};

use super::bars::{Bars, short};
use super::destination::Destination;
use super::{choose, layout, layout_failure};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::StackDirectory;

/// A registry that can be pushed to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) destination: Destination,
    pub(crate) registry: Registry,
}

impl Target {
    /// The account's own registry on AWS, with a login of the session.
    pub(crate) async fn ecr(session: &Session, resolve: &[Resolve]) -> Result<Self, Failure> {
        let login = session.registry_login().await?;
        let destination = Destination {
            scheme: Scheme::of(&login.registry_host),
            host: login.registry_host,
            prefix: None,
        };
        let credentials = Credentials::Basic {
            username: login.username,
            password: Password::new(login.password.reveal()),
        };
        Self::new(destination, credentials, resolve)
    }

    /// The same registry, with something in front of the repositories' names.
    pub(crate) fn with_prefix(mut self, prefix: Option<String>) -> Self {
        self.destination.prefix = prefix;
        self
    }

    /// Any registry.
    pub(crate) fn new(
        destination: Destination,
        credentials: Credentials,
        resolve: &[Resolve],
    ) -> Result<Self, Failure> {
        let options = RegistryOptions {
            scheme: destination.scheme,
            credentials,
            resolve: resolve.iter().map(resolution).collect(),
            ..RegistryOptions::new(&destination.host)
        };
        let registry = Registry::new(options).map_err(|error| failure(&error))?;
        Ok(Self { destination, registry })
    }
}

/// Pushes the images that were built, those of these names or all where none is named, together: no tag moves before all of their blobs have arrived. Without a tag each has
/// the first twelve digits of its digest as one, so that even an immutable repository takes every image, and the same one again.
pub(crate) async fn push(
    directory: &StackDirectory,
    named: &[String],
    target: &Target,
    tag: Option<&str>,
    printer: Printer,
) -> Result<BTreeMap<String, Pushed>, Failure> {
    let layout = Layout::open(&layout(directory)).map_err(layout_failure)?;
    let images = built(&layout, named)?;
    let mut wanted = Vec::new();
    for (repository, digest) in &images {
        wanted.push((*digest, reference(target, repository, digest, tag)?));
    }
    let mut bars = Bars::new(printer);
    let pushed = push_all(&layout, &wanted, &target.registry, |event| bars.show(&event)).await;
    drop(bars);
    let pushed = pushed.map_err(|error| failure(&error))?;
    Ok(images.into_keys().zip(pushed).collect())
}

/// What was built, of the images with these names.
fn built(layout: &Layout, named: &[String]) -> Result<BTreeMap<String, Digest>, Failure> {
    let images = layout.images();
    let mut built = BTreeMap::new();
    for name in choose(images.keys(), named)? {
        let digest = Digest::try_from(images[&name].digest()).map_err(|error| Failure::from_error(&error))?;
        built.insert(name, digest);
    }
    Ok(built)
}

fn reference(target: &Target, repository: &str, digest: &Digest, tag: Option<&str>) -> Result<Reference, Failure> {
    let tag = tag.map_or_else(|| short(digest), str::to_owned);
    let reference = target
        .destination
        .reference(repository)
        .and_then(|reference| reference.with_tag(&tag));
    reference.map_err(|error| Failure::from_error(&error))
}

fn resolution(resolve: &Resolve) -> Resolution {
    Resolution {
        host: resolve.host.clone(),
        port: resolve.port,
        to: resolve.to,
    }
}

fn failure(error: &RegistryError) -> Failure {
    Failure::from_error(error).hints(error.hint())
}
