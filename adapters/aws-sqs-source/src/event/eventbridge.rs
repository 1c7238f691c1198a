//! The processor `eventbridge`: events of a bus (Amazon EventBridge User Guide, "Event structure").

use std::borrow::Cow;

use aws_sdk_sqs::types::Message;
use common::{Event, Text, go_json};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Origin;

/// The type of its events.
pub const EVENT_TYPE: &str = "com.amazon.events.event";

/// What is taken out of an event of the bus.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Body<'a> {
    /// Must be there, whatever it is.
    #[serde(borrow, rename = "detail")]
    _detail: &'a RawValue,
    #[serde(borrow)]
    detail_type: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
}

/// The event of the bus that a message holds; `None` when it holds none.
pub fn event(origin: &Origin, message: &Message) -> Option<Event> {
    let json: &RawValue = serde_json::from_str(message.body()?).ok()?;
    let body: Body<'_> = serde_json::from_str(json.get()).ok()?;
    let text = |value: Option<&RawValue>| serde_json::from_str::<String>(value?.get()).ok();
    let id = text(body.id).filter(|id| !id.is_empty());
    let id = id.or_else(|| message.message_id().map(str::to_owned))?;
    let mut event = Event::new(id, origin.source.clone(), Text::from_static(EVENT_TYPE)).ok()?;
    let happened = text(body.time).and_then(|time| event.set("time", time).ok());
    if happened.is_none() {
        event.set("time", super::sent(message)).ok()?;
    }
    event.set("awseventssource", &*body.source).ok()?;
    event.set("awseventsdetailtype", &*body.detail_type).ok()?;
    let mut data = Vec::with_capacity(json.get().len());
    go_json::sorted(&mut data, json)?;
    event.set_data(Text::from_static("application/json"), data).ok()?;
    Some(event)
}
