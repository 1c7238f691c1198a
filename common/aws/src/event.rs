//! What events become on their way to AWS, and the reply events of the targets.

use bytes::Bytes;
use common::{
    Event, InvalidEvent,
    event::{json, new_id, now},
};

use crate::Arn;

/// What is sent for an event: its data alone, or all of it in the JSON format of CloudEvents.
#[must_use]
pub fn body(event: &Event, data_only: bool) -> Bytes {
    if data_only { event.data().cloned().unwrap_or_default() } else { json::to_vec(event).into() }
}

/// The reply of a target: what AWS answered, as JSON.
///
/// # Errors
/// When the ARN cannot be the source of an event.
pub fn reply(event_type: &'static str, arn: &Arn, data: impl Into<Bytes>) -> Result<Event, InvalidEvent> {
    let mut event = Event::new(new_id(), arn.as_str(), event_type)?;
    event.set("time", now())?;
    event.set_data("application/json", data)?;
    Ok(event)
}

/// The value of a field in [`go_struct`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoValue<'a> {
    /// A text.
    Text(&'a str),
    /// A truth value.
    Flag(bool),
    /// A value that is not shown.
    Sensitive,
}

/// A structure as the Go SDK's `String()` writes it, in a JSON string: what the original targets reply with. Fields are in
/// the order of their names; those without a value are left out.
#[must_use]
pub fn go_struct(fields: &[(&str, Option<GoValue<'_>>)]) -> Bytes {
    let lines: Vec<_> = fields
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("  {name}: {}", go_value(value))))
        .collect();
    let text = format!("{{\n{}\n}}", lines.join(",\n"));
    serde_json::Value::String(text).to_string().into()
}

fn go_value(value: GoValue<'_>) -> String {
    match value {
        GoValue::Text(text) => quoted(text),
        GoValue::Flag(flag) => flag.to_string(),
        GoValue::Sensitive => "<sensitive>".to_owned(),
    }
}

/// Go's `%q`, for what AWS answers with.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_those_of_the_go_sdk() {
        let fields = [
            ("ETag", Some(GoValue::Text("\"9bb5\""))),
            ("SSEKMSKeyId", Some(GoValue::Sensitive)),
            ("VersionId", None),
        ];
        let text: String = serde_json::from_slice(&go_struct(&fields)).expect("a JSON string");
        assert_eq!(text, "{\n  ETag: \"\\\"9bb5\\\"\",\n  SSEKMSKeyId: <sensitive>\n}");
    }

    #[test]
    fn the_body_is_the_event_or_its_data() {
        let mut event = Event::new("1", "/s", "t").expect("valid");
        event.set_data("text/plain", "hello").expect("valid");
        assert_eq!(body(&event, true), "hello");
        let whole = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/plain","data":"hello"}"#;
        assert_eq!(body(&event, false), whole);
    }
}
