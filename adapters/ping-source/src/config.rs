//! The environment of the ping source.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use common::{
    config::{Config, Parse, Problems},
    event::is_json_media_type,
};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::JsonSchema;
use serde::{Deserialize, de::IgnoredAny};

use crate::{event, schedule::Schedule};

/// Settings of the ping source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PingConfig {
    /// When to send: five cron fields (minute, hour, day of month, month, day of week), six with seconds before them,
    /// or one of `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly` and `@every` with a duration.
    #[serde(default)]
    pub ping_schedule: Schedule,
    /// Time zone of the schedule, an IANA name such as `Europe/Berlin`.
    #[serde(default)]
    pub ping_timezone: Zone,
    /// Media type of the data.
    pub ping_content_type: Option<String>,
    /// Data of the events as text.
    pub ping_data: Option<String>,
    /// Data of the events in base64, instead of text.
    pub ping_data_base64: Option<Base64>,
    /// `NAME` of the shared settings: it stands in the source of the events.
    #[serde(default = "default_name")]
    #[schemars(skip)]
    pub name: String,
    /// `NAMESPACE` of the shared settings: it stands in the source of the events.
    #[serde(default = "default_namespace")]
    #[schemars(skip)]
    pub namespace: String,
}

impl PingConfig {
    /// The data of the events, if they have any.
    pub fn data(&self) -> Option<Bytes> {
        let text = self.ping_data.as_ref().map(|text| Bytes::from(text.clone()));
        text.or_else(|| self.ping_data_base64.as_ref().map(|data| data.0.clone()))
    }
}

impl Config for PingConfig {
    fn validate(&self, problems: &mut Problems) {
        let name = if self.ping_data.is_some() { "PING_DATA" } else { "PING_DATA_BASE64" };
        if self.ping_data.is_some() && self.ping_data_base64.is_some() {
            problems.add("PING_DATA", "and PING_DATA_BASE64 must not both be set");
        }
        let is_json = self.ping_content_type.as_deref().is_some_and(is_json_media_type);
        if let Some(Err(error)) =
            self.data().filter(|_| is_json).map(|data| serde_json::from_slice::<IgnoredAny>(&data))
        {
            let place = format_args!(
                "must be JSON, as PING_CONTENT_TYPE says: line {}, column {}",
                error.line(),
                error.column()
            );
            problems.add(name, place);
        }
        if let Err(error) = event::template(self) {
            problems
                .add("PING_CONTENT_TYPE", format_args!(", NAME and NAMESPACE must suit an event: {error}"));
        }
    }
}

fn default_name() -> String {
    "ping".to_owned()
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// A time zone of the IANA database in this binary.
#[derive(Debug, Clone)]
pub struct Zone(pub TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Parse for Zone {
    const FORMAT: &'static str = "time-zone";
    const EXPECTED: &'static str = "a time zone of the IANA database, such as Europe/Berlin";

    fn parse(text: &str) -> Result<Self, String> {
        let zone = TimeZoneDatabase::bundled().get(text.trim());
        zone.map(Self).map_err(|_| format!("must be {}", Self::EXPECTED))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

common::config_type!(Zone);

/// Bytes in base64 (RFC 4648, section 4).
#[derive(Debug, Clone)]
pub struct Base64(pub Bytes);

impl Parse for Base64 {
    const FORMAT: &'static str = "byte";
    const EXPECTED: &'static str = "base64 with padding";

    fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| format!("must be {}", Self::EXPECTED))?;
        Ok(Self(bytes.into()))
    }
}

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

common::config_type!(Base64);
