//! What the headers of an answer say of a blob.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use common::Error;
use http::{HeaderMap, header};

/// The record of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Names, in lower case, and values.
    pub metadata: BTreeMap<String, String>,
    /// What the next change names.
    pub etag: String,
    /// How long ago it was changed, by the clock of the service.
    pub age: Duration,
}

impl Blob {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let metadata = headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((name.to_ascii_lowercase(), value.to_str().ok()?.to_owned()))
        });
        let metadata = metadata.collect();
        let age = age(date(headers, header::LAST_MODIFIED), date(headers, header::DATE));
        Ok(Self { metadata, etag: etag_of(headers)?, age })
    }
}

pub(super) fn etag_of(headers: &HeaderMap) -> Result<String, Error> {
    let etag = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok());
    let etag = etag.map(|etag| etag.trim_matches('"').to_owned());
    etag.ok_or_else(|| Error::retryable("reading a blob: Blob storage gave no ETag: check CHECKPOINT_URL"))
}

pub(super) fn date(headers: &HeaderMap, name: header::HeaderName) -> Option<DateTime<Utc>> {
    read_date(headers.get(name)?.to_str().ok()?)
}

pub(super) fn read_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

/// How long ago by the clock of the service; what does not say is taken for just now.
pub(super) fn age(changed: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) -> Duration {
    let age = changed.zip(now).and_then(|(changed, now)| (now - changed).to_std().ok());
    age.unwrap_or_default()
}
