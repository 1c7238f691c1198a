//! The processor `s3`: notifications of a bucket (Amazon S3 User Guide, "Event message structure", 2.x).

use std::borrow::Cow;

use aws_sdk_sqs::types::Message;
use common::{Event, Text, go_json};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Origin;

/// What a bucket sends: records, or a test when notifications are set up.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    #[serde(borrow)]
    records: Option<Vec<&'a RawValue>>,
    service: Option<String>,
    event: Option<String>,
    bucket: Option<String>,
}

/// What is taken out of a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    event_time: Option<String>,
    #[serde(borrow)]
    s3: Entity<'a>,
}

#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    bucket: Bucket<'a>,
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Bucket<'a> {
    #[serde(borrow)]
    arn: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
}

/// The events of a notification; `None` when the message is none.
pub fn events(origin: &Origin, message: &Message) -> Option<Vec<Event>> {
    let body = message.body()?;
    let notification: Notification<'_> = serde_json::from_str(body).ok()?;
    if let Some(records) = notification.records {
        let events: Option<Vec<_>> =
            records.iter().enumerate().map(|(index, record)| of_record(message, index, record)).collect();
        return events.filter(|events| !events.is_empty());
    }
    let is_test = notification.service.as_deref() == Some("Amazon S3")
        && notification.event.as_deref() == Some("s3:TestEvent");
    if !is_test {
        return None;
    }
    let source = format!("arn:{}:s3:::{}", origin.partition, notification.bucket?);
    let mut event =
        Event::new(message.message_id()?, source, Text::from_static("com.amazon.s3.testevent")).ok()?;
    event.set("time", super::sent(message)).ok()?;
    event.set_data(Text::from_static("application/json"), body.to_owned()).ok()?;
    Some(vec![event])
}

/// The id says which record of which message it is, so that it is the same when the message comes again.
fn of_record(message: &Message, index: usize, json: &RawValue) -> Option<Event> {
    let record: Record<'_> = serde_json::from_str(json.get()).ok()?;
    let name = record.event_name.strip_prefix("s3:").unwrap_or(&record.event_name);
    let kind = name.split(':').next().filter(|kind| !kind.is_empty())?;
    let event_type = format!("com.amazon.s3.{}", kind.to_lowercase());
    let id = format!("{}-{index}", message.message_id()?);
    let mut event = Event::new(id, &*record.s3.bucket.arn, event_type).ok()?;
    event.set("subject", &*record.s3.object.key).ok()?;
    let happened = record.event_time.and_then(|time| event.set("time", time).ok());
    if happened.is_none() {
        event.set("time", super::sent(message)).ok()?;
    }
    let mut data = Vec::with_capacity(json.get().len());
    go_json::sorted(&mut data, json)?;
    event.set_data(Text::from_static("application/json"), data).ok()?;
    Some(event)
}
