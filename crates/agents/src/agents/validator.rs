//! validator: compares a data set with its own claims and with what people write like, and explains every deduction.

mod chat_checks;
mod chat_data;
mod price;
mod score;
mod transcript_checks;
mod transcript_data;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use futures_util::future::OptionFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::price::{PriceOpinion, Tariff};
use self::score::{Deduction, Verdict};
use super::{Agent, Route, Service, Skill, Start};
use crate::attestation::{Attestation, Attestor};
use crate::card::hex;
use crate::error::ApiError;
use crate::input::Input;
use crate::limits;
use crate::server::StartError;

pub(super) const AGENT: Agent = Agent {
    name: "validator",
    description: "Scores a data set before it is bought: does it hold what it claims, and is it likely to be real?",
    skills: &[Skill {
        id: "validate",
        name: "Validate a data set",
        description: "POST /validate {data_type (chat_logs or transcript), data_content, seller_address?, \
                      buyer_address?, price_glue?, metadata?}: quality, fraud and price scores with a reason for each deduction.",
        tags: &["validation", "quality", "fraud"],
        route: Route::Post("/validate"),
        text_field: None,
    }],
    start,
};

#[expect(clippy::unnecessary_wraps, reason = "the signature every agent starts with")]
fn start(start: &Start<'_>) -> Result<Service, StartError> {
    let attestor = Attestor::of(start).map(Arc::new);
    Ok(Service {
        routes: Router::new().route("/validate", post(validate)).with_state(attestor),
        dependencies: Vec::new(),
    })
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Question {
    data_type: DataType,
    data_content: Map<String, Value>,
    seller_address: Option<String>,
    buyer_address: Option<String>,
    /// What is asked for the data, in GLUE.
    price_glue: Option<f64>,
    /// Whatever the caller wants to find again in the answer.
    metadata: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum DataType {
    #[serde(alias = "chat_log")]
    ChatLogs,
    #[serde(alias = "transcription", alias = "transcripts")]
    Transcript,
}

#[derive(Serialize)]
struct Answer {
    /// The same for the same question.
    validation_id: String,
    data_type: DataType,
    seller_address: Option<String>,
    buyer_address: Option<String>,
    #[serde(flatten)]
    verdict: Verdict,
    /// The scores in words.
    reasoning: String,
    deductions: Vec<Deduction>,
    price: Option<PriceOpinion>,
    /// What the data was found to hold, whatever it claims.
    counted: Counted,
    /// SHA-256 of the data as JSON with sorted keys and no blanks.
    data_digest: String,
    metadata: Option<Map<String, Value>>,
    timestamp: Timestamp,
    /// The validator's signature, where it has a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<Attestation>,
}

/// How many there are of what.
type Counted = BTreeMap<&'static str, usize>;

/// What looking at one data set gave.
struct Examination {
    deductions: Vec<Deduction>,
    /// How many things the price is for.
    records: usize,
    counted: Counted,
    tariff: Tariff,
}

async fn validate(
    State(attestor): State<Option<Arc<Attestor>>>,
    Input(question): Input<Question>,
) -> Result<Json<Answer>, ApiError> {
    check(&question)?;
    let Examination {
        deductions,
        records,
        counted,
        tariff,
    } = examine(&question)?;
    let price = question.price_glue.map(|asked| tariff.opinion(asked, records));
    let verdict = Verdict::of(&deductions, price.as_ref().map(|price| price.score));
    let (data, timestamp) = (Value::Object(question.data_content.clone()), Timestamp::now());
    let explanation = json!(deductions);
    let attestation = OptionFuture::from(
        attestor
            .as_ref()
            .map(|it| it.attest(&data, verdict.overall_score, &explanation, timestamp)),
    );
    let attestation = attestation.await;
    Ok(Json(Answer {
        validation_id: digest(&json!(question))[..32].to_owned(),
        data_type: question.data_type,
        reasoning: reasoning(&verdict, &deductions, &counted),
        verdict,
        deductions,
        price,
        counted,
        data_digest: format!("sha256:{}", digest(&data)),
        seller_address: question.seller_address,
        buyer_address: question.buyer_address,
        metadata: question.metadata,
        timestamp,
        attestation,
    }))
}

fn check(question: &Question) -> Result<(), ApiError> {
    let addresses = [
        ("seller_address", &question.seller_address),
        ("buyer_address", &question.buyer_address),
    ];
    for (field, address) in addresses {
        if address
            .as_ref()
            .is_some_and(|address| address.chars().count() > limits::NAME_CHARACTERS)
        {
            return Err(ApiError::bad_field(
                field,
                "is too long for an address",
                "give the address alone",
            ));
        }
    }
    match question.price_glue {
        Some(price) if price < 0.0 => Err(ApiError::bad_field(
            "price_glue",
            format!("{price} is less than nothing"),
            "give what is asked",
        )),
        _ => Ok(()),
    }
}

fn examine(question: &Question) -> Result<Examination, ApiError> {
    match question.data_type {
        DataType::ChatLogs => {
            let data = chat_data::ChatData::read(&question.data_content)?;
            Ok(Examination {
                deductions: chat_checks::deductions(&data),
                records: data.messages.len(),
                counted: Counted::from([("messages", data.messages.len()), ("users", data.users().len())]),
                tariff: price::CHAT,
            })
        }
        DataType::Transcript => {
            let data = transcript_data::TranscriptData::read(&question.data_content)?;
            Ok(Examination {
                deductions: transcript_checks::deductions(&data),
                records: data.segments.len(),
                counted: Counted::from([("segments", data.segments.len()), ("words", data.words())]),
                tariff: price::TRANSCRIPT,
            })
        }
    }
}

fn reasoning(verdict: &Verdict, deductions: &[Deduction], counted: &Counted) -> String {
    let counted: Vec<String> = counted.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let mut reasons: Vec<&str> = deductions.iter().map(|deduction| deduction.reason.as_str()).collect();
    // One flaw may touch both scores.
    reasons.dedup();
    if reasons.is_empty() {
        reasons.push("Nothing to object to.");
    }
    format!(
        "Counted: {}. {} Recommendation: {}.",
        counted.join(", "),
        reasons.join(" "),
        verdict.recommendation.name()
    )
}

fn digest(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string()))
}
