//! [`Agent`]: the other end of a data channel.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::super::message::{self, Message, MessageId};
use super::super::payload::{self, Acknowledge};
use super::super::{Conversation, socket};
use crate::connection::{Network, Trust};

/// What opens the channel.
const TOKEN: &str = "a-token";

/// The agent in a task.
pub(super) struct Agent {
    socket: WebSocketStream<TcpStream>,
    /// The number of its next message.
    next: i64,
}

/// Both ends of a new channel, opened with the token.
pub(super) async fn meet() -> (Agent, Conversation) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "ws://{}/v1/data-channel/session?role=publish_subscribe",
        listener.local_addr().unwrap()
    );
    let ours = async {
        let network = Network::direct(Trust::Machine);
        let socket = socket::connect(&network, &address).await.unwrap();
        Conversation::begin(socket, TOKEN, (80, 24))
    };
    let theirs = async {
        let (stream, _) = listener.accept().await.unwrap();
        let socket = accept_async(stream).await.unwrap();
        let mut agent = Agent { socket, next: 0 };
        agent.is_opened().await;
        agent
    };
    let (conversation, agent) = tokio::join!(ours, theirs);
    (agent, conversation)
}

impl Agent {
    async fn is_opened(&mut self) {
        let Some(Ok(Frame::Text(text))) = self.socket.next().await else {
            panic!("the first frame is not text");
        };
        let open: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(open["MessageSchemaVersion"], "1.0");
        assert_eq!(open["TokenValue"], TOKEN);
        assert_eq!(open["RequestId"].as_str().unwrap().len(), 36);
    }

    /// As the agent of a container does when a command begins.
    pub(super) async fn shake_hands(&mut self) {
        self.request(&json!([{
            "ActionType": "SessionType",
            "ActionParameters": { "SessionType": "InteractiveCommands", "Properties": {} },
        }]))
        .await;
        let (payload_type, response) = self.hear().await;
        assert_eq!(payload_type, payload::HANDSHAKE_RESPONSE);
        let response: Value = serde_json::from_slice(&response).unwrap();
        assert_eq!(response["ProcessedClientActions"][0]["ActionStatus"], 1);
        self.complete("").await;
    }

    pub(super) async fn request(&mut self, actions: &Value) {
        let request = json!({ "AgentVersion": "3.3.0.0", "RequestedClientActions": actions });
        self.say(payload::HANDSHAKE_REQUEST, request.to_string().as_bytes())
            .await;
    }

    pub(super) async fn complete(&mut self, greeting: &str) {
        let complete = json!({ "HandshakeTimeToComplete": 1_000_000, "CustomerMessage": greeting });
        self.say(payload::HANDSHAKE_COMPLETE, complete.to_string().as_bytes())
            .await;
    }

    pub(super) fn next_number(&self) -> i64 {
        self.next
    }

    pub(super) async fn say(&mut self, payload_type: u32, payload: &[u8]) {
        let number = self.next;
        self.next += 1;
        self.send_numbered(number, payload_type, payload).await;
    }

    pub(super) async fn send_numbered(&mut self, sequence: i64, payload_type: u32, payload: &[u8]) {
        let message = message(message::OUTPUT, sequence, payload_type, payload);
        self.send_raw(message.encode()).await;
    }

    pub(super) async fn close_channel(&mut self, reason: &str) {
        let closed = json!({ "MessageType": "channel_closed", "SessionId": "s", "Output": reason });
        let message = message(message::CHANNEL_CLOSED, 0, 0, closed.to_string().as_bytes());
        self.send_raw(message.encode()).await;
    }

    pub(super) async fn send_raw(&mut self, bytes: Vec<u8>) {
        self.socket.send(Frame::Binary(bytes.into())).await.unwrap();
    }

    /// The next thing that is typed, acknowledged; what comes again is the same thing.
    pub(super) async fn hear(&mut self) -> (u32, Vec<u8>) {
        let message = self.hear_without_acknowledging().await;
        self.acknowledge(&message).await;
        (message.payload_type, message.payload)
    }

    pub(super) async fn hear_without_acknowledging(&mut self) -> Message {
        loop {
            let frame = self.socket.next().await.expect("the other end is there").unwrap();
            if let Frame::Binary(bytes) = frame {
                let message = Message::decode(&bytes).unwrap();
                if message.kind == message::INPUT {
                    return message;
                }
            }
        }
    }

    pub(super) async fn acknowledge(&mut self, heard: &Message) {
        let acknowledge = Acknowledge::of(&heard.kind, heard.id, heard.sequence);
        let payload = serde_json::to_vec(&acknowledge).unwrap();
        self.send_raw(message(message::ACKNOWLEDGE, 0, 0, &payload).encode())
            .await;
    }

    /// Returns when the other end has closed the connection.
    pub(super) async fn is_left(&mut self) {
        while let Some(Ok(frame)) = self.socket.next().await {
            if frame.is_close() {
                return;
            }
        }
    }
}

fn message(kind: &str, sequence: i64, payload_type: u32, payload: &[u8]) -> Message {
    Message {
        kind: kind.to_owned(),
        created: 1,
        sequence,
        flags: 0,
        id: MessageId::from_random(u128::from(sequence.unsigned_abs())),
        payload_type,
        payload: payload.to_vec(),
    }
}
