use aws_sdk_ecr::error::ErrorMetadata;
use aws_sdk_ecr::operation::batch_delete_image::BatchDeleteImageOutput;
use aws_sdk_ecr::operation::describe_images::DescribeImagesOutput;
use aws_sdk_ecr::operation::describe_repositories::{DescribeRepositoriesError, DescribeRepositoriesOutput};
use aws_sdk_ecr::operation::get_authorization_token::{GetAuthorizationTokenError, GetAuthorizationTokenOutput};
use aws_sdk_ecr::types::AuthorizationData;
use aws_sdk_ecr::types::error::RepositoryNotFoundException;
use aws_smithy_mocks::mock;
use aws_smithy_types::DateTime;

use super::*;
use crate::testing::answering;

#[tokio::test]
async fn a_login_is_taken_out_of_its_token_and_not_shown() {
    let rule = mock!(Client::get_authorization_token).then_output(|| {
        let data = AuthorizationData::builder()
            .authorization_token(STANDARD.encode("AWS:hunter:2"))
            .proxy_endpoint("https://123456789012.dkr.ecr.us-east-1.amazonaws.com")
            .expires_at(DateTime::from_secs(0));
        GetAuthorizationTokenOutput::builder()
            .authorization_data(data.build())
            .build()
    });
    let login = login(&answering!(aws_sdk_ecr, [&rule])).await.unwrap();
    assert_eq!(login.registry_host, "123456789012.dkr.ecr.us-east-1.amazonaws.com");
    assert_eq!((login.username.as_str(), login.password.reveal()), ("AWS", "hunter:2"));
    assert_eq!(login.expires_at, Some(Timestamp::UNIX_EPOCH));
    assert!(!format!("{login:?}").contains("hunter"));
}

#[tokio::test]
async fn an_answer_without_a_login_is_none() {
    let rule = mock!(Client::get_authorization_token).then_output(|| {
        let data = AuthorizationData::builder()
            .authorization_token("%")
            .proxy_endpoint("x");
        GetAuthorizationTokenOutput::builder()
            .authorization_data(data.build())
            .build()
    });
    let error = login(&answering!(aws_sdk_ecr, [&rule])).await.unwrap_err();
    assert!(matches!(error, AwsError::Unreachable { .. }), "{error}");
}

type Test = fn(&AwsError) -> bool;

#[track_caller]
fn check(error: &AwsError, is_it: Test) {
    assert!(is_it(error), "{error:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let cases: [(&str, Test); 3] = [
        ("ExpiredTokenException", |it| {
            matches!(it, AwsError::ExpiredCredentials { .. })
        }),
        ("AccessDeniedException", |it| {
            matches!(it, AwsError::NotPermitted { .. })
        }),
        ("ThrottlingException", |it| matches!(it, AwsError::Throttled { .. })),
    ];
    for (code, is_it) in cases {
        let rule = mock!(Client::get_authorization_token).then_error(move || {
            GetAuthorizationTokenError::generic(ErrorMetadata::builder().code(code).message("no").build())
        });
        check(&login(&answering!(aws_sdk_ecr, [&rule])).await.unwrap_err(), is_it);
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_absent() {
    let there = mock!(Client::describe_repositories)
        .match_requests(|asked| asked.repository_names() == ["k/a"])
        .then_output(|| {
            let repository = aws_sdk_ecr::types::Repository::builder()
                .repository_name("k/a")
                .repository_uri("123456789012.dkr.ecr.us-east-1.amazonaws.com/k/a")
                .image_tag_mutability(ImageTagMutability::Immutable)
                .image_scanning_configuration(ImageScanningConfiguration::builder().scan_on_push(true).build());
            DescribeRepositoriesOutput::builder()
                .repositories(repository.build())
                .build()
        });
    let absent = mock!(Client::describe_repositories)
        .match_requests(|asked| asked.repository_names() == ["k/b"])
        .then_error(|| {
            let metadata = ErrorMetadata::builder().code("RepositoryNotFoundException").build();
            let exception = RepositoryNotFoundException::builder().meta(metadata);
            DescribeRepositoriesError::RepositoryNotFoundException(exception.build())
        });
    let client = answering!(aws_sdk_ecr, [&there, &absent]);
    let found = repositories(&client, &["k/a".to_owned(), "k/b".to_owned()])
        .await
        .unwrap();
    let repository = &found["k/a"];
    assert_eq!(
        (repository.tags, repository.scans_on_push),
        (TagMutability::Immutable, true)
    );
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn images_come_from_every_page_the_newest_first() {
    let page = |token: Option<&'static str>, next: Option<&'static str>, digest: &'static str, pushed: i64| {
        mock!(Client::describe_images)
            .match_requests(move |asked| asked.next_token() == token)
            .then_output(move || {
                let detail = ImageDetail::builder()
                    .image_digest(digest)
                    .image_tags("1.0")
                    .image_size_in_bytes(15)
                    .image_pushed_at(DateTime::from_secs(pushed));
                DescribeImagesOutput::builder()
                    .image_details(detail.build())
                    .set_next_token(next.map(str::to_owned))
                    .build()
            })
    };
    let (first, second) = (
        page(None, Some("2"), "sha256:a", 1),
        page(Some("2"), None, "sha256:b", 2),
    );
    let images = images(&answering!(aws_sdk_ecr, [&first, &second]), "k/a")
        .await
        .unwrap();
    let digests: Vec<_> = images.iter().map(|image| image.digest.as_str()).collect();
    assert_eq!(digests, ["sha256:b", "sha256:a"]);
    assert_eq!(images[0].size, 15);
}

fn failed(digest: &str, code: ImageFailureCode) -> ImageFailure {
    ImageFailure::builder()
        .image_id(ImageIdentifier::builder().image_digest(digest).build())
        .failure_code(code)
        .failure_reason("because")
        .build()
}

#[tokio::test]
async fn many_images_are_deleted_by_the_hundred_and_what_is_gone_is_no_failure() {
    let rule = mock!(Client::batch_delete_image)
        .match_requests(|asked| asked.image_ids().len() <= DELETED_AT_ONCE)
        .then_output(|| {
            let gone = failed("sha256:0", ImageFailureCode::ImageNotFound);
            BatchDeleteImageOutput::builder().failures(gone).build()
        });
    let digests: Vec<_> = (0..250).map(|number| format!("sha256:{number}")).collect();
    delete_images(&answering!(aws_sdk_ecr, [&rule]), "k/a", &digests)
        .await
        .unwrap();
    assert_eq!(rule.num_calls(), 3);
}

#[tokio::test]
async fn what_an_index_still_lists_is_deleted_after_it() {
    let first = mock!(Client::batch_delete_image)
        .match_requests(|asked| asked.image_ids().len() == 2)
        .then_output(|| {
            let listed = failed("sha256:a", ImageFailureCode::ImageReferencedByManifestList);
            BatchDeleteImageOutput::builder().failures(listed).build()
        });
    let second = mock!(Client::batch_delete_image)
        .match_requests(|asked| asked.image_ids().len() == 1)
        .then_output(|| BatchDeleteImageOutput::builder().build());
    let digests = ["sha256:a", "sha256:index"].map(str::to_owned);
    let client = answering!(aws_sdk_ecr, [&first, &second]);
    delete_images(&client, "k/a", &digests).await.unwrap();
    assert_eq!((first.num_calls(), second.num_calls()), (1, 1));
}

#[tokio::test]
async fn an_image_that_stays_is_named_with_its_reason() {
    let rule = mock!(Client::batch_delete_image).then_output(|| {
        let kept = failed("sha256:a", ImageFailureCode::ImageReferencedByManifestList);
        BatchDeleteImageOutput::builder().failures(kept).build()
    });
    let client = answering!(aws_sdk_ecr, [&rule]);
    let error = delete_images(&client, "k/a", &["sha256:a".to_owned()])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "ecr:BatchDeleteImage: k/a@sha256:a: because (ImageReferencedByManifestList)"
    );
}
