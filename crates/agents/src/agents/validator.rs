//! validator: compares a data set with its own claims and with what people write like, and explains every deduction.

mod chat_checks;
mod chat_data;
mod chat_patterns;
mod history;
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

use self::history::{History, Offer, Usual};
use self::price::{PriceOpinion, Tariff};
use self::score::{Deduction, Verdict};
use super::{Agent, Route, Service, Skill, Start};
use crate::attestation::{Attestation, Attestor, canonical};
use crate::card::hex;
use crate::compute::compute;
use crate::error::ApiError;
use crate::input::Input;
use crate::limits;
use crate::payments::Price;
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
        price: Price::Flat(1_000),
    }],
    start,
};

/// What verdicts are reached with.
#[derive(Debug)]
struct Validator {
    attestor: Option<Attestor>,
    history: History,
}

fn start(start: &Start<'_>) -> Result<Service, StartError> {
    let history = History::open(&start.store)?;
    let views = vec![history.view()];
    let validator = Arc::new(Validator {
        attestor: Attestor::of(start),
        history,
    });
    Ok(Service {
        routes: Router::new().route("/validate", post(validate)).with_state(validator),
        dependencies: Vec::new(),
        views,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum DataType {
    #[serde(alias = "chat_log")]
    ChatLogs,
    #[serde(alias = "transcription", alias = "transcripts")]
    Transcript,
}

impl DataType {
    /// As it stands in the store.
    fn name(self) -> &'static str {
        match self {
            DataType::ChatLogs => "chat_logs",
            DataType::Transcript => "transcript",
        }
    }
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
    /// What was asked for other data of the kind before.
    usual_price: Option<Usual>,
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
    State(validator): State<Arc<Validator>>,
    Input(question): Input<Question>,
) -> Result<Json<Answer>, ApiError> {
    check(&question)?;
    let work = move || {
        let data = Value::Object(question.data_content.clone());
        let data_digest = format!("sha256:{}", digest(&data));
        let validation_id = digest(&json!(question))[..32].to_owned();
        (examine(&question), (data, data_digest), validation_id, question)
    };
    let (examination, (data, data_digest), validation_id, question) = compute(work).await;
    let Examination {
        deductions,
        records,
        counted,
        tariff,
    } = examination?;
    let price = question.price_glue.map(|asked| tariff.opinion(asked, records));
    let timestamp = Timestamp::now();
    let usual_price = match offer(&question, &data_digest, records) {
        Some(offer) => validator.history.compare(offer).await?,
        None => None,
    };
    let verdict = Verdict::of(&deductions, price_score(price.as_ref(), usual_price.as_ref()));
    let explanation = json!(deductions);
    let attestation = OptionFuture::from(
        validator
            .attestor
            .as_ref()
            .map(|it| it.attest(&data, verdict.overall_score, &explanation, timestamp)),
    );
    let attestation = attestation.await;
    Ok(Json(Answer {
        validation_id,
        data_type: question.data_type,
        reasoning: reasoning(&verdict, &deductions, &counted),
        verdict,
        deductions,
        price,
        counted,
        data_digest,
        usual_price,
        seller_address: question.seller_address,
        buyer_address: question.buyer_address,
        metadata: question.metadata,
        timestamp,
        attestation,
    }))
}

/// What is asked for one record; none where there is no price, or nothing to be had for it.
fn offer(question: &Question, data_digest: &str, records: usize) -> Option<Offer> {
    let per_record = question.price_glue? * 1e6 / records as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a price is not negative, and a cast of a float saturates"
    )]
    let per_record = per_record.round() as u64;
    (records > 0).then(|| Offer {
        data_type: question.data_type,
        data_digest: data_digest.to_owned(),
        per_record,
    })
}

/// The worse of the two opinions: against the tariff, and against what was usual.
fn price_score(price: Option<&PriceOpinion>, usual: Option<&Usual>) -> Option<f64> {
    let tariff = price.map(|price| price.score)?;
    let usual = usual.and_then(|usual| usual.score);
    Some(usual.map_or(tariff, |usual| tariff.min(usual)))
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
    hex(&Sha256::digest(canonical(value)))
}
