//! Pushing: what the registry has is asked first, then each blob goes where it is missing, then the manifests, and last what is attached to
//! them. So a tag never points at what is not whole, and of images that are pushed together none is there before all of their blobs are.

mod deliver;
mod plan;
mod progress;
mod survey;
mod wanted;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::mpsc::unbounded_channel;

pub use progress::{BlobProgress, Outcome, Progress, Pushed};

use self::deliver::{Arrival, deliver};
use self::plan::plan;
use self::progress::Reporter;
use self::survey::{Seen, survey};
use self::wanted::{Attached, Wanted};
use super::manifests::ReferrersListedBy;
use super::{Registry, RegistryError};
use crate::digest::Digest;
use crate::layout::Layout;
use crate::reference::Reference;

/// Pushes an image of a layout, with what is attached to it, into a repository; under a tag, if the reference has one. Which registry the
/// reference names is not looked at.
pub async fn push(
    layout: &Layout,
    image: &Digest,
    to: &Reference,
    registry: &Registry,
    progress: impl FnMut(Progress),
) -> Result<Pushed, RegistryError> {
    let pushed = push_all(layout, &[(*image, to.clone())], registry, progress).await?;
    Ok(pushed.into_iter().next().expect("one image was pushed"))
}

/// Pushes images together: a blob that several of them have is sent once, and the other repositories take it from the first. The answers are in
/// the order of the images.
pub async fn push_all(
    layout: &Layout,
    images: &[(Digest, Reference)],
    registry: &Registry,
    mut progress: impl FnMut(Progress),
) -> Result<Vec<Pushed>, RegistryError> {
    let wanted = images.iter().map(|(image, to)| Wanted::read(layout, image, to));
    let wanted: Vec<Wanted> = wanted.collect::<Result<_, _>>()?;
    let (sender, mut events) = unbounded_channel();
    let work = run(registry, &wanted, Reporter::new(sender));
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            // What has happened is told before the end of it all.
            biased;
            Some(event) = events.recv() => progress(event),
            pushed = &mut work => {
                while let Ok(event) = events.try_recv() {
                    progress(event);
                }
                return pushed;
            }
        }
    }
}

async fn run(registry: &Registry, wanted: &[Wanted], reporter: Reporter) -> Result<Vec<Pushed>, RegistryError> {
    let seen = try_join_all(wanted.iter().map(|wanted| survey(registry, wanted))).await?;
    let deliveries = plan(wanted, &seen);
    reporter.planned(&deliveries);
    let arrivals = deliveries.iter().map(|delivery| deliver(registry, delivery, &reporter));
    let arrivals: Vec<Arrival> = try_join_all(arrivals).await?.into_iter().flatten().collect();
    let finished = wanted
        .iter()
        .zip(&seen)
        .map(|(wanted, seen)| finish(registry, wanted, seen));
    // One that is refused does not keep the others from being finished.
    let finished = join_all(finished).await;
    let pushed = wanted
        .iter()
        .zip(&seen)
        .zip(finished)
        .map(|((wanted, seen), finished)| {
            finished?;
            let pushed = Pushed::new(wanted, seen, &arrivals);
            reporter.image(&pushed);
            Ok(pushed)
        });
    pushed.collect()
}

/// The manifests, when all blobs are there; and whether the tag then points where it should.
async fn finish(registry: &Registry, wanted: &Wanted, seen: &Seen) -> Result<(), RegistryError> {
    let repository = wanted.repository.as_str();
    if !seen.has_image(wanted) {
        let tag = wanted.tag.as_deref();
        registry.put_manifest(repository, tag, &wanted.image.manifest).await?;
        read_back(registry, wanted).await?;
    }
    // One after the other: where clients keep the list, each of them changes it.
    for attached in &wanted.attached {
        if !seen.attached.contains(&attached.document.manifest.digest) {
            attach(registry, wanted, attached).await?;
        }
    }
    Ok(())
}

async fn attach(registry: &Registry, wanted: &Wanted, attached: &Attached) -> Result<(), RegistryError> {
    let repository = wanted.repository.as_str();
    match registry
        .put_manifest(repository, None, &attached.document.manifest)
        .await?
    {
        ReferrersListedBy::Registry => Ok(()),
        ReferrersListedBy::Clients => {
            let subject = &wanted.image.manifest.digest;
            registry.list_referrer(repository, subject, &attached.descriptor).await
        }
    }
}

async fn read_back(registry: &Registry, wanted: &Wanted) -> Result<(), RegistryError> {
    let expected = wanted.image.manifest.digest;
    let target = wanted.tag.clone().unwrap_or_else(|| expected.to_string());
    let found = registry.digest_of(&wanted.repository, &target).await?;
    if found == Some(expected) {
        return Ok(());
    }
    Err(registry.another(format!("{}:{target}", wanted.repository), expected, found))
}
