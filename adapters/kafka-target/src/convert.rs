//! Events as records: as the original image wrote them, or by the CloudEvents binding.

use bytes::Bytes;
use common::{Event, event::json};
use kafka::binding;
use rdkafka::message::OwnedHeaders;
use serde::de::IgnoredAny;

use crate::config::{ContentMode, KafkaConfig};

/// A record to be written.
#[derive(Debug)]
pub struct Record {
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    pub headers: Option<OwnedHeaders>,
}

/// Makes the record of an event.
pub fn record(config: &KafkaConfig, event: Event) -> Record {
    let key = config.record_key.0.as_ref().and_then(|name| event.text(name)).map(|key| key.bytes().clone());
    let tombstones = config.tombstones.0;
    // What a record without data has for its value.
    let empty = (!tombstones).then(Bytes::new);
    let is_tombstone = tombstones && event.data().is_none();
    let (value, headers) = match config.content_mode {
        Some(ContentMode::Structured) if !is_tombstone => parts(binding::structured(&event)),
        Some(_) => parts(binding::binary(&event, empty)),
        None if is_tombstone => (None, None),
        None if config.discard_ce_context.0 => (event.data().cloned().or(empty), None),
        None => (Some(json::to_vec(&with_content_type(event)).into()), None),
    };
    Record { key, value, headers }
}

fn parts(encoded: binding::Encoded) -> (Option<Bytes>, Option<OwnedHeaders>) {
    (encoded.value, Some(encoded.headers))
}

/// Data without a content type is JSON to those who read what the original wrote, when it is JSON.
fn with_content_type(mut event: Event) -> Event {
    let is_json = |data: &Bytes| serde_json::from_slice::<IgnoredAny>(data).is_ok();
    if event.data_content_type().is_none() && event.data().is_some_and(is_json) {
        // A media type that is always valid.
        let _ = event.set("datacontenttype", "application/json");
    }
    event
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> KafkaConfig {
        let base = [("BOOTSTRAP_SERVERS", "a:1"), ("TOPIC", "t")];
        of(&[&base, settings].concat()).expect("a valid configuration")
    }

    fn event(content_type: &str, data: &[u8]) -> Event {
        let mut event = Event::new("1", "/s", "t").expect("an event");
        if !content_type.is_empty() {
            event.set("datacontenttype", content_type).expect("a media type");
        }
        event.replace_data((!data.is_empty()).then(|| Bytes::copy_from_slice(data)));
        event
    }

    /// Key, value and headers as text.
    fn written(settings: &[(&str, &str)], event: &Event) -> (Option<String>, Option<String>, String) {
        let record = record(&config(settings), event.clone());
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).expect("text");
        let headers = record.headers.as_ref().map(binding::texts).unwrap_or_default();
        let headers = headers.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        (record.key.map(text), record.value.map(text), headers)
    }

    #[test]
    fn as_the_original_wrote_them() {
        let start = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t""#;
        for (content_type, data, rest) in [
            (
                "application/json",
                r#"{"a": 1.0}"#,
                r#","datacontenttype":"application/json","data":{"a": 1.0}}"#,
            ),
            ("", "[1]", r#","datacontenttype":"application/json","data":[1]}"#),
            ("text/plain", "a\"b", r#","datacontenttype":"text/plain","data":"a\"b"}"#),
            ("", "plain", r#","data_base64":"cGxhaW4="}"#),
            ("", "", "}"),
        ] {
            let event = event(content_type, data.as_bytes());
            let expected = (Some("1".to_owned()), Some(format!("{start}{rest}")), String::new());
            assert_eq!(written(&[], &event), expected, "{content_type} {data}");
            let raw = written(&[("DISCARD_CE_CONTEXT", "true")], &event);
            assert_eq!(raw, (Some("1".to_owned()), Some(data.to_owned()), String::new()));
        }
    }

    #[test]
    fn by_the_binding() {
        let event = event("text/plain", b"hello");
        let (_, value, headers) = written(&[("CONTENT_MODE", "binary")], &event);
        assert_eq!(value.as_deref(), Some("hello"));
        assert_eq!(headers, "ce_specversion=1.0 ce_id=1 ce_source=/s ce_type=t content-type=text/plain ");
        let (_, value, headers) = written(&[("CONTENT_MODE", "structured")], &event);
        assert!(value.expect("a value").ends_with(r#""data":"hello"}"#));
        assert_eq!(headers, "content-type=application/cloudevents+json; charset=UTF-8 ");
    }

    #[test]
    fn keys_are_what_the_setting_names() {
        let mut event = event("", b"");
        event.set("partitionkey", "p").expect("an extension");
        for (setting, key) in [
            ("id", Some("1")),
            ("partitionkey", Some("p")),
            ("source", Some("/s")),
            ("subject", None),
            ("none", None),
        ] {
            assert_eq!(written(&[("RECORD_KEY", setting)], &event).0.as_deref(), key, "{setting}");
        }
    }

    #[test]
    fn tombstones_only_where_asked() {
        let event = event("", b"");
        for mode in [&[][..], &[("DISCARD_CE_CONTEXT", "1")], &[("CONTENT_MODE", "binary")]] {
            assert!(written(mode, &event).1.is_some(), "{mode:?}");
        }
        for mode in [
            &[][..],
            &[("DISCARD_CE_CONTEXT", "1")],
            &[("CONTENT_MODE", "binary")],
            &[("CONTENT_MODE", "structured")],
        ] {
            let (key, value, headers) = written(&[mode, &[("TOMBSTONES", "true")]].concat(), &event);
            assert_eq!((key.as_deref(), value), (Some("1"), None), "{mode:?}");
            assert_eq!(headers.contains("ce_id=1"), mode.iter().any(|(name, _)| *name == "CONTENT_MODE"));
        }
    }
}
