//! The events: the same but for id and time, which say when each was due.

use common::{Event, InvalidEvent};
use jiff::Timestamp;
use uuid::Uuid;

use crate::config::PingConfig;

/// The type that Knative's ping source gives its events.
pub const TYPE: &str = "dev.knative.sources.ping";

/// The event without what changes.
pub fn template(config: &PingConfig) -> Result<Event, InvalidEvent> {
    let source = format!("/apis/v1/namespaces/{}/pingsources/{}", config.namespace, config.name);
    let mut event = Event::new("-", source, TYPE)?;
    if let Some(data) = config.data() {
        if let Some(content_type) = &config.ping_content_type {
            event.set("datacontenttype", content_type.as_str())?;
        }
        event.replace_data(Some(data));
    }
    Ok(event)
}

/// The event that is due at a time. Its id is a hash (UUID version 5) of the source, which holds namespace and name, and
/// of that time: whoever sends it again, after a restart or beside another replica, gives it the same id.
pub fn due(template: &Event, at: Timestamp) -> Result<Event, InvalidEvent> {
    let mut event = template.clone();
    let time = at.to_string();
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}#{time}", event.source()).as_bytes());
    event.set("id", id.to_string())?;
    event.set("time", time)?;
    Ok(event)
}
