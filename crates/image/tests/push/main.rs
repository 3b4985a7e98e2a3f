//! Pushing to a registry that does what registries do, the unpleasant things included. Real HTTP, within this machine.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod images;
mod logins;
mod server;
mod tags;
mod uploads;

use std::time::Duration;

use karma_image::{
    BlobProgress, Digest, Layout, Outcome, Patience, Progress, Pushed, Reference, Registry, RegistryError,
    RegistryOptions, push_all,
};

use crate::images::{Images, noise};
use crate::server::{Server, Ways};

/// A registry's answer is waited for a moment only, and asked for five times.
fn options(server: &Server) -> RegistryOptions {
    RegistryOptions {
        patience: Patience {
            attempts: 5,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(20),
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(20),
        },
        chunk: 1000,
        ..RegistryOptions::new(&server.host())
    }
}

fn registry(server: &Server) -> Registry {
    Registry::new(options(server)).unwrap()
}

fn to(repository: &str, tag: &str) -> Reference {
    Reference::new("r.example", repository).unwrap().with_tag(tag).unwrap()
}

async fn push_one(
    layout: &Layout,
    image: Digest,
    repository: &str,
    registry: &Registry,
) -> Result<Pushed, RegistryError> {
    let images = [(image, to(repository, "1"))];
    Ok(push_all(layout, &images, registry, |_| {}).await?.remove(0))
}

/// An image with one layer of this size.
fn one(size: usize) -> (Images, Digest) {
    let mut images = Images::new();
    let image = images.image("a", &[&noise(size, 1)]);
    (images, image)
}

fn count(log: &[String], beginning: &str) -> usize {
    log.iter().filter(|line| line.starts_with(beginning)).count()
}

/// Pushes an image with a layer of 5500 bytes, in chunks of 1000, and holds the layer against what has arrived.
async fn check_arrives(server: &Server) -> Vec<String> {
    let (images, image) = one(5500);
    let pushed = push_one(&images.layout(), image, "a", &registry(server)).await.unwrap();
    assert_eq!(server.blob("a", &Digest::of(&noise(5500, 1))).unwrap(), noise(5500, 1));
    assert_eq!(server.tag("a", "1"), Some(image));
    assert_eq!(pushed.digest, image);
    server.log()
}

/// Nothing of it is there: no manifest, no tag.
async fn check_fails(server: &Server) -> RegistryError {
    let (images, image) = one(5500);
    let error = push_one(&images.layout(), image, "a", &registry(server))
        .await
        .unwrap_err();
    assert!(server.is_empty(), "{error}");
    error
}

#[tokio::test]
async fn five_images_with_a_common_layer_send_it_once() {
    let server = Server::start(Ways::default()).await;
    let program = noise(5000, 7);
    let mut images = Images::new();
    let names = ["k/a", "k/b", "k/c", "k/d", "k/e"];
    let wanted: Vec<_> = names
        .iter()
        .map(|name| (images.image(name, &[&program, name.as_bytes()]), to(name, "1")))
        .collect();
    let mut events = Vec::new();
    let registry = registry(&server);
    let pushed = push_all(&images.layout(), &wanted, &registry, |event| events.push(event))
        .await
        .unwrap();

    for ((digest, reference), pushed) in wanted.iter().zip(&pushed) {
        assert_eq!(pushed.reference, reference.clone().with_digest(*digest));
        assert_eq!(pushed.outcome, Outcome::Pushed);
        assert_eq!(server.tag(reference.repository(), "1"), Some(*digest));
        assert_eq!(
            server.blob(reference.repository(), &Digest::of(&program)).unwrap(),
            program
        );
    }
    let with_program: Vec<_> = pushed.iter().filter(|pushed| pushed.uploaded > 5000).collect();
    assert_eq!(with_program.len(), 1);
    assert_eq!(pushed.iter().map(|pushed| pushed.mounted).sum::<u64>(), 4 * 5000);
    let planned = events.iter().find_map(|event| match event {
        Progress::Planned { blobs, bytes } => Some((*blobs, *bytes)),
        _ => None,
    });
    let sent: u64 = pushed.iter().map(|pushed| pushed.uploaded).sum();
    assert_eq!(planned, Some((11, sent)));
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Progress::Image(_)))
            .count(),
        5
    );

    // The second time nothing is written, and little is asked.
    server.log();
    let again = push_all(&images.layout(), &wanted, &registry, |_| {}).await.unwrap();
    assert!(
        again
            .iter()
            .all(|pushed| pushed.outcome == Outcome::Unchanged && pushed.uploaded == 0)
    );
    assert_eq!(server.log().len(), 5);
}

#[tokio::test]
async fn the_bytes_on_their_way_are_told() {
    let server = Server::start(Ways::default()).await;
    let (images, image) = one(2500);
    let mut sent = Vec::new();
    let layer = Digest::of(&noise(2500, 1));
    push_all(
        &images.layout(),
        &[(image, to("a", "1"))],
        &registry(&server),
        |event| match event {
            Progress::Blob {
                digest,
                progress: BlobProgress::Sending { sent: bytes },
                ..
            } if digest == layer => sent.push(bytes),
            _ => {}
        },
    )
    .await
    .unwrap();
    assert_eq!(sent, [1000, 2000, 2500]);
}

#[tokio::test]
async fn a_repository_that_takes_nothing_from_others_is_sent_it() {
    let server = Server::start(Ways {
        no_mounts: true,
        ..Ways::default()
    })
    .await;
    let mut images = Images::new();
    let layer = noise(10, 1);
    let wanted = ["a", "b"].map(|name| (images.image(name, &[&layer]), to(name, "1")));
    let pushed = push_all(&images.layout(), &wanted, &registry(&server), |_| {})
        .await
        .unwrap();
    assert!(pushed.iter().all(|pushed| pushed.mounted == 0 && pushed.uploaded > 10));
    assert!(server.blob("a", &Digest::of(&layer)).is_some() && server.blob("b", &Digest::of(&layer)).is_some());
    // The upload that was begun instead of the mount is the one that was used: one beginning for each blob and repository.
    assert_eq!(count(&server.log(), "POST"), 4);
}

#[tokio::test]
async fn a_new_repository_takes_what_its_neighbour_has() {
    let server = Server::start(Ways::default()).await;
    let mut images = Images::new();
    let layer = noise(3000, 1);
    let mut wanted = vec![(images.image("z", &[&layer]), to("z", "1"))];
    push_all(&images.layout(), &wanted, &registry(&server), |_| {})
        .await
        .unwrap();
    wanted.push((images.image("a", &[&layer]), to("a", "1")));
    let pushed = push_all(&images.layout(), &wanted, &registry(&server), |_| {})
        .await
        .unwrap();
    assert_eq!((pushed[1].mounted, pushed[0].uploaded), (3000, 0));
}

#[tokio::test]
async fn a_manifest_is_read_as_it_was_stored() {
    let server = Server::start(Ways::default()).await;
    let (images, image) = one(10);
    let registry = registry(&server);
    let reference = to("a", "1");
    assert!(!registry.manifest_exists(&reference).await.unwrap());
    assert_eq!(registry.pull_manifest(&reference).await.unwrap(), None);
    push_one(&images.layout(), image, "a", &registry).await.unwrap();
    assert_eq!(registry.manifest_digest(&reference).await.unwrap(), Some(image));
    let pulled = registry
        .pull_manifest(&reference.clone().with_digest(image))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((pulled.digest, &pulled.bytes[..]), (image, &images.read(image)[..]));
    assert_eq!(pulled.media_type, "application/vnd.oci.image.manifest.v1+json");
    let nothing = registry
        .manifest_digest(&Reference::new("r.example", "a").unwrap())
        .await
        .unwrap_err();
    assert!(nothing.to_string().contains("no image in it"), "{nothing}");
}
