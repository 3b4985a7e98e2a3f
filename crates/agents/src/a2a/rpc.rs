//! JSON-RPC: from a body to a method, and from its result to a body.
//!
//! <https://a2a-protocol.org/latest/specification/>, "JSON-RPC Protocol Binding". An error is an answer like any other, with status 200.

use ::a2a::{
    A2AError, CancelTaskRequest, DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest,
    GetTaskRequest, JsonRpcId, JsonRpcResponse, ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse, ListTasksRequest, ListTasksResponse, SVC_PARAM_VERSION,
    SendMessageRequest, SendMessageResponse, SubscribeToTaskRequest, TaskPushNotificationConfig, VERSION, methods,
};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::A2a;
use super::error::bad_field;
use super::record::with_history;
use super::stream;
use crate::input::unreadable_body;
use crate::trace::Trace;

/// A well-formed call.
struct Call {
    id: JsonRpcId,
    method: String,
    params: Value,
}

/// Answers one call.
pub(super) async fn answer(
    State(a2a): State<A2a>,
    trace: Trace,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return unreadable_body(&rejection).into_response(),
    };
    let call = match Call::read(&body) {
        Ok(call) => call,
        Err((id, error)) => return failure(id, &error),
    };
    if let Err(error) = check_version(&headers, query.as_deref()) {
        return failure(call.id, &error);
    }
    let id = call.id.clone();
    let answered = match call.method.as_str() {
        methods::SEND_STREAMING_MESSAGE | methods::SUBSCRIBE_TO_TASK => a2a.streaming(call, trace).await,
        _ => a2a.call(call, trace).await.map(|result| success(id.clone(), result)),
    };
    answered.unwrap_or_else(|error| failure(id, &error))
}

impl A2a {
    async fn call(&self, call: Call, trace: Trace) -> Result<Value, A2AError> {
        let params = call.params;
        match call.method.as_str() {
            methods::SEND_MESSAGE => result(SendMessageResponse::Task(
                self.send(read::<SendMessageRequest>(params)?, trace).await?,
            )),
            methods::GET_TASK => {
                let request: GetTaskRequest = read(params)?;
                let record = self.0.tasks.find(&request.id).await?;
                result(with_history(record.task, request.history_length))
            }
            methods::LIST_TASKS => self.list(read(params)?).await,
            methods::CANCEL_TASK => {
                let request: CancelTaskRequest = read(params)?;
                result(self.cancel(&request.id).await?)
            }
            methods::CREATE_PUSH_CONFIG => result(self.create_push(read(params)?).await?),
            methods::GET_PUSH_CONFIG => result(self.push_config(read(params)?).await?),
            methods::LIST_PUSH_CONFIGS => result(self.push_configs(read(params)?).await?),
            methods::DELETE_PUSH_CONFIG => {
                let request: DeleteTaskPushNotificationConfigRequest = read(params)?;
                self.0.tasks.find(&request.task_id).await?;
                self.0.tasks.remove_push(request.task_id, request.id).await?;
                Ok(json!({}))
            }
            methods::GET_EXTENDED_AGENT_CARD => {
                let reason = "there is no extended card: the public one says everything";
                Err(A2AError::unsupported_operation(reason))
            }
            method => Err(A2AError::method_not_found(method)),
        }
    }

    async fn streaming(&self, call: Call, trace: Trace) -> Result<Response, A2AError> {
        let task = if call.method == methods::SEND_STREAMING_MESSAGE {
            self.begin(read::<SendMessageRequest>(call.params)?, trace).await?
        } else {
            let request: SubscribeToTaskRequest = read(call.params)?;
            let task = self.0.tasks.find(&request.id).await?.task;
            if task.status.state.is_terminal() {
                return Err(A2AError::unsupported_operation("the task has ended: GetTask tells how"));
            }
            task
        };
        Ok(stream::of(self.clone(), call.id, task).into_response())
    }

    async fn list(&self, request: ListTasksRequest) -> Result<Value, A2AError> {
        let page = self.0.tasks.list(&request).await?;
        let with_artifacts = request.include_artifacts == Some(true);
        let tasks = page.tasks.into_iter().map(|mut task| {
            task.artifacts = if with_artifacts {
                Some(task.artifacts.unwrap_or_default())
            } else {
                None
            };
            with_history(task, request.history_length)
        });
        result(ListTasksResponse {
            tasks: tasks.collect(),
            next_page_token: page.next,
            page_size: page.size,
            total_size: page.total,
        })
    }

    async fn create_push(&self, config: TaskPushNotificationConfig) -> Result<TaskPushNotificationConfig, A2AError> {
        self.0.tasks.find(&config.task_id).await?;
        let config = self.0.push.accept(config).await?;
        self.0.tasks.set_push(config.clone()).await?;
        Ok(config)
    }

    async fn push_config(
        &self,
        request: GetTaskPushNotificationConfigRequest,
    ) -> Result<TaskPushNotificationConfig, A2AError> {
        let configs = self.0.tasks.pushes(&request.task_id).await?;
        let wanted = |config: &TaskPushNotificationConfig| config.id.as_deref() == Some(&request.id);
        let found = configs.into_iter().find(wanted);
        found.ok_or_else(|| A2AError::task_not_found(&request.task_id))
    }

    async fn push_configs(
        &self,
        request: ListTaskPushNotificationConfigsRequest,
    ) -> Result<ListTaskPushNotificationConfigsResponse, A2AError> {
        self.0.tasks.find(&request.task_id).await?;
        Ok(ListTaskPushNotificationConfigsResponse {
            configs: self.0.tasks.pushes(&request.task_id).await?,
            next_page_token: None,
        })
    }
}

impl Call {
    /// Reads a body, or says what is wrong with it and for whom.
    fn read(body: &[u8]) -> Result<Call, (JsonRpcId, A2AError)> {
        let invalid = |id, reason: &str| (id, A2AError::invalid_request(reason));
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| (JsonRpcId::Null, A2AError::parse_error(format!("no JSON: {error}"))))?;
        let Value::Object(mut object) = value else {
            return Err(invalid(JsonRpcId::Null, "send one call as an object"));
        };
        let id = match object.remove("id") {
            Some(id) => serde_json::from_value(id).map_err(|error| invalid(JsonRpcId::Null, &error.to_string()))?,
            None => return Err(invalid(JsonRpcId::Null, "a call has an id")),
        };
        if object.get("jsonrpc") != Some(&json!("2.0")) {
            return Err(invalid(id, "jsonrpc is not \"2.0\""));
        }
        match object.remove("method") {
            Some(Value::String(method)) => {
                let params = object.remove("params").unwrap_or_else(|| json!({}));
                Ok(Call { id, method, params })
            }
            _ => Err(invalid(id, "method is no text")),
        }
    }
}

/// Major and minor decide; a caller who says nothing speaks 0.3, which is not spoken here.
fn check_version(headers: &HeaderMap, query: Option<&str>) -> Result<(), A2AError> {
    let header = headers
        .get(SVC_PARAM_VERSION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let parameter = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name.eq_ignore_ascii_case(SVC_PARAM_VERSION));
    let version = header.or_else(|| parameter.map(|(_, value)| value.into_owned()));
    let version = version
        .filter(|version| !version.is_empty())
        .unwrap_or_else(|| "0.3".to_owned());
    if version == VERSION {
        return Ok(());
    }
    let error = A2AError::version_not_supported(&version);
    let message = format!("{}; this agent speaks {VERSION}", error.message);
    Err(A2AError { message, ..error })
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, A2AError> {
    serde_path_to_error::deserialize(params)
        .map_err(|error| bad_field(error.path().to_string(), error.inner().to_string()))
}

fn result(value: impl Serialize) -> Result<Value, A2AError> {
    serde_json::to_value(value).map_err(|error| A2AError::internal(error.to_string()))
}

fn success(id: JsonRpcId, result: Value) -> Response {
    Json(JsonRpcResponse::success(id, result)).into_response()
}

fn failure(id: JsonRpcId, error: &A2AError) -> Response {
    Json(JsonRpcResponse::error(id, error.to_jsonrpc_error())).into_response()
}

#[cfg(test)]
mod tests {
    use ::a2a::error_code::{INVALID_REQUEST, PARSE_ERROR, VERSION_NOT_SUPPORTED};
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz;

    #[test]
    fn a_body_that_is_no_call_is_refused_for_whom_it_came_from() {
        let check = |body: &str, id: JsonRpcId, code: i32| {
            let (found, error) = Call::read(body.as_bytes()).err().unwrap();
            assert_eq!((found, error.code), (id, code), "{body}");
        };
        check("{", JsonRpcId::Null, PARSE_ERROR);
        check(&"[".repeat(10_000), JsonRpcId::Null, PARSE_ERROR);
        check("[]", JsonRpcId::Null, INVALID_REQUEST);
        check(
            r#"{"jsonrpc":"2.0","method":"GetTask"}"#,
            JsonRpcId::Null,
            INVALID_REQUEST,
        );
        check(
            r#"{"jsonrpc":"2.0","method":"GetTask","id":1.5}"#,
            JsonRpcId::Null,
            INVALID_REQUEST,
        );
        check(
            r#"{"jsonrpc":"1.0","method":"GetTask","id":7}"#,
            JsonRpcId::Number(7),
            INVALID_REQUEST,
        );
        check(
            r#"{"jsonrpc":"2.0","method":3,"id":"a"}"#,
            JsonRpcId::from("a"),
            INVALID_REQUEST,
        );
    }

    #[test]
    fn only_our_version_is_spoken() {
        let check = |header: Option<&'static str>, query: Option<&str>, is_spoken: bool| {
            let headers = header.map(|version| (SVC_PARAM_VERSION.parse().unwrap(), version.parse().unwrap()));
            let found = check_version(&headers.into_iter().collect(), query);
            assert_eq!(found.is_ok(), is_spoken, "{header:?} {query:?}");
            if let Err(error) = found {
                assert_eq!(error.code, VERSION_NOT_SUPPORTED);
            }
        };
        check(Some("1.0"), None, true);
        check(None, Some("A2A-Version=1.0"), true);
        check(None, Some("a2a-version=1.0"), true);
        check(None, None, false);
        check(Some(""), None, false);
        check(Some("0.3"), None, false);
        check(Some("1.1"), Some("A2A-Version=1.0"), false);
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200), text in ".*") {
            let _ = Call::read(&body);
            let _ = Call::read(text.as_bytes());
        }
    }

    #[test]
    fn no_changed_call_breaks_it() {
        let examples = [
            r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hola"},{"data":{"users":["ana"]}},{"raw":"aGk="}]},"configuration":{"historyLength":3,"returnImmediately":true}}}"#,
            r#"{"jsonrpc":"2.0","id":"x","method":"ListTasks","params":{"pageSize":3,"pageToken":"a","statusTimestampAfter":"2026-01-12T17:00:00Z"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"CreateTaskPushNotificationConfig","params":{"taskId":"t","url":"https://example.org/x"}}"#,
        ];
        fuzz(&examples, |bytes| drop(Call::read(bytes)));
    }
}
