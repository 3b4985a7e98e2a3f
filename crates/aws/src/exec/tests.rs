//! The agent's side is played here, as the agent's source has it, over a real WebSocket:
//! <https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/session/datachannel/datachannel.go>

mod agent;
mod calls;

use std::future::Future;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use agent::{Agent, meet};

use super::*;

/// A test that hangs has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lets both ends talk: what the agent does is a test's own.
async fn run<Played: Future>(play: impl FnOnce(Agent, Conversation) -> Played) -> Played::Output {
    timeout(PATIENCE, async {
        let (agent, conversation) = meet().await;
        play(agent, conversation).await
    })
    .await
    .expect("the conversation ends in time")
}

async fn printed(conversation: &mut Conversation) -> Printed {
    conversation
        .next()
        .await
        .unwrap()
        .expect("the command prints something")
}

fn output(text: &str) -> Printed {
    Printed::Output(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_command_is_typed_to_and_prints_and_ends_with_its_exit_code() {
    run(async |mut agent, mut conversation| {
        agent.shake_hands().await;
        assert_eq!(
            agent.hear().await,
            (payload::SIZE, br#"{"cols":80,"rows":24}"#.to_vec())
        );
        agent.say(payload::OUTPUT, b"$ ").await;
        assert_eq!(printed(&mut conversation).await, output("$ "));
        let keyboard = conversation.keyboard();
        keyboard.send(Typed::Bytes(b"ls\r".to_vec())).await.unwrap();
        assert_eq!(agent.hear().await, (payload::OUTPUT, b"ls\r".to_vec()));
        keyboard.send(Typed::Resize { columns: 132, rows: 50 }).await.unwrap();
        assert_eq!(
            agent.hear().await,
            (payload::SIZE, br#"{"cols":132,"rows":50}"#.to_vec())
        );
        agent.say(payload::ERRORS, b"oh\n").await;
        assert_eq!(printed(&mut conversation).await, Printed::Errors(b"oh\n".to_vec()));
        agent.say(payload::EXIT_CODE, b"EXIT_CODE: 3").await;
        agent.close_channel("").await;
        assert_eq!(printed(&mut conversation).await, Printed::Ended(Some(3)));
        assert!(conversation.next().await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn the_end_of_what_is_typed_is_what_a_terminal_takes_for_it() {
    run(async |mut agent, conversation| {
        agent.shake_hands().await;
        agent.hear().await;
        let keyboard = conversation.keyboard();
        keyboard.send(Typed::Bytes(b"no line end".to_vec())).await.unwrap();
        keyboard.send(Typed::End).await.unwrap();
        agent.hear().await;
        assert_eq!(agent.hear().await, (payload::OUTPUT, vec![4, 4]));
    })
    .await;
}

#[tokio::test]
async fn what_is_pasted_goes_in_pieces_that_arrive_whole() {
    run(async |mut agent, conversation| {
        agent.shake_hands().await;
        agent.hear().await;
        let pasted: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        conversation
            .keyboard()
            .send(Typed::Bytes(pasted.clone()))
            .await
            .unwrap();
        let mut arrived = Vec::new();
        while arrived.len() < pasted.len() {
            arrived.extend(agent.hear().await.1);
        }
        assert!(arrived == pasted);
    })
    .await;
}

#[tokio::test]
async fn frames_out_of_order_twice_and_damaged_are_shown_once_and_in_order() {
    run(async |mut agent, mut conversation| {
        agent.shake_hands().await;
        let first = agent.next_number();
        agent.send_numbered(first + 2, payload::OUTPUT, b"c").await;
        agent.send_raw(b"garbage".to_vec()).await;
        agent.send_numbered(first + 1, payload::OUTPUT, b"b").await;
        agent.send_numbered(first + 1, payload::OUTPUT, b"b").await;
        agent.send_raw(vec![0; 500]).await;
        agent.send_numbered(first, payload::OUTPUT, b"a").await;
        agent.send_numbered(first, payload::OUTPUT, b"a").await;
        agent.send_numbered(first + 3, payload::OUTPUT, b"d").await;
        for text in ["a", "b", "c", "d"] {
            assert_eq!(printed(&mut conversation).await, output(text));
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again() {
    run(async |mut agent, conversation| {
        agent.shake_hands().await;
        agent.hear().await;
        conversation.keyboard().send(Typed::Bytes(b"x".to_vec())).await.unwrap();
        let lost = agent.hear_without_acknowledging().await;
        let again = agent.hear_without_acknowledging().await;
        assert_eq!((lost.sequence, &lost.payload), (again.sequence, &again.payload));
        assert_eq!(again.payload, b"x");
        agent.acknowledge(&again).await;
        conversation.keyboard().send(Typed::Bytes(b"y".to_vec())).await.unwrap();
        assert_eq!(agent.hear().await.1, b"y");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_goes_is_an_error_and_not_an_end() {
    run(async |mut agent, mut conversation| {
        agent.shake_hands().await;
        agent.say(payload::OUTPUT, b"half").await;
        assert_eq!(printed(&mut conversation).await, output("half"));
        drop(agent);
        let error = conversation.next().await.unwrap_err();
        assert!(matches!(error, ExecError::Broke), "{error}");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_command_with_a_terminal_has_no_exit_code() {
    run(async |mut agent, mut conversation| {
        agent.shake_hands().await;
        agent.say(payload::OUTPUT, b"bye").await;
        agent.close_channel("Process exited").await;
        assert_eq!(printed(&mut conversation).await, output("bye"));
        assert_eq!(printed(&mut conversation).await, Printed::Ended(None));
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_closed_before_it_began_says_why() {
    run(async |mut agent, mut conversation| {
        agent.close_channel("Session limit reached").await;
        let error = conversation.next().await.unwrap_err();
        assert_eq!(error.to_string(), "the session was closed: Session limit reached");
    })
    .await;
}

#[tokio::test]
async fn encryption_with_a_key_is_refused_to_the_agent_and_told_to_the_user() {
    run(async |mut agent, mut conversation| {
        let action = json!({ "ActionType": "KMSEncryption", "ActionParameters": { "KMSKeyId": "k" } });
        agent.request(&json!([action])).await;
        let (_, response) = agent.hear().await;
        let response: serde_json::Value = serde_json::from_slice(&response).unwrap();
        assert_eq!(response["ProcessedClientActions"][0]["ActionStatus"], 2);
        let error = conversation.next().await.unwrap_err();
        assert!(matches!(error, ExecError::Encryption), "{error}");
        assert!(error.hint().unwrap().contains("aws ecs execute-command"));
    })
    .await;
}

#[tokio::test]
async fn what_the_owner_of_the_account_says_comes_first() {
    run(async |mut agent, mut conversation| {
        agent.request(&json!([])).await;
        agent.hear().await;
        agent.complete("Authorised use only").await;
        assert_eq!(
            printed(&mut conversation).await,
            Printed::Greeting("Authorised use only".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn a_user_who_goes_closes_the_connection() {
    run(async |mut agent, conversation| {
        agent.shake_hands().await;
        agent.hear().await;
        drop(conversation);
        agent.is_left().await;
    })
    .await;
}
