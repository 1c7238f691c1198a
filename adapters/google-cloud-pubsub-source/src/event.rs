//! A message as an event: the processors of the original image. Attributes of Cloud Storage's notifications:
//! <https://cloud.google.com/storage/docs/pubsub-notifications>.

mod data;
#[cfg(test)]
mod tests;

use common::{Event, InvalidEvent, Text, event};
use google_cloud_pubsub::model::Message;

use crate::config::Processor;

/// The type of events, unless `CE_TYPE` is set.
pub const EVENT_TYPE: &str = "com.google.cloud.pubsub.message";
/// The type of a notification of Cloud Storage that none of the others is.
pub const STORAGE_TYPE: &str = "com.google.cloud.storage.notification";

/// What the events of a process have in common.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Their `source`.
    pub source: Text,
    /// Their `type`, where the processor does not decide.
    pub event_type: Text,
    /// How they are made.
    pub processor: Processor,
}

/// The event of a message. The same message always makes the same event, but for the number of the attempt in its data.
///
/// # Errors
/// When `source` or `type` suit no event, which the configuration does not allow.
pub fn event(origin: &Origin, message: &Message, attempt: Option<i32>) -> Result<Event, InvalidEvent> {
    let event_type = match origin.processor {
        Processor::Default => origin.event_type.clone(),
        Processor::Gcs => Text::from_static(storage_type(message)),
    };
    let mut event = match Event::new(message.message_id.as_str(), origin.source.clone(), event_type.clone()) {
        Ok(event) => event,
        // The service gives every message an id; one without must not be stuck.
        Err(_) => Event::new(event::new_id(), origin.source.clone(), event_type)?,
    };
    let time = data::time(message);
    event.set("time", time.as_str())?;
    if origin.processor == Processor::Default {
        for (name, value) in extensions(message) {
            // What no extension can hold is in the data.
            let _ = event.set(&name, value);
        }
    }
    event.set_data(Text::from_static("application/json"), data::json(message, &time, attempt))?;
    Ok(event)
}

/// Attributes by names that extensions can have: `My-Attr` is `pubsubmsgmyattr`. Of several that come to one name the first
/// counts, in the order of their own names.
fn extensions(message: &Message) -> Vec<(String, &str)> {
    let mut extensions: Vec<(String, &str)> = Vec::with_capacity(message.attributes.len());
    for (name, value) in data::sorted(message) {
        let kept = name.chars().filter(char::is_ascii_alphanumeric).map(|at| at.to_ascii_lowercase());
        let name: String = "pubsubmsg".chars().chain(kept).collect();
        if !extensions.iter().any(|(known, _)| *known == name) {
            extensions.push((name, value));
        }
    }
    extensions
}

fn storage_type(message: &Message) -> &'static str {
    match message.attributes.get("eventType").map(String::as_str) {
        Some("OBJECT_FINALIZE") => "com.google.cloud.storage.objectfinalize",
        Some("OBJECT_METADATA_UPDATE") => "com.google.cloud.storage.objectmetadataupdate",
        Some("OBJECT_DELETE") => "com.google.cloud.storage.objectdelete",
        Some("OBJECT_ARCHIVE") => "com.google.cloud.storage.objectarchive",
        _ => STORAGE_TYPE,
    }
}
