//! What a chat log must be before it is taken.

use std::collections::BTreeSet;

use crate::chat::{ChatLog, Message};
use crate::error::ApiError;
use crate::limits;

/// Refuses a log with an empty or endless name or text, or one that does not hold what it claims to.
pub(super) fn check_log(log: &ChatLog) -> Result<(), ApiError> {
    check_text("stream_id", &log.stream_id, limits::NAME_CHARACTERS)?;
    check_text("streamer", &log.streamer, limits::NAME_CHARACTERS)?;
    check_text("stream_title", &log.stream_title, limits::TEXT_CHARACTERS)?;
    for (index, message) in log.messages.iter().enumerate() {
        check_message(index, message)?;
    }
    let users: BTreeSet<String> = log.messages.iter().map(|message| message.user.to_lowercase()).collect();
    check_claim("total_messages", log.total_messages, log.messages.len())?;
    check_claim("unique_users", log.unique_users, users.len())
}

fn check_message(index: usize, message: &Message) -> Result<(), ApiError> {
    check_text(
        &format!("messages[{index}].user"),
        &message.user,
        limits::NAME_CHARACTERS,
    )?;
    check_text(
        &format!("messages[{index}].message"),
        &message.message,
        limits::TEXT_CHARACTERS,
    )?;
    for (badge, name) in message.user_badges.iter().enumerate() {
        check_text(
            &format!("messages[{index}].user_badges[{badge}]"),
            name,
            limits::NAME_CHARACTERS,
        )?;
    }
    Ok(())
}

fn check_text(field: &str, text: &str, longest: usize) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::bad_field(
            field,
            "is empty",
            "give a text or leave the entry out",
        ));
    }
    let length = text.chars().count();
    if length > longest {
        let reason = format!("has {length} characters, and {longest} is the most");
        return Err(ApiError::bad_field(field, reason, "shorten it"));
    }
    Ok(())
}

fn check_claim(field: &str, claimed: Option<usize>, counted: usize) -> Result<(), ApiError> {
    match claimed {
        Some(claimed) if claimed != counted => {
            let reason = format!("the log claims {claimed} and holds {counted}");
            Err(ApiError::bad_field(
                field,
                reason,
                "send the whole log, or leave the claim out",
            ))
        }
        _ => Ok(()),
    }
}
