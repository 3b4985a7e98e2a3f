//! X-Ray, asked by the agent itself: with the task's role, every request signed, and nothing that runs beside the agent.
//!
//! It takes spans by OTLP over HTTP, as JSON too, where Transaction Search is on in the account and the region. The permission is
//! `xray:PutTraceSegments`:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>,
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-opentelemetry-bearer-token.html>.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use object_store::ClientOptions;
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpClient, HttpConnector, HttpRequest};
use reqwest::Url;
use thiserror::Error;
use tokio::time::timeout;

use crate::error::chain;
use crate::limits;
use crate::store::Connector;

/// The service that requests are signed for.
const SERVICE: &str = "xray";

/// What kind of error an answer is, as AWS says it beside the body.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// No answer that is read is longer.
const LONGEST_ANSWER: usize = 1 << 20;

/// X-Ray in one region.
#[derive(Debug)]
pub(crate) struct XRay {
    region: String,
    address: Url,
    client: HttpClient,
    credentials: AwsCredentialProvider,
}

/// X-Ray did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum XRayError {
    /// There is nobody to sign as.
    #[error("the request could not be signed: {0}")]
    Unsigned(String),
    /// It did not answer.
    #[error("no answer: {0}")]
    Silent(String),
    /// It refused, with what AWS calls the error.
    #[error("it answered {0}{1}")]
    Refused(StatusCode, String),
}

impl XRay {
    /// X-Ray, if an OTLP endpoint is one of its. Where `address` is given it is asked there: `AWS_ENDPOINT_URL_XRAY`, as AWS's own programs have it.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub(crate) fn at(endpoint: &Url, address: Option<&Url>) -> object_store::Result<Option<XRay>> {
        let Some(region) = region(endpoint) else {
            return Ok(None);
        };
        Ok(Some(XRay {
            region,
            address: address.unwrap_or(endpoint).clone(),
            client: Connector.connect(&ClientOptions::new())?,
            credentials: credentials()?,
        }))
    }

    /// Sends JSON to one of its paths, which begins with a slash, and reads the answer.
    pub(crate) async fn post(&self, path: &str, json: Vec<u8>) -> Result<Bytes, XRayError> {
        let request = self.signed(path, json).await?;
        let answer = timeout(limits::ANSWER_PATIENCE, self.client.execute(request)).await;
        let answer = answer
            .map_err(|_| XRayError::Silent("it takes too long".to_owned()))?
            .map_err(|error| XRayError::Silent(chain(&error)))?;
        if !answer.status().is_success() {
            return Err(XRayError::Refused(answer.status(), error_type(&answer)));
        }
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        let unread = |error: Box<dyn std::error::Error + Send + Sync>| XRayError::Silent(error.to_string());
        body.map(http_body_util::Collected::to_bytes).map_err(unread)
    }

    /// A request of now, signed as who this task is: Signature Version 4.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>
    async fn signed(&self, path: &str, json: Vec<u8>) -> Result<HttpRequest, XRayError> {
        let unsigned = |error: &dyn std::error::Error| XRayError::Unsigned(chain(error));
        let credential = self
            .credentials
            .get_credential()
            .await
            .map_err(|error| unsigned(&error))?;
        let url = format!("{}{path}", self.address.as_str().trim_end_matches('/'));
        let mut request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(json.into())
            .map_err(|error| unsigned(&error))?;
        AwsAuthorizer::new(&credential, SERVICE, &self.region)
            .try_authorize(&mut request, None)
            .map_err(|error| unsigned(&error))?;
        Ok(request)
    }
}

/// `https://xray.<region>.amazonaws.com`, and in China with `.cn`
fn region(endpoint: &Url) -> Option<String> {
    let host = endpoint.host_str()?.strip_prefix("xray.")?;
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host.strip_suffix(".amazonaws.com")?;
    let is_region = !region.is_empty() && !region.contains('.');
    is_region.then(|| region.to_owned())
}

/// The task's role, as the store takes it: from the variables that ECS sets, or from those of AWS's own programs.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
fn credentials() -> object_store::Result<AwsCredentialProvider> {
    // Whoever asks S3 gets them; no bucket is asked here.
    let s3 = AmazonS3Builder::from_env()
        .with_bucket_name("no-bucket")
        .with_allow_http(true)
        .with_http_connector(Connector)
        .build()?;
    Ok(s3.credentials().clone())
}

/// ` (InvalidRequestException)`, or nothing. What follows a colon is a documentation's address.
fn error_type<B>(answer: &Response<B>) -> String {
    let value = answer.headers().get(ERROR_TYPE).and_then(|value| value.to_str().ok());
    let name = value.and_then(|value| value.split(':').next());
    name.map(|name| format!(" ({name})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_of_xray_has_a_region() {
        let check = |endpoint: &str, expected: Option<&str>| {
            assert_eq!(region(&endpoint.parse().unwrap()).as_deref(), expected, "{endpoint}");
        };
        check("https://xray.us-east-1.amazonaws.com", Some("us-east-1"));
        check("https://xray.cn-north-1.amazonaws.com.cn/", Some("cn-north-1"));
        check("https://xray.amazonaws.com", None);
        check("https://xray..amazonaws.com", None);
        check("https://logs.us-east-1.amazonaws.com", None);
        check("https://xray.us-east-1.amazonaws.com.example.org", None);
        check("https://xray.a.b.amazonaws.com", None);
        check("http://127.0.0.1:4318", None);
    }
}
