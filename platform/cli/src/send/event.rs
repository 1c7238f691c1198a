//! The events to send: from flags, from a file, from standard input.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use bytes::Bytes;
use common::Event;
use common::event::{json, new_id};
use serde_json::Value as Json;

/// What an event has that nobody described.
const TYPE: &str = "trestle.send";
const SOURCE: &str = "trestle";

/// What the command line says of the events.
#[derive(Default)]
pub struct Description {
    /// By name, in the order of the specification; they win over those of a file.
    pub attributes: Vec<(String, String)>,
    pub data: Option<String>,
    /// `-` is standard input.
    pub file: Option<PathBuf>,
}

impl Description {
    /// The events: those in the file (one, or a list, in JSON form), else one whose data is the file.
    ///
    /// # Errors
    /// What cannot be read, or is no event.
    pub fn events(&self) -> Result<Vec<Event>, String> {
        let input = match (&self.data, &self.file) {
            (Some(data), _) => return Ok(vec![self.event(Some(data.clone().into()))?]),
            (None, Some(file)) if file.as_os_str() != "-" => {
                let bytes = std::fs::read(file);
                Some(bytes.map_err(|error| format!("cannot read {}: {error}", file.display()))?)
            }
            (None, None) if std::io::stdin().is_terminal() => None,
            (None, _) => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().lock().read_to_end(&mut bytes);
                read.map_err(|error| format!("cannot read standard input: {error}"))?;
                Some(bytes)
            }
        };
        let input = Bytes::from(input.unwrap_or_default());
        let events = match structured(&input) {
            Some(Structured::One) => vec![json::from_slice(input).map_err(|error| error.to_string())?],
            Some(Structured::Batch) => json::batch_from_slice(input).map_err(|error| error.to_string())?,
            None => return Ok(vec![self.event((!input.is_empty()).then_some(input))?]),
        };
        events.into_iter().map(|event| self.described(event)).collect()
    }

    /// An event of the flags alone. Its data is JSON where it reads as such, else text, else bytes.
    fn event(&self, data: Option<Bytes>) -> Result<Event, String> {
        let mut event = Event::new(new_id(), SOURCE, TYPE).map_err(|error| error.to_string())?;
        if let Some(data) = data {
            let media_type = if serde_json::from_slice::<serde::de::IgnoredAny>(&data).is_ok() {
                "application/json"
            } else if std::str::from_utf8(&data).is_ok() {
                "text/plain"
            } else {
                "application/octet-stream"
            };
            event.set_data(media_type, data).map_err(|error| error.to_string())?;
        }
        self.described(event)
    }

    fn described(&self, mut event: Event) -> Result<Event, String> {
        for (name, value) in &self.attributes {
            event.set(name, value.as_str()).map_err(|error| error.to_string())?;
        }
        Ok(event)
    }
}

enum Structured {
    One,
    Batch,
}

/// Whether a text is events in their JSON form: `specversion` says so.
fn structured(text: &[u8]) -> Option<Structured> {
    let is_event = |json: &Json| json.get("specversion").is_some();
    match serde_json::from_slice::<Json>(text).ok()? {
        Json::Array(events) => {
            (!events.is_empty() && events.iter().all(is_event)).then_some(Structured::Batch)
        }
        json => is_event(&json).then_some(Structured::One),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(data: &str) -> Event {
        let events = Description { data: Some(data.to_owned()), ..Description::default() }.events().unwrap();
        events[0].clone()
    }

    fn of_file(text: &str, attributes: &[(&str, &str)]) -> Result<Vec<Event>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Description { attributes, data: None, file: Some(file.path().to_owned()) }.events()
    }

    #[test]
    fn data_is_what_it_reads_as() {
        assert_eq!(sent("{\"a\": 1}").data_content_type(), Some("application/json"));
        assert_eq!(sent("a: 1").data_content_type(), Some("text/plain"));
        assert_eq!(sent("5").event_type(), TYPE);
        let one = "{\"specversion\":\"1.0\"}";
        assert_eq!(sent(one).data().unwrap(), one, "what is given as data is data");
    }

    #[test]
    fn files_hold_events_or_data() {
        let one = r#"{"specversion":"1.0","id":"1","source":"s","type":"t","data":5}"#;
        let found = of_file(one, &[("type", "other"), ("team", "a")]).unwrap();
        assert_eq!((found[0].id(), found[0].event_type(), found[0].get("team")), ("1", "other", Some("a")));
        assert_eq!(of_file(&format!("[{one}, {one}]"), &[]).unwrap().len(), 2);
        assert_eq!(of_file("[1, 2]", &[]).unwrap()[0].data().unwrap(), "[1, 2]");
        assert!(of_file("", &[]).unwrap()[0].data().is_none());
        assert!(of_file(r#"{"specversion":"1.0"}"#, &[]).is_err());
        assert!(of_file("x", &[("Team", "a")]).is_err());
    }
}
