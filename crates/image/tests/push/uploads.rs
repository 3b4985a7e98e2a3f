//! Blobs on bad ways.

use std::time::Duration;

use http::StatusCode;
use karma_image::{Digest, Patience, Registry, RegistryError, RegistryOptions, push_all};

use crate::images::{Images, noise};
use crate::server::{Server, Ways, What};
use crate::{check_arrives, check_fails, count, one, options, push_one, registry, to};

#[tokio::test]
async fn a_large_blob_goes_in_chunks_and_a_small_one_at_once() {
    let server = Server::start(Ways::default()).await;
    let log = check_arrives(&server).await;
    // The sixth chunk closes the upload; the configuration fits into one.
    assert_eq!(
        (count(&log, "PATCH"), count(&log, "PUT /v2/a/blobs"), count(&log, "GET")),
        (5, 2, 0)
    );
}

#[tokio::test]
async fn a_cut_connection_goes_on_from_what_has_arrived() {
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 3, What::CutAfter(400));
    let log = check_arrives(&server).await;
    assert_eq!(count(&log, "GET /v2/a/blobs/uploads/"), 3);
    // 3 × 400 bytes had arrived already: none of them was sent again.
    assert_eq!(count(&log, "PATCH"), 3 + 4);
}

#[tokio::test]
async fn a_registry_that_cuts_each_chunk_gets_the_blob_all_the_same() {
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 40, What::CutAfter(300));
    server.fail("PUT /v2/a/blobs", 2, What::CutAfter(100));
    check_arrives(&server).await;
}

#[tokio::test]
async fn a_cut_while_the_upload_is_closed_goes_on_too() {
    let server = Server::start(Ways::default()).await;
    server.fail("PUT /v2/a/blobs", 4, What::CutAfter(100));
    check_arrives(&server).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_no_blob_that_is_lost() {
    let server = Server::start(Ways::default()).await;
    server.fail("PUT /v2/a/blobs", 2, What::CutAnswer);
    server.fail("PATCH", 2, What::CutAnswer);
    server.fail("POST", 1, What::CutAnswer);
    server.fail("PUT /v2/a/manifests", 1, What::CutAnswer);
    let log = check_arrives(&server).await;
    assert_eq!(count(&log, "PUT /v2/a/blobs"), 2);
}

#[tokio::test]
async fn an_upload_that_was_forgotten_begins_again() {
    let server = Server::start(Ways {
        forgets: true,
        ..Ways::default()
    })
    .await;
    server.fail("PATCH", 2, What::CutAfter(400));
    let log = check_arrives(&server).await;
    assert_eq!(count(&log, "POST"), 2 + 2);
}

#[tokio::test]
async fn a_range_that_lags_behind_is_not_believed() {
    let server = Server::start(Ways {
        stale_range: true,
        ..Ways::default()
    })
    .await;
    let log = check_arrives(&server).await;
    assert_eq!((count(&log, "PATCH"), count(&log, "GET")), (5, 0));
}

#[tokio::test]
async fn a_chunk_that_is_out_of_place_is_put_right() {
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 1, What::Answer(416, Vec::new(), ""));
    let log = check_arrives(&server).await;
    assert_eq!((count(&log, "GET"), count(&log, "POST")), (1, 2));
}

#[tokio::test]
async fn who_muddles_chunks_is_sent_one_piece() {
    let server = Server::start(Ways {
        muddles: true,
        ..Ways::default()
    })
    .await;
    let log = check_arrives(&server).await;
    assert_eq!((count(&log, "PATCH"), count(&log, "POST")), (5, 3));
    // And so is who never finds them in place.
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 100, What::Answer(416, Vec::new(), ""));
    let log = check_arrives(&server).await;
    assert_eq!((count(&log, "PATCH"), count(&log, "POST")), (2, 3));
}

#[tokio::test]
async fn chunks_are_as_large_as_the_registry_wants_them() {
    let server = Server::start(Ways {
        least_chunk: Some(3000),
        ..Ways::default()
    })
    .await;
    assert_eq!(count(&check_arrives(&server).await, "PATCH"), 1);
}

#[tokio::test]
async fn who_is_busy_is_asked_again() {
    let server = Server::start(Ways::default()).await;
    let busy = |status, headers| What::Answer(status, headers, r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#);
    server.fail("HEAD", 2, busy(429, vec![("Retry-After", "3600".to_owned())]));
    server.fail("POST", 2, busy(503, Vec::new()));
    server.fail("PATCH", 2, busy(500, Vec::new()));
    server.fail("PUT /v2/a/manifests", 2, busy(504, Vec::new()));
    check_arrives(&server).await;
}

#[tokio::test]
async fn who_stays_busy_is_left_alone_and_nothing_is_half_there() {
    let server = Server::start(Ways::default()).await;
    server.fail(
        "PATCH",
        100,
        What::Answer(
            429,
            Vec::new(),
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#,
        ),
    );
    let error = check_fails(&server).await;
    assert!(
        matches!(
            error,
            RegistryError::Failing {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..
            }
        ),
        "{error:?}"
    );
    let host = server.host();
    assert_eq!(
        error.to_string(),
        format!("the registry {host} answers 429 Too Many Requests (TOOMANYREQUESTS: slow down)")
    );
    assert_eq!(count(&server.log(), "PATCH"), 5);
}

#[tokio::test]
async fn who_dies_while_a_blob_is_sent_is_named_and_a_new_push_heals_it() {
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 5, What::CutAfter(0));
    let error = check_fails(&server).await;
    assert!(
        matches!(error, RegistryError::BrokeOff { attempts: 5, .. }),
        "{error:?}"
    );
    assert!(error.to_string().ends_with(" to a, 5 times"), "{error}");
    assert!(error.hint().unwrap().contains("push again"));
    check_arrives(&server).await;
}

#[tokio::test]
async fn who_falls_silent_is_given_up() {
    let server = Server::start(Ways::default()).await;
    server.fail("PATCH", 100, What::Stall);
    let options = options(&server);
    let registry = Registry::new(RegistryOptions {
        patience: Patience {
            attempts: 2,
            silence: Duration::from_millis(300),
            ..options.patience
        },
        ..options
    });
    let (images, image) = one(5500);
    let error = push_one(&images.layout(), image, "a", &registry.unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::BrokeOff { attempts: 2, .. }),
        "{error:?}"
    );
    assert!(server.is_empty());
}

#[tokio::test]
async fn nobody_there_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = RegistryOptions {
        patience: Patience {
            attempts: 2,
            first_wait: Duration::from_millis(1),
            ..Patience::default()
        },
        ..RegistryOptions::new(&host)
    };
    let (images, image) = one(10);
    let error = push_one(&images.layout(), image, "a", &Registry::new(options).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), format!("cannot reach the registry {host}"));
}

#[tokio::test]
async fn a_damaged_layout_is_found_and_nothing_is_half_there() {
    let server = Server::start(Ways::default()).await;
    let (images, image) = one(5500);
    let layer = Digest::of(&noise(5500, 1));
    images.damage(layer);
    let error = push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { expected, .. } if expected == layer),
        "{error:?}"
    );
    assert!(server.is_empty());
    images.damage(image);
    let error = push_one(&images.layout(), image, "a", &registry(&server))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Layout(_)), "{error:?}");
}

#[tokio::test]
async fn one_blob_that_fails_keeps_every_tag_where_it_is() {
    let server = Server::start(Ways::default()).await;
    let mut images = Images::new();
    let wanted = ["a", "b", "c"].map(|name| (images.image(name, &[&noise(2500, 3)]), to(name, "1")));
    server.fail("POST /v2/c/", 100, What::Answer(500, Vec::new(), ""));
    push_all(&images.layout(), &wanted, &registry(&server), |_| {})
        .await
        .unwrap_err();
    assert!(server.is_empty());
}

#[tokio::test]
async fn a_question_goes_where_it_is_sent_and_not_in_circles() {
    let elsewhere = Server::start(Ways::default()).await;
    let (images, image) = one(10);
    push_one(&images.layout(), image, "a", &registry(&elsewhere))
        .await
        .unwrap();
    let server = Server::start(Ways::default()).await;
    let there = format!("http://{}/v2/a/manifests/1", elsewhere.host());
    server.fail("HEAD", 1, What::Answer(307, vec![("Location", there)], ""));
    assert!(registry(&server).manifest_exists(&to("a", "1")).await.unwrap());
    server.fail(
        "HEAD",
        100,
        What::Answer(307, vec![("Location", "/v2/a/manifests/1".to_owned())], ""),
    );
    let error = registry(&server).manifest_exists(&to("a", "1")).await.unwrap_err();
    assert!(error.to_string().ends_with("it sends requests in circles"), "{error}");
}

#[tokio::test]
async fn an_upload_is_not_sent_to_what_is_no_address() {
    for location in ["ftp://a/b", "::", "relative/path"] {
        let server = Server::start(Ways::default()).await;
        server.fail(
            "POST",
            100,
            What::Answer(202, vec![("Location", location.to_owned())], ""),
        );
        let error = check_fails(&server).await;
        assert!(
            error.to_string().contains(&format!("it points to {location:?}")),
            "{error}"
        );
    }
    let server = Server::start(Ways::default()).await;
    server.fail("POST", 100, What::Answer(202, Vec::new(), ""));
    let error = check_fails(&server).await;
    assert!(error.to_string().ends_with("it does not say where to go on"), "{error}");
}
