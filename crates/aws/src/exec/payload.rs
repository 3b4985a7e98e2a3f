//! What messages say: the payload types, and those payloads that are JSON.
//!
//! <https://github.com/aws/session-manager-plugin/blob/mainline/src/message/handshakemessage.go>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::MessageId;

/// Bytes of the terminal, in both directions.
pub(crate) const OUTPUT: u32 = 1;
/// The size of the user's terminal.
pub(crate) const SIZE: u32 = 3;
/// What the agent wants of us first.
pub(crate) const HANDSHAKE_REQUEST: u32 = 5;
/// What we made of it.
pub(crate) const HANDSHAKE_RESPONSE: u32 = 6;
/// The command begins.
pub(crate) const HANDSHAKE_COMPLETE: u32 = 7;
/// From the command's standard error, where it has one of its own.
pub(crate) const ERRORS: u32 = 11;
/// The command has ended; the text `EXIT_CODE: 3`.
pub(crate) const EXIT_CODE: u32 = 12;

/// What we call ourselves. Agents compare it with versions of AWS's own client: behind 1.2.295 they send a command's standard error apart.
pub(crate) const CLIENT_VERSION: &str = "1.2.331.0";

/// The first thing that is sent, as text: who we are, and the token that proves it. It has no `Debug`, because of the token.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OpenDataChannel<'a> {
    pub(crate) message_schema_version: &'a str,
    pub(crate) request_id: String,
    pub(crate) token_value: &'a str,
    pub(crate) client_id: String,
    pub(crate) client_version: &'a str,
}

/// That a message has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acknowledge {
    #[serde(rename = "AcknowledgedMessageType")]
    pub(crate) kind: String,
    #[serde(rename = "AcknowledgedMessageId")]
    pub(crate) id: String,
    #[serde(rename = "AcknowledgedMessageSequenceNumber")]
    pub(crate) sequence: i64,
    #[serde(rename = "IsSequentialMessage")]
    pub(crate) is_sequential: bool,
}

/// How large the user's terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

/// What the agent wants done before the command begins.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HandshakeRequest {
    #[serde(default)]
    pub(crate) requested_client_actions: Vec<RequestedAction>,
}

/// One of these things.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RequestedAction {
    pub(crate) action_type: String,
    #[serde(default)]
    pub(crate) action_parameters: Value,
}

/// What became of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HandshakeResponse {
    pub(crate) client_version: &'static str,
    pub(crate) processed_client_actions: Vec<ProcessedAction>,
    pub(crate) errors: Vec<String>,
}

/// What became of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ProcessedAction {
    pub(crate) action_type: String,
    /// 1 done, 2 failed, 3 not known here.
    pub(crate) action_status: u8,
    pub(crate) action_result: Option<Value>,
    pub(crate) error: String,
}

/// The handshake is over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct HandshakeComplete {
    /// What the account's owner wants users to read.
    pub(crate) customer_message: String,
}

/// Why there is nothing more.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ChannelClosed {
    pub(crate) output: String,
}

/// Why a session is not entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The cluster wants the session encrypted with a KMS key, on top of TLS.
    #[error("the session is to be encrypted with a KMS key")]
    Encryption,
    /// A sort of session, or something else that is not known here.
    #[error("the agent wants {0}, which is not known here")]
    Unknown(String),
}

impl Acknowledge {
    pub(crate) fn of(kind: &str, id: MessageId, sequence: i64) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_string(),
            sequence,
            is_sequential: true,
        }
    }
}

impl HandshakeRequest {
    /// The answer, and the first thing in it that could not be done.
    pub(crate) fn answer(&self) -> (HandshakeResponse, Option<Refusal>) {
        let outcomes = self.requested_client_actions.iter().map(RequestedAction::outcome);
        let refusals: Vec<Refusal> = outcomes.filter_map(Result::err).collect();
        let response = HandshakeResponse {
            client_version: CLIENT_VERSION,
            processed_client_actions: self
                .requested_client_actions
                .iter()
                .map(RequestedAction::process)
                .collect(),
            errors: refusals.iter().map(ToString::to_string).collect(),
        };
        (response, refusals.into_iter().next())
    }
}

impl RequestedAction {
    /// Terminals and commands are the sessions that ECS begins.
    fn outcome(&self) -> Result<(), Refusal> {
        let session = || self.action_parameters["SessionType"].as_str().unwrap_or_default();
        match self.action_type.as_str() {
            "SessionType" => match session() {
                "Standard_Stream" | "InteractiveCommands" | "NonInteractiveCommands" => Ok(()),
                other => Err(Refusal::Unknown(format!("a session of type {other:?}"))),
            },
            "KMSEncryption" => Err(Refusal::Encryption),
            other => Err(Refusal::Unknown(format!("{other:?}"))),
        }
    }

    fn process(&self) -> ProcessedAction {
        let outcome = self.outcome();
        let is_known = matches!(self.action_type.as_str(), "SessionType" | "KMSEncryption");
        ProcessedAction {
            action_type: self.action_type.clone(),
            action_status: match outcome {
                Ok(()) => 1,
                Err(_) if is_known => 2,
                Err(_) => 3,
            },
            action_result: None,
            error: outcome.err().map(|refusal| refusal.to_string()).unwrap_or_default(),
        }
    }
}

/// The number in `EXIT_CODE: 3`.
pub(crate) fn exit_code(payload: &[u8]) -> Option<i32> {
    let text = str::from_utf8(payload).ok()?;
    text.trim_matches(['\0', ' ', '\n'])
        .strip_prefix("EXIT_CODE:")?
        .trim()
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(actions: &Value, statuses: &[u8], refusal: Option<&Refusal>) {
        let request: HandshakeRequest =
            serde_json::from_value(json!({ "AgentVersion": "3.3.0.0", "RequestedClientActions": actions })).unwrap();
        let (response, first) = request.answer();
        let given: Vec<u8> = response
            .processed_client_actions
            .iter()
            .map(|it| it.action_status)
            .collect();
        assert_eq!(given, statuses);
        assert_eq!(first.as_ref(), refusal);
        assert_eq!(response.errors.is_empty(), first.is_none());
    }

    fn session(kind: &str) -> Value {
        json!({ "ActionType": "SessionType", "ActionParameters": { "SessionType": kind, "Properties": {} } })
    }

    #[test]
    fn sessions_of_ecs_are_entered_and_others_refused() {
        check(&json!([session("InteractiveCommands")]), &[1], None);
        check(&json!([session("Standard_Stream")]), &[1], None);
        check(&json!([]), &[], None);
        check(
            &json!([session("Port")]),
            &[2],
            Some(&Refusal::Unknown("a session of type \"Port\"".to_owned())),
        );
        check(
            &json!([{ "ActionType": "Dance" }]),
            &[3],
            Some(&Refusal::Unknown("\"Dance\"".to_owned())),
        );
        let encryption = json!({ "ActionType": "KMSEncryption", "ActionParameters": { "KMSKeyId": "k" } });
        check(
            &json!([encryption, session("Standard_Stream")]),
            &[2, 1],
            Some(&Refusal::Encryption),
        );
    }

    #[test]
    fn the_answer_has_the_names_that_agents_read() {
        let request = HandshakeRequest {
            requested_client_actions: vec![RequestedAction {
                action_type: "SessionType".to_owned(),
                action_parameters: json!({ "SessionType": "InteractiveCommands" }),
            }],
        };
        assert_eq!(
            serde_json::to_value(request.answer().0).unwrap(),
            json!({
                "ClientVersion": CLIENT_VERSION,
                "ProcessedClientActions":
                    [{ "ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": "" }],
                "Errors": [],
            })
        );
    }

    #[test]
    fn an_exit_code_is_text() {
        assert_eq!(exit_code(b"EXIT_CODE: 3"), Some(3));
        assert_eq!(exit_code(b"EXIT_CODE: -1"), Some(-1));
        assert_eq!(exit_code(b"3"), None);
        assert_eq!(exit_code(b"\xff"), None);
    }
}
