//! Where positions are kept, and who reads which partition: in blobs as the SDKs of Azure do, so that these and KEDA's scaler
//! can read both, or in records of another store.
//!
//! Facts: `azeventhubs/checkpoints` and `Azure.Messaging.EventHubs.Processor`: empty blobs
//! `<host>/<hub>/<group>/checkpoint/<partition>` with the metadata `sequencenumber` and `offset`, and `…/ownership/<partition>`
//! with `ownerid`, all in lower case, changed under the condition of their ETag.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use azure::{Blob, Blobs};
use common::{Error, checkpoint::Checkpoints};
use serde::{Deserialize, Serialize};

/// A place in a partition: the last event before which all is done, itself included. The sequence number -1 is the place
/// before the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    #[serde(rename = "sequencenumber")]
    pub sequence: i64,
    pub offset: String,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sequence.fmt(f)
    }
}

/// What a change names as that which it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    Etag(String),
    Number(u64),
}

/// Who reads a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// Empty when it was given up.
    pub owner: String,
    pub version: Version,
    /// Time since the last sign of life.
    pub age: Duration,
}

/// The store of one consumer group of one hub.
pub struct Store {
    place: Place,
    /// `<host>/<hub>/<group>`
    prefix: String,
}

/// Where it is.
pub enum Place {
    Blobs(Box<Blobs>),
    /// In files, for one replica.
    Files(Arc<dyn Checkpoints>),
    Records(Arc<dyn Checkpoints>, Mutex<BTreeMap<String, (Version, Instant)>>),
}

impl Store {
    pub fn new(place: Place, host: &str, hub: &str, group: &str) -> Self {
        Self { place, prefix: format!("{host}/{hub}/{group}").to_lowercase() }
    }

    /// Whether several replicas may share it.
    pub fn is_shared(&self) -> bool {
        !matches!(self.place, Place::Files(_))
    }

    fn name(&self, kind: &str, partition: &str) -> String {
        let place = if matches!(self.place, Place::Blobs(_)) { "" } else { "azure-eventhubs/" };
        format!("{place}{}/{kind}/{partition}", self.prefix)
    }

    /// The position of a partition, if there is one.
    pub async fn position(&self, partition: &str) -> Result<Option<(Position, Version)>, Error> {
        let name = self.name("checkpoint", partition);
        match &self.place {
            Place::Blobs(blobs) => blobs.get(&name).await?.map(|blob| read_blob(&blob)).transpose(),
            Place::Files(records) | Place::Records(records, _) => {
                let Some(record) = records.load(&name).await? else { return Ok(None) };
                let position = serde_json::from_str(&record.value)
                    .map_err(|error| Error::retryable("reading a position").caused_by(error))?;
                Ok(Some((position, Version::Number(record.version))))
            }
        }
    }

    /// The partitions that have a position.
    pub async fn positioned(&self) -> Result<Vec<String>, Error> {
        let prefix = self.name("checkpoint", "");
        let names = match &self.place {
            Place::Blobs(blobs) => blobs.list(&prefix).await?.into_iter().map(|(name, _)| name).collect(),
            Place::Files(records) | Place::Records(records, _) => records.list(&prefix).await?,
        };
        Ok(names.iter().filter_map(|name| name.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    /// Stores a position over the one of that version; `None` when somebody else has changed it.
    pub async fn set_position(
        &self,
        partition: &str,
        position: &Position,
        version: Option<&Version>,
    ) -> Result<Option<Version>, Error> {
        let name = self.name("checkpoint", partition);
        match &self.place {
            Place::Blobs(blobs) => {
                let sequence = position.sequence.to_string();
                let metadata = [("sequencenumber", sequence.as_str()), ("offset", position.offset.as_str())];
                put(blobs, &name, version, &metadata).await
            }
            Place::Files(records) | Place::Records(records, _) => {
                let text = serde_json::to_string(position)
                    .map_err(|error| Error::permanent("writing a position").caused_by(error))?;
                swap(&**records, &name, version, &text).await
            }
        }
    }

    /// Who reads what.
    pub async fn ownerships(&self) -> Result<BTreeMap<String, Ownership>, Error> {
        let prefix = self.name("ownership", "");
        let mut all = BTreeMap::new();
        match &self.place {
            Place::Files(_) => {}
            Place::Blobs(blobs) => {
                for (name, blob) in blobs.list(&prefix).await? {
                    let Some(partition) = name.strip_prefix(&prefix) else { continue };
                    let owner = blob.metadata.get("ownerid").cloned().unwrap_or_default();
                    let ownership = Ownership { owner, version: Version::Etag(blob.etag), age: blob.age };
                    all.insert(partition.to_owned(), ownership);
                }
            }
            Place::Records(records, seen) => {
                for name in records.list(&prefix).await? {
                    let Some(partition) = name.strip_prefix(&prefix) else { continue };
                    let Some(record) = records.load(&name).await? else { continue };
                    let version = Version::Number(record.version);
                    let age = age(seen, partition, &version);
                    all.insert(partition.to_owned(), Ownership { owner: record.value, version, age });
                }
            }
        }
        Ok(all)
    }

    /// Takes or keeps a partition, or gives it up (no owner); `None` when somebody else was quicker.
    pub async fn claim(
        &self,
        partition: &str,
        owner: &str,
        version: Option<&Version>,
    ) -> Result<Option<Version>, Error> {
        let name = self.name("ownership", partition);
        match &self.place {
            Place::Files(_) => Ok(Some(Version::Number(0))),
            Place::Blobs(blobs) => put(blobs, &name, version, &[("ownerid", owner)]).await,
            Place::Records(records, _) => swap(&**records, &name, version, owner).await,
        }
    }
}

async fn put(
    blobs: &Blobs,
    name: &str,
    version: Option<&Version>,
    metadata: &[(&str, &str)],
) -> Result<Option<Version>, Error> {
    let etag = version.and_then(|version| match version {
        Version::Etag(etag) => Some(etag.as_str()),
        Version::Number(_) => None,
    });
    Ok(blobs.put(name, etag, metadata).await?.map(Version::Etag))
}

async fn swap(
    records: &dyn Checkpoints,
    name: &str,
    version: Option<&Version>,
    value: &str,
) -> Result<Option<Version>, Error> {
    let number = version.and_then(|version| match version {
        Version::Number(number) => Some(*number),
        Version::Etag(_) => None,
    });
    let swapped = records.compare_and_swap(name, number, value).await?;
    Ok(swapped.map(|record| Version::Number(record.version)))
}

/// How long a record has stood still, as far as this process has seen: clocks of others are not looked at.
fn age(seen: &Mutex<BTreeMap<String, (Version, Instant)>>, partition: &str, version: &Version) -> Duration {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match seen.get(partition) {
        Some((known, since)) if known == version => since.elapsed(),
        _ => {
            seen.insert(partition.to_owned(), (version.clone(), Instant::now()));
            Duration::ZERO
        }
    }
}

/// What another SDK has written may lack one of the two.
fn read_blob(blob: &Blob) -> Result<(Position, Version), Error> {
    let text = |name: &str| blob.metadata.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let sequence = text("sequencenumber").and_then(|text| text.parse().ok());
    let (Some(sequence), offset) = (sequence, text("offset").unwrap_or_default().to_owned()) else {
        return Err(Error::retryable(
            "reading a position: the blob has no sequence number: check CHECKPOINT_URL",
        ));
    };
    Ok((Position { sequence, offset }, Version::Etag(blob.etag.clone())))
}
