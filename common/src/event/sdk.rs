//! To and from the event type of `cloudevents-sdk`, for adapters that build events with its builder off the hot path.
//!
//! The way there is lossy where the SDK's type is: it reads JSON payloads into values, keeps times in UTC and schemas
//! as normalised URLs. What it cannot parse is left out (schema, time) or goes as bytes (payload).

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use cloudevents::{
    AttributesReader, AttributesWriter, Data,
    event::{AttributeValue, TryIntoTime, TryIntoUrl},
};

use super::{Event, InvalidEvent, is_json_media_type, names};
use crate::Text;

impl From<&Event> for cloudevents::Event {
    fn from(event: &Event) -> Self {
        let mut sdk = Self::default();
        // Its default is the present moment.
        sdk.set_time(None::<DateTime<Utc>>);
        for (name, value) in event.attributes() {
            match name.as_str() {
                "id" => drop(sdk.set_id(value.as_str())),
                "source" => drop(sdk.set_source(value.as_str())),
                "type" => drop(sdk.set_type(value.as_str())),
                "subject" => drop(sdk.set_subject(Some(value.as_str()))),
                "datacontenttype" => drop(sdk.set_datacontenttype(Some(value.as_str()))),
                "time" => drop(sdk.set_time(value.as_str().into_time().ok())),
                "dataschema" => drop(sdk.set_dataschema(value.as_str().into_url().ok())),
                name => sdk.set_extension(name, value.as_str()),
            }
        }
        if let Some(data) = event.data() {
            sdk.set_data_unchecked(payload(event, data));
        }
        sdk
    }
}

impl TryFrom<cloudevents::Event> for Event {
    type Error = InvalidEvent;

    /// # Errors
    /// When the SDK let through what the specification forbids, or the event is of version 0.3.
    fn try_from(sdk: cloudevents::Event) -> Result<Self, InvalidEvent> {
        let mut attributes: Vec<(Text, Text)> =
            sdk.iter_attributes().map(|(name, value)| (names::text(name), text(&value))).collect();
        let core = attributes.len();
        attributes
            .extend(sdk.iter_extensions().map(|(name, value)| (names::text(name), value.to_string().into())));
        // The SDK keeps extensions in no order; one that does not change from run to run is kinder.
        attributes[core..].sort();
        if sdk.datacontenttype().is_none() && matches!(sdk.data(), Some(Data::Json(_))) {
            attributes.push((names::text("datacontenttype"), Text::from_static("application/json")));
        }
        let data = sdk.data().map(|data| match data {
            Data::Binary(bytes) => Bytes::copy_from_slice(bytes),
            Data::String(text) => Bytes::copy_from_slice(text.as_bytes()),
            Data::Json(value) => value.to_string().into(),
        });
        Self::from_attributes(attributes, data)
    }
}

/// A JSON value, else text, else bytes: what the SDK's own reader of the JSON format would have made.
fn payload(event: &Event, data: &[u8]) -> Data {
    let binary = || Data::Binary(data.to_vec());
    match event.data_content_type() {
        None => binary(),
        Some(content_type) if is_json_media_type(content_type) => {
            serde_json::from_slice(data).map_or_else(|_| binary(), Data::Json)
        }
        Some(_) => std::str::from_utf8(data).map_or_else(|_| binary(), |text| Data::String(text.to_owned())),
    }
}

fn text(value: &AttributeValue<'_>) -> Text {
    match value {
        AttributeValue::Time(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
        other => other.to_string().into(),
    }
}
