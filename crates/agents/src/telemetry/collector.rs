//! Who takes the spans: a collector of OTLP over HTTP, or X-Ray itself.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use reqwest::Url;
use serde_json::json;

use super::rules::Sampling;
use super::xray::XRay;
use crate::client::client_for;
use crate::error::chain;
use crate::logging::{Level, Log};
use crate::server::StartError;
use crate::settings::Settings;

/// The path of spans below an endpoint. <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>
const PATH: &str = "/v1/traces";

/// Whoever takes them.
#[derive(Debug)]
pub(crate) enum Collector {
    /// It asks nobody who they are.
    Open { client: reqwest::Client, url: String },
    /// It takes what is signed.
    XRay(Arc<XRay>),
}

impl Collector {
    /// The one that the settings name.
    pub(crate) fn of(settings: &Settings) -> Result<Option<Collector>, StartError> {
        let Some(endpoint) = &settings.otlp_endpoint else {
            return Ok(None);
        };
        if let Some(xray) = XRay::at(endpoint, settings.xray_endpoint.as_ref()).map_err(StartError::Traces)? {
            return Ok(Some(Collector::XRay(Arc::new(xray))));
        }
        Collector::open(endpoint).map(Some)
    }

    fn open(endpoint: &Url) -> Result<Collector, StartError> {
        let client = client_for(endpoint).build().map_err(StartError::Client)?;
        let url = format!("{}{PATH}", endpoint.as_str().trim_end_matches('/'));
        Ok(Collector::Open { client, url })
    }

    /// Who decides what is traced, where the agent has to: X-Ray leaves it to whoever sends.
    pub(super) fn sampling(&self, service: &str) -> Option<Sampling> {
        match self {
            Collector::Open { .. } => None,
            Collector::XRay(xray) => Some(Sampling::start(Arc::clone(xray), service.to_owned())),
        }
    }

    /// Hands over an `ExportTraceServiceRequest`, or says why that failed.
    pub(super) async fn take(&self, request: Vec<u8>) -> Result<(), String> {
        match self {
            Collector::Open { client, url } => {
                let request = client.post(url).header(CONTENT_TYPE, "application/json").body(request);
                let answer = request.send().await.and_then(reqwest::Response::error_for_status);
                answer.map(drop).map_err(|error| chain(&error.without_url()))
            }
            Collector::XRay(xray) => {
                let taken = xray.post(PATH, request).await;
                taken.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    /// What may be the matter.
    fn help(&self) -> &'static str {
        match self {
            Collector::Open { .. } => "look at the server of OTEL_EXPORTER_OTLP_ENDPOINT",
            Collector::XRay(_) => {
                "X-Ray takes spans where Transaction Search is on, from roles with xray:PutTraceSegments"
            }
        }
    }
}

/// Tells when spans begin to be lost, and when they no longer are: one line each, however many are lost.
#[derive(Debug)]
pub(super) struct Losses {
    log: Log,
    lost: usize,
}

impl Losses {
    pub(super) fn new(log: Log) -> Losses {
        Losses { log, lost: 0 }
    }

    /// Takes note of how a batch fared.
    pub(super) fn note(&mut self, collector: &Collector, spans: usize, taken: Result<(), String>) {
        match taken {
            Ok(()) if self.lost > 0 => {
                self.log
                    .write(Level::Info, "spans are taken again", json!({ "lost": self.lost }));
                self.lost = 0;
            }
            Ok(()) => {}
            Err(reason) => {
                if self.lost == 0 {
                    let fields = json!({ "reason": reason, "help": collector.help() });
                    self.log.write(Level::Warn, "spans are not taken", fields);
                }
                self.lost += spans;
            }
        }
    }
}
