//! S3 over the HTTP client that the agents have anyway: a second HTTP stack would double what a task holds and trusts.

use async_trait::async_trait;
use http_body_util::{BodyExt, Full};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use reqwest::Url;

use crate::client::client_for;

/// Makes a client for each address that S3's client asks.
#[derive(Debug)]
pub(crate) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // The options are S3's own address and, for the credentials, the task's local one, which is plain HTTP.
        let _ = options;
        Ok(HttpClient::new(Sender::new()?))
    }
}

#[derive(Debug)]
struct Sender(reqwest::Client);

impl Sender {
    fn new() -> object_store::Result<Sender> {
        let any = Url::parse("https://s3.amazonaws.com").expect("a literal URL");
        let client = client_for(&any)
            .build()
            .map_err(|source| object_store::Error::Generic {
                store: "S3",
                source: Box::new(source),
            })?;
        Ok(Sender(client))
    }
}

#[async_trait]
impl HttpService for Sender {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(body.collect().await?.to_bytes().into());
        let answer = self.0.execute(request).await.map_err(failure)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let content = answer.bytes().await.map_err(failure)?;
        let never = |never: std::convert::Infallible| match never {};
        let mut response = HttpResponse::new(HttpResponseBody::new(Full::new(content).map_err(never)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What kind of failure decides whether it is tried again.
fn failure(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}
