//! An event as a message: its body, and for a FIFO queue its group and its deduplication id
//! (Amazon SQS API Reference, `SendMessageBatchRequestEntry`).

use common::{Error, Event};
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::config::SqsTargetConfig;

/// The largest message, and the largest batch, of today (1 MiB since August 2025; a queue may allow less).
pub const MAX_BYTES: usize = 1 << 20;
/// Characters of the longest group or deduplication id.
const MAX_ID: usize = 128;

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub body: String,
    pub group: Option<String>,
    pub deduplication: Option<String>,
}

/// Makes a message of an event.
///
/// # Errors
/// When no message can hold it.
pub fn entry(config: &SqsTargetConfig, event: &Event) -> Result<Entry, Error> {
    let body = String::from_utf8(aws::body(event, config.aws_discard_ce_context.0).into()).map_err(|_| {
        Error::permanent("the data is not UTF-8, and a message without the event's context is text")
    })?;
    if body.is_empty() {
        return Err(Error::permanent("the event has no data, and a message must not be empty"));
    }
    if body.len() > MAX_BYTES {
        let message = format!("a message of {} bytes is longer than {MAX_BYTES}", body.len());
        return Err(Error::permanent(message).with_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    if let Some(character) = body.chars().find(|character| !is_allowed(*character)) {
        let message = format!("a message cannot hold the character {}", character.escape_unicode());
        return Err(Error::permanent(message));
    }
    let (group, deduplication) = if config.is_fifo() {
        (Some(group(config, event)), Some(id(format!("{};{}", event.id(), event.source()))))
    } else {
        (None, None)
    };
    Ok(Entry { body, group, deduplication })
}

/// What a message may hold: the characters of XML 1.0.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The group whose order is kept: as configured, else what the event says it belongs to.
fn group(config: &SqsTargetConfig, event: &Event) -> String {
    let of_event = || {
        let said = event.get("partitionkey").filter(|key| !key.is_empty());
        said.or_else(|| event.get("subject")).unwrap_or_else(|| event.source()).to_owned()
    };
    id(config.aws_message_group_id.clone().unwrap_or_else(of_event))
}

/// A text as an id: itself where it can be one, else its hash.
fn id(text: String) -> String {
    if is_id(&text) {
        return text;
    }
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters, digits and punctuation of ASCII.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
