//! Manifests, tags, and what is attached to images.

use std::collections::BTreeSet;

use http::StatusCode;
use karma_image::{Digest, Outcome, RegistryError, push_all};
use serde_json::Value;

use crate::images::Images;
use crate::server::{Server, Ways, What};
use crate::{check_fails, count, one, push_one, registry, to};

async fn immutable() -> Server {
    let ways = Ways {
        immutable: true,
        ..Ways::default()
    };
    Server::start(ways).await
}

#[tokio::test]
async fn an_immutable_tag_stays_where_it_is() {
    let server = immutable().await;
    let mut images = Images::new();
    let (first, second) = (images.image("a", &[b"1"]), images.image("b", &[b"2"]));
    let registry = registry(&server);
    push_one(&images.layout(), first, "a", &registry).await.unwrap();
    let error = push_one(&images.layout(), second, "a", &registry).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::TagImmutable { existing: Some(found), .. } if found == first),
        "{error:?}"
    );
    assert!(error.hint().unwrap().contains("--tag"));
    assert_eq!(server.tag("a", "1"), Some(first));
}

#[tokio::test]
async fn an_immutable_tag_that_is_right_already_is_fine() {
    let server = immutable().await;
    let (images, image) = one(10);
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    let again = push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    // Somebody else was faster: it was not there when it was asked for.
    server.log();
    server.fail("HEAD /v2/a/manifests", 2, What::Answer(404, Vec::new(), ""));
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    assert_eq!(count(&server.log(), "PUT /v2/a/manifests"), 1);
}

#[tokio::test]
async fn a_tag_that_may_move_moves() {
    let server = Server::start(Ways::default()).await;
    let mut images = Images::new();
    let (first, second) = (images.image("a", &[b"1"]), images.image("b", &[b"2"]));
    for image in [first, second] {
        push_one(&images.layout(), image, "a", &registry(&server))
            .await
            .unwrap();
        assert_eq!(server.tag("a", "1"), Some(image));
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_named() {
    let server = Server::start(Ways {
        repositories: Some(BTreeSet::from(["b".to_owned()])),
        ..Ways::default()
    })
    .await;
    let error = check_fails(&server).await;
    assert_eq!(
        error.to_string(),
        format!("there is no repository a in {}", server.host())
    );
    assert!(error.hint().unwrap().contains("karma deploy"));
}

#[tokio::test]
async fn a_manifest_that_is_refused_is_no_tag() {
    let server = Server::start(Ways::default()).await;
    let invalid = r#"{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}"#;
    server.fail("PUT /v2/a/manifests", 1, What::Answer(400, Vec::new(), invalid));
    let error = check_fails(&server).await;
    let expected = matches!(
        error,
        RegistryError::ManifestRefused {
            status: StatusCode::BAD_REQUEST,
            ..
        }
    );
    assert!(expected, "{error:?}");
    assert!(
        error.to_string().ends_with("400 Bad Request (MANIFEST_INVALID: no)"),
        "{error}"
    );
}

#[tokio::test]
async fn another_digest_than_was_sent_is_noticed() {
    let server = Server::start(Ways::default()).await;
    let other = Digest::of(b"other").to_string();
    server.fail(
        "PUT /v2/a/manifests",
        1,
        What::Answer(201, vec![("Docker-Content-Digest", other)], ""),
    );
    let error = check_fails(&server).await;
    assert!(matches!(error, RegistryError::DigestMismatch { .. }), "{error:?}");
    // A registry that says yes and keeps nothing is found out by reading back.
    server.fail("PUT /v2/a/manifests", 1, What::Answer(201, Vec::new(), ""));
    let error = check_fails(&server).await;
    assert!(
        matches!(error, RegistryError::DigestMismatch { found: None, .. }),
        "{error:?}"
    );
}

/// An image with two attachments: it, and theirs.
fn attached() -> (Images, Digest, [Digest; 2]) {
    let mut images = Images::new();
    let image = images.image("a", &[b"1"]);
    let attached = [
        images.attach(image, "application/spdx+json", b"sbom"),
        images.attach(image, "application/vnd.in-toto+json", b"provenance"),
    ];
    (images, image, attached)
}

#[tokio::test]
async fn what_is_attached_arrives_after_the_image_and_once() {
    let server = Server::start(Ways::default()).await;
    let (images, image, attached) = attached();
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    let log = server.log();
    let stored: Vec<_> = log
        .iter()
        .filter(|line| line.starts_with("PUT /v2/a/manifests"))
        .collect();
    assert_eq!(stored[0], "PUT /v2/a/manifests/1");
    assert_eq!(stored.len(), 3, "no list is kept beside the registry's: {stored:?}");
    for attached in attached {
        assert!(server.manifest("a", attached).is_some());
    }
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    assert!(
        server
            .log()
            .iter()
            .all(|line| line.starts_with("HEAD") || line.starts_with("GET"))
    );
}

#[tokio::test]
async fn where_the_registry_keeps_no_list_a_tag_does() {
    let server = Server::start(Ways {
        no_referrers: true,
        ..Ways::default()
    })
    .await;
    let (images, image, attached) = attached();
    let list = |server: &Server| -> Value {
        let tag = server.tag("a", &format!("sha256-{}", image.hex())).unwrap();
        server.manifest("a", tag).unwrap()
    };
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    let entries = list(&server)["manifests"].as_array().unwrap().clone();
    let digests: Vec<_> = entries.iter().map(|entry| entry["digest"].as_str().unwrap()).collect();
    assert_eq!(digests, attached.map(|digest| digest.to_string()));
    assert_eq!(entries[0]["artifactType"], "application/spdx+json");
    assert_eq!(entries[0]["annotations"]["note"], "application/spdx+json");
    // Again: nothing is written, and nothing stands there twice.
    server.log();
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    assert!(
        server
            .log()
            .iter()
            .all(|line| line.starts_with("HEAD") || line.starts_with("GET"))
    );
    assert_eq!(list(&server)["manifests"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_stands_on_the_list_of_others_stays_there() {
    let server = Server::start(Ways {
        no_referrers: true,
        ..Ways::default()
    })
    .await;
    let (mut images, image, _) = attached();
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    images.attach(image, "application/x-signature", b"signature");
    push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap();
    let tag = server.tag("a", &format!("sha256-{}", image.hex())).unwrap();
    assert_eq!(
        server.manifest("a", tag).unwrap()["manifests"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn a_push_that_ended_before_what_is_attached_is_made_whole() {
    for no_referrers in [false, true] {
        let server = Server::start(Ways {
            no_referrers,
            ..Ways::default()
        })
        .await;
        let (images, image, attached) = attached();
        server.fail("PUT /v2/a/manifests/sha256", 5, What::Answer(500, Vec::new(), ""));
        push_one(&images.layout(), image, "a", &registry(&server))
            .await
            .unwrap_err();
        let healed = push_all(&images.layout(), &[(image, to("a", "1"))], &registry(&server), |_| {})
            .await
            .unwrap();
        assert_eq!(healed[0].outcome, Outcome::Unchanged);
        assert!(attached.iter().all(|digest| server.manifest("a", *digest).is_some()));
    }
}
