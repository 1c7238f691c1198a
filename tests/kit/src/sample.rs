//! What passed through an adapter in a run, for its README: what differs from run to run is replaced, so that another run
//! gives the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::event::is_json;
use crate::{Event, Failure, Harness, World};

/// What stands for every id, moment and port.
const ID: &str = "0b2f6d1c-54b3-4f7e-9a51-7d3f0c9e2a64";
const MOMENT: &str = "2026-01-02T03:04:05Z";
const PORT: &str = "8080";

impl Harness {
    /// Places in the sample, as JSON pointers, whose values differ from run to run, and what stands there instead. Ids that
    /// are UUIDs, times, ports of loopback and the trial's folder need not be named.
    #[must_use]
    pub fn varying(mut self, places: &[(&'static str, &'static str)]) -> Self {
        self.varying.extend_from_slice(places);
        self
    }
}

impl World {
    /// Replaces in a sample what this run alone has.
    ///
    /// # Errors
    /// When a place that the harness names is not there.
    pub fn settle(&self, sample: &mut Value) -> Result<(), Failure> {
        let folder = self.folder().to_string_lossy();
        // Harnesses name topics and the like after it.
        let name =
            folder.rsplit('/').next().unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        each_text(sample, &|text| settled(&text.replace(&*folder, "/tmp").replace(&name, "")));
        for (pointer, value) in &self.harness.varying {
            let place =
                sample.pointer_mut(pointer).ok_or_else(|| format!("there is no {pointer} in the sample"))?;
            *place = if place.is_string() { (*value).into() } else { payload(value.as_bytes()) };
        }
        Ok(())
    }
}

impl Event {
    /// Its JSON form; attributes are text.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members: Map<String, Value> =
            self.attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let has_json = is_json(members.get("datacontenttype"));
        match (serde_json::from_slice::<Value>(&self.data), std::str::from_utf8(&self.data)) {
            _ if self.data.is_empty() => {}
            (Ok(data), _) if has_json => drop(members.insert("data".to_owned(), data)),
            (_, Ok(text)) => drop(members.insert("data".to_owned(), text.into())),
            _ => drop(members.insert("data_base64".to_owned(), STANDARD.encode(&self.data).into())),
        }
        members.into()
    }
}

/// Bytes as JSON if they are some, else as text, else as base64.
#[must_use]
pub fn payload(bytes: &[u8]) -> Value {
    match (serde_json::from_slice(bytes), std::str::from_utf8(bytes)) {
        (Ok(value), _) => value,
        (_, Ok(text)) => text.into(),
        _ => json!({"base64": STANDARD.encode(bytes)}),
    }
}

fn each_text(value: &mut Value, change: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(elements) => elements.iter_mut().for_each(|element| each_text(element, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        _ => {}
    }
}

/// The text with its ids, moments and ports replaced.
fn settled(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-:.+".contains(c);
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        result += &settled_word(word);
        let end = after.find(is_part).unwrap_or(after.len());
        result += &after[..end];
        rest = &after[end..];
    }
    result
}

fn settled_word(word: &str) -> String {
    let port = word.strip_prefix("127.0.0.1:").filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    if port.is_some() {
        format!("127.0.0.1:{PORT}")
    } else if is_uuid(word) {
        ID.to_owned()
    } else if DateTime::parse_from_rfc3339(word).is_ok() {
        MOMENT.to_owned()
    } else {
        word.to_owned()
    }
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_replaced() {
        for (text, expected) in [
            ("http://127.0.0.1:43211/a?b=1", "http://127.0.0.1:8080/a?b=1".to_owned()),
            ("{id: \"3F2504E0-4f89-41d3-9a0c-0305e82c3301\"}", format!("{{id: \"{ID}\"}}")),
            ("at 2024-02-29T23:59:59.123+01:00, ü", format!("at {MOMENT}, ü")),
            (
                "arn:aws:sqs:us-west-2:123456789012:orders",
                "arn:aws:sqs:us-west-2:123456789012:orders".to_owned(),
            ),
            ("", String::new()),
        ] {
            assert_eq!(settled(text), expected);
        }
    }

    #[test]
    fn an_event_has_a_json_form() -> Result<(), Failure> {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}});
        assert_eq!(Event::from_json(&event)?.to_json(), event);
        let mut text = event.clone();
        text["datacontenttype"] = "text/plain".into();
        text["data"] = "{\"a\": 1}".into();
        assert_eq!(Event::from_json(&text)?.to_json(), text);
        Ok(())
    }
}
