use std::io;

use aws_sdk_ecs::error::ErrorMetadata;
use aws_sdk_ecs::operation::describe_services::DescribeServicesError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::*;

const CALL: Call<'_> = Call {
    action: "ecs:DescribeServices",
    on: "cluster main",
};

fn service_error(code: &str, message: &str) -> AwsError {
    let metadata = ErrorMetadata::builder().code(code).message(message).build();
    let status = 400.try_into().unwrap();
    CALL.failed(SdkError::service_error(
        DescribeServicesError::generic(metadata),
        Response::new(status, SdkBody::empty()),
    ))
}

fn dispatch_failure(source: impl Error + Send + Sync + 'static) -> AwsError {
    let failure = ConnectorError::other(Box::new(source), None);
    CALL.failed(SdkError::<DescribeServicesError, Response>::dispatch_failure(failure))
}

#[test]
fn codes_mean_what_the_services_mean_by_them() {
    let check = |code: &str, message: &str, expected: &str| {
        let error = service_error(code, message);
        assert_eq!(error.to_string(), expected, "{code}");
    };
    check(
        "ClusterNotFoundException",
        "Cluster not found.",
        "ecs:DescribeServices: there is no cluster main",
    );
    check(
        "ThrottlingException",
        "Rate exceeded",
        "ecs:DescribeServices is throttled, still after several attempts",
    );
    check(
        "ExpiredTokenException",
        "The security token included in the request is expired",
        "the AWS credentials have expired",
    );
    check(
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        "AWS does not accept the credentials: The security token included in the request is invalid",
    );
    check(
        "InvalidSignatureException",
        "Signature expired: 20261123T000000Z is now earlier than 20261123T001000Z",
        "the AWS credentials have expired",
    );
    check(
        "InvalidParameterException",
        "Service names can not be blank.",
        "ecs:DescribeServices: Service names can not be blank (InvalidParameterException)",
    );
    check(
        "ServerException",
        "",
        "ecs:DescribeServices: ServerException (ServerException)",
    );
}

#[test]
fn who_may_not_do_what_is_taken_from_the_sentence() {
    let check = |message: &str, expected: &str, hint: &str| {
        let error = service_error("AccessDeniedException", message);
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.hint().as_deref(), Some(hint));
    };
    check(
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:PassRole on resource: \
         arn:aws:iam::123456789012:role/main because no identity-based policy allows the iam:PassRole action",
        "not permitted: iam:PassRole on arn:aws:iam::123456789012:role/main",
        "allow iam:PassRole on arn:aws:iam::123456789012:role/main in a policy of arn:aws:iam::123456789012:user/ann",
    );
    check(
        "Access denied",
        "not permitted: ecs:DescribeServices on cluster main",
        "allow ecs:DescribeServices on cluster main in a policy of who asks (see: karma doctor)",
    );
}

#[test]
fn no_answer_is_for_want_of_credentials_or_of_a_connection() {
    let check = |error: AwsError, expected: &str, cause: &str| {
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some(cause));
    };
    check(
        dispatch_failure(CredentialsError::not_loaded(
            "no providers in chain provided credentials",
        )),
        "there are no usable AWS credentials",
        "the credential provider was not enabled: no providers in chain provided credentials",
    );
    check(
        dispatch_failure(CredentialsError::provider_error("the SSO session has expired")),
        "the AWS credentials have expired",
        "an error occurred while loading credentials: the SSO session has expired",
    );
    check(
        dispatch_failure(io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")),
        "ecs:DescribeServices: AWS gives no answer",
        "dispatch failure: other: connection refused",
    );
}

#[test]
fn no_code_is_in_two_tables() {
    let mut codes: Vec<&str> = [NOT_PERMITTED, EXPIRED, REJECTED, THROTTLED, NOT_FOUND].concat();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
}
