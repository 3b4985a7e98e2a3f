//! A blob on its way to all repositories that lack it: sent to one, and taken from there by the others.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::plan::Delivery;
use super::progress::{BlobProgress, Reporter};
use crate::digest::Digest;
use crate::registry::upload::{Blob, Mounted, Session};
use crate::registry::{Registry, RegistryError};

/// How a blob came to be in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) repository: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Present,
    Mounted,
    Uploaded,
}

struct Carrier<'a> {
    registry: &'a Registry,
    blob: &'a Blob,
    reporter: &'a Reporter,
}

pub(super) async fn deliver(
    registry: &Registry,
    delivery: &Delivery,
    reporter: &Reporter,
) -> Result<Vec<Arrival>, RegistryError> {
    let carrier = Carrier {
        registry,
        blob: &delivery.blob,
        reporter,
    };
    let present = delivery
        .has
        .iter()
        .map(|repository| carrier.arrived(repository, How::Present, BlobProgress::Present));
    let mut arrivals: Vec<Arrival> = present.collect();
    let mut lacking = delivery.lacks.as_slice();
    if let ([], Some((first, rest))) = (delivery.has.as_slice(), lacking.split_first()) {
        arrivals.push(carrier.upload(first, None).await?);
        lacking = rest;
    }
    let source = delivery.has.iter().chain(&delivery.lacks).next();
    if let Some(source) = source {
        let taken = lacking.iter().map(|repository| carrier.mount(repository, source));
        arrivals.extend(try_join_all(taken).await?);
    }
    Ok(arrivals)
}

impl Carrier<'_> {
    async fn mount(&self, repository: &str, from: &str) -> Result<Arrival, RegistryError> {
        match self.registry.mount(repository, &self.blob.digest, from).await? {
            Mounted::Yes => {
                let from = from.to_owned();
                Ok(self.arrived(repository, How::Mounted, BlobProgress::Mounted { from }))
            }
            Mounted::Begin(session) => self.upload(repository, session).await,
        }
    }

    async fn upload(&self, repository: &str, begun: Option<Session>) -> Result<Arrival, RegistryError> {
        let watcher = {
            let (reporter, repository, blob) = (self.reporter.clone(), repository.to_owned(), self.blob.clone());
            Arc::new(move |sent| reporter.blob(&repository, &blob, BlobProgress::Sending { sent })) as _
        };
        self.registry.upload(repository, self.blob, begun, &watcher).await?;
        Ok(self.arrived(repository, How::Uploaded, BlobProgress::Uploaded))
    }

    fn arrived(&self, repository: &str, how: How, progress: BlobProgress) -> Arrival {
        self.reporter.blob(repository, self.blob, progress);
        Arrival {
            repository: repository.to_owned(),
            digest: self.blob.digest,
            size: self.blob.size,
            how,
        }
    }
}
