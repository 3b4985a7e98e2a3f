use aws_sdk_secretsmanager::error::ErrorMetadata;
use aws_sdk_secretsmanager::operation::describe_secret::{DescribeSecretError, DescribeSecretOutput};
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use aws_sdk_secretsmanager::operation::put_secret_value::{PutSecretValueError, PutSecretValueOutput};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;

use super::*;
use crate::testing::answering;

const VALUE: &str = "hunter2";

fn metadata(code: &'static str) -> ErrorMetadata {
    ErrorMetadata::builder().code(code).message("no").build()
}

fn described() -> Rule {
    mock!(Client::describe_secret).then_output(|| {
        DescribeSecretOutput::builder()
            .last_changed_date(DateTime::from_secs(7))
            .build()
    })
}

fn holds(value: &'static str) -> Rule {
    mock!(Client::get_secret_value).then_output(move || GetSecretValueOutput::builder().secret_string(value).build())
}

fn has_no_value() -> Rule {
    mock!(Client::get_secret_value).then_error(|| GetSecretValueError::generic(metadata("ResourceNotFoundException")))
}

fn takes(value: &'static str) -> Rule {
    mock!(Client::put_secret_value)
        .match_requests(move |asked| {
            let put = asked.secret_string().unwrap_or_default();
            asked.secret_id() == Some("k/a") && (put == value || json(put).is_some_and(|it| Some(it) == json(value)))
        })
        .then_output(|| PutSecretValueOutput::builder().build())
}

/// The members of an object have no order.
fn json(text: &str) -> Option<serde_json::Value> {
    serde_json::from_str(text).ok()
}

fn key() -> SecretChange {
    SecretChange::Keys([("KEY".to_owned(), Password::from(VALUE.to_owned()))].into())
}

#[track_caller]
fn check(found: Option<StoredSecret>, value: Option<&ValueShape>) {
    let found = found.unwrap();
    assert_eq!(found.value.as_ref(), value);
    assert!(!format!("{found:?}").contains(VALUE));
}

#[tokio::test]
async fn of_a_value_only_the_keys_are_told() {
    let shape = async |rule: Rule| {
        stored(&answering!(aws_sdk_secretsmanager, [&described(), &rule]), "k/a")
            .await
            .unwrap()
    };
    check(
        shape(holds(r#"{"KEY":"hunter2"}"#)).await,
        Some(&ValueShape::Keys(["KEY".to_owned()].into())),
    );
    check(shape(holds("hunter2")).await, Some(&ValueShape::Text));
    check(shape(has_no_value()).await, None);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_absent_and_one_on_its_way_out_is_told() {
    let absent = mock!(Client::describe_secret)
        .then_error(|| DescribeSecretError::generic(metadata("ResourceNotFoundException")));
    assert_eq!(
        stored(&answering!(aws_sdk_secretsmanager, [&absent]), "k/a")
            .await
            .unwrap(),
        None
    );
    let leaving = mock!(Client::describe_secret).then_output(|| {
        DescribeSecretOutput::builder()
            .deleted_date(DateTime::from_secs(9))
            .build()
    });
    let found = stored(&answering!(aws_sdk_secretsmanager, [&leaving]), "k/a")
        .await
        .unwrap()
        .unwrap();
    assert!(found.is_being_deleted && found.value.is_none());
}

#[tokio::test]
async fn a_key_is_merged_into_what_is_there() {
    let put = takes(r#"{"KEY":"hunter2","OTHER":"x"}"#);
    let client = answering!(aws_sdk_secretsmanager, [&holds(r#"{"OTHER":"x","KEY":"old"}"#), &put]);
    set(&client, "k/a", key()).await.unwrap();
    let put = takes(r#"{"KEY":"hunter2"}"#);
    set(
        &answering!(aws_sdk_secretsmanager, [&has_no_value(), &put]),
        "k/a",
        key(),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_whole_value_replaces_what_is_there_unread() {
    let put = takes(VALUE);
    let whole = SecretChange::Whole(Password::from(VALUE.to_owned()));
    set(&answering!(aws_sdk_secretsmanager, [&put]), "k/a", whole)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_value_without_keys_is_not_overwritten_by_one_key() {
    let client = answering!(aws_sdk_secretsmanager, [&holds("plain"), &takes("{}")]);
    let error = set(&client, "k/a", key()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of k/a is no JSON object, so a key cannot be set in it"
    );
}

#[tokio::test]
async fn what_goes_wrong_names_the_action_and_never_the_value() {
    for code in [
        "AccessDeniedException",
        "ThrottlingException",
        "ResourceNotFoundException",
        "EncryptionFailure",
    ] {
        let put = mock!(Client::put_secret_value).then_error(move || PutSecretValueError::generic(metadata(code)));
        let client = answering!(aws_sdk_secretsmanager, [&put]);
        let whole = SecretChange::Whole(Password::from(VALUE.to_owned()));
        let error = set(&client, "k/a", whole).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(shown.contains("secretsmanager:PutSecretValue"), "{shown}");
        assert!(!shown.contains(VALUE), "{shown}");
    }
}
