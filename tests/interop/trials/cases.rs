//! The events that are exchanged, described so that every side can build and compare them.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::{Event, Failure, Request, ensure};
use serde_json::{Value, json};

/// An event: the members are `ID`, `Source`, `Type`, `Subject`, `Time`, `DataSchema`, `DataContentType`, `Extensions`
/// (text, integers, booleans), and one of `JSON`, `Text` and `Binary` (base64).
pub struct Case(pub Value);

/// Every kind of attribute and data. Sources and schemas are URIs in their normal form and times are in UTC, since some
/// SDKs keep no other.
pub fn cases() -> Vec<Case> {
    let values = json!([
        {"ID": "minimal", "Source": "/s", "Type": "t"},
        {"ID": "no-data", "Source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "Type": "com.example.empty",
         "Subject": "only attributes"},
        {"ID": "json", "Source": "https://example.com/a?b=c#d", "Type": "com.example.json", "Subject": "orders/7",
         "Time": "2018-04-05T17:31:00.123456789Z", "DataSchema": "https://example.com/schema/1",
         "DataContentType": "application/json",
         "JSON": {"z": [1, -2.5, null, true, "<&>"], "a": {"text": "Größe 😀 \"quoted\" \\ \n\u{2028}"}}},
        {"ID": "json-charset", "Source": "/s", "Type": "t", "DataContentType": "application/json; charset=utf-8",
         "JSON": "only a string"},
        {"ID": "json-scalar", "Source": "/s", "Type": "t", "DataContentType": "application/json", "JSON": 42},
        {"ID": "json-suffix", "Source": "/s", "Type": "t", "DataContentType": "application/vnd.example+json",
         "JSON": {"a": [1, 2]}},
        {"ID": "text", "Source": "/s", "Type": "t", "DataContentType": "text/plain", "Text": "two\nlines\tand a tab"},
        {"ID": "text-unicode", "Source": "/s", "Type": "t", "DataContentType": "text/plain; charset=utf-8",
         "Text": "Euro € 😀 \"quoted\""},
        {"ID": "xml", "Source": "/s", "Type": "t", "DataContentType": "application/xml", "Text": "<much wow=\"xml\"/>"},
        {"ID": "binary", "Source": "/s", "Type": "t", "DataContentType": "application/octet-stream",
         "Binary": "AP+AChMA/w=="},
        {"ID": "extensions", "Source": "/s", "Type": "t", "Time": "2026-01-02T03:04:05Z",
         "Extensions": {"text": "value", "number": 2147483647, "negative": -7, "flag": true, "other": false,
                        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                        "averyveryverylongname1": "x"}},
        {"ID": "unicode", "Source": "/s", "Type": "com.example.größe", "Subject": "Euro € 😀",
         "Extensions": {"greeting": "grüße 世界", "quoted": "a \"b\" c", "backslash": "a\\b", "spaces": "a  b"},
         "DataContentType": "application/json", "JSON": {"ключ": "значение"}},
    ]);
    values.as_array().into_iter().flatten().cloned().map(Case).collect()
}

impl Case {
    /// The id, which names the case.
    pub fn id(&self) -> &str {
        self.0["ID"].as_str().unwrap_or_default()
    }

    /// What every receiver must see.
    pub fn expected(&self) -> Event {
        let mut attributes = BTreeMap::from([("specversion".to_owned(), "1.0".to_owned())]);
        for member in ["ID", "Source", "Type", "Subject", "Time", "DataSchema", "DataContentType"] {
            if let Some(text) = self.0[member].as_str() {
                attributes.insert(member.to_lowercase(), text.to_owned());
            }
        }
        for (name, value) in self.0["Extensions"].as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            attributes.insert(name.clone(), text);
        }
        let data = match (&self.0["JSON"], &self.0["Text"], &self.0["Binary"]) {
            (_, Value::String(text), _) => text.clone().into_bytes(),
            (_, _, Value::String(encoded)) => STANDARD.decode(encoded).unwrap_or_default(),
            (Value::Null, ..) => Vec::new(),
            (json, ..) => json.to_string().into_bytes(),
        };
        Event { attributes, data, structured: false }
    }

    /// The event as one object of the JSON format.
    pub fn structured(&self) -> Value {
        let mut members: serde_json::Map<String, Value> =
            self.expected().attributes.into_iter().map(|(name, text)| (name, text.into())).collect();
        for (name, value) in self.0["Extensions"].as_object().into_iter().flatten() {
            members.insert(name.clone(), value.clone());
        }
        for (member, name) in [("JSON", "data"), ("Text", "data"), ("Binary", "data_base64")] {
            if !self.0[member].is_null() {
                members.insert(name.to_owned(), self.0[member].clone());
            }
        }
        members.into()
    }

    /// A request with it in structured mode.
    pub fn request(&self, path: &str) -> Request {
        Request::post(path).body("application/cloudevents+json", self.structured().to_string())
    }

    /// Compares field by field; JSON data is compared as values.
    pub fn check(&self, found: &Event) -> Result<(), Failure> {
        let expected = self.expected();
        let id = self.id();
        let names = |event: &Event| event.attributes.keys().cloned().collect::<Vec<_>>();
        ensure(names(found) == names(&expected), || {
            format!("{id}: attributes {:?}, expected {:?}", names(found), names(&expected))
        })?;
        for (name, value) in &expected.attributes {
            ensure(found.get(name) == value, || {
                format!("{id}: {name} {:?}, expected {value:?}", found.get(name))
            })?;
        }
        let same = if self.0["JSON"].is_null() {
            found.data == expected.data
        } else {
            found.json() == expected.json()
        };
        ensure(same, || {
            let show = |event: &Event| String::from_utf8_lossy(&event.data).into_owned();
            format!("{id}: data {:?}, expected {:?}", show(found), show(&expected))
        })
    }
}

/// Compares what arrived, in whatever order, with what was sent.
pub fn check_all(cases: &[Case], found: &[Event]) -> Result<(), Failure> {
    ensure(found.len() == cases.len(), || {
        format!("{} events arrived, {} were sent", found.len(), cases.len())
    })?;
    for case in cases {
        let event = found.iter().find(|event| event.get("id") == case.id());
        case.check(event.ok_or_else(|| format!("{} did not arrive", case.id()))?)?;
    }
    Ok(())
}
