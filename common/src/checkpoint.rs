//! Positions that survive a restart: a trait for stores, and the store in files.

use std::{
    future::Future,
    io::{self, Write as _},
    path::{Path, PathBuf},
    pin::Pin,
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{config::ConfigError, error::Error};

/// Where files go when `CHECKPOINT_DIR` is not set.
const DEFAULT_FOLDER: &str = "/var/lib/trestle";
/// Bytes of a key that a file's name shows; file systems take 255 with the extension.
const SHOWN: usize = 160;

/// A stored position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The position, in the words of the source.
    pub value: String,
    /// Counts the changes; a change names the version that it replaces.
    pub version: u64,
}

/// What a store will have done; boxed, so that a store can be chosen while the process runs.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A store of positions by key. Keys are text, `/` parts them.
pub trait Checkpoints: Send + Sync {
    /// Reads one; `None` when there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read: to go on without a position would mean to begin again.
    fn load<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Record>>;

    /// Replaces the record of that version (`None`: there must be none) and gives the new one, or `None` when somebody
    /// has changed the record meanwhile.
    ///
    /// # Errors
    /// When the store cannot be written. It may have been all the same: whoever tries again and finds the record
    /// changed has to read it to know.
    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        version: Option<u64>,
        value: &'a str,
    ) -> Pending<'a, Option<Record>>;

    /// The keys that begin so, sorted.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>>;
}

/// Positions in files of one folder, for one process at a time. Each is replaced at once: a temporary file is written,
/// synced and renamed, so that a crash leaves the old one or the new one.
#[derive(Debug)]
pub struct FileCheckpoints {
    /// `None` when the default folder cannot be written: positions then live as long as the process.
    folder: Option<PathBuf>,
}

/// A record as it stands in a file or an object, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stored {
    /// The key, which the name may not show in full.
    pub key: String,
    /// As in [`Record`].
    pub version: u64,
    /// As in [`Record`].
    pub value: String,
}

impl FileCheckpoints {
    /// The folder that was asked for, which is made when it is not there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        probe(&folder)?;
        Ok(Self { folder: Some(folder) })
    }

    /// The folder of `CHECKPOINT_DIR`; without the default one only a warning is given.
    ///
    /// # Errors
    /// When the folder that was asked for cannot be written.
    pub(crate) fn of_setting(asked: Option<&str>) -> Result<Self, ConfigError> {
        match Self::open(asked.unwrap_or(DEFAULT_FOLDER)) {
            Ok(store) => Ok(store),
            Err(error) if asked.is_some() => Err(ConfigError::new(
                "CHECKPOINT_DIR",
                format_args!("must be a folder that can be written: {error}"),
            )),
            Err(error) => {
                tracing::warn!(
                    folder = DEFAULT_FOLDER, %error,
                    "positions are not kept over a restart: set CHECKPOINT_DIR to a writable folder"
                );
                Ok(Self { folder: None })
            }
        }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(name(key)))
    }

    fn read(&self, key: &str) -> Result<Option<Record>, Error> {
        let Some(path) = self.path(key) else { return Ok(None) };
        match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Stored>(&bytes) {
                Ok(stored) => Ok(Some(Record { value: stored.value, version: stored.version })),
                // Only someone else can have written this; what it said is not to be guessed.
                Err(error) => {
                    Err(Error::permanent(format!("reading the position in {}", path.display()))
                        .caused_by(error))
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::retryable(format!("reading {}", path.display())).caused_by(error)),
        }
    }

    fn swap(&self, key: &str, version: Option<u64>, value: &str) -> Result<Option<Record>, Error> {
        let record = Record { value: value.to_owned(), version: version.unwrap_or_default() + 1 };
        let Some(path) = self.path(key) else { return Ok(Some(record)) };
        if self.read(key)?.map(|record| record.version) != version {
            return Ok(None);
        }
        let stored = Stored { key: key.to_owned(), version: record.version, value: record.value.clone() };
        serde_json::to_vec(&stored)
            .map_err(io::Error::from)
            .and_then(|bytes| replace(&path, &bytes))
            .map_err(|error| Error::retryable(format!("writing {}", path.display())).caused_by(error))?;
        Ok(Some(record))
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let entries = std::fs::read_dir(folder)
            .map_err(|error| Error::retryable(format!("listing {}", folder.display())).caused_by(error))?;
        let paths = entries.flatten().map(|entry| entry.path());
        let ours = paths.filter(|path| path.extension().is_some_and(|extension| extension == "checkpoint"));
        let mut keys: Vec<_> = ours
            .filter_map(|path| serde_json::from_slice::<Stored>(&std::fs::read(path).ok()?).ok())
            .map(|stored| stored.key)
            .filter(|key| key.starts_with(prefix))
            .collect();
        keys.sort_unstable();
        Ok(keys)
    }
}

// Files are small and on a local disk: a thread to wait for them would cost more than it saves.
impl Checkpoints for FileCheckpoints {
    fn load<'a>(&'a self, key: &'a str) -> Pending<'a, Option<Record>> {
        Box::pin(async move { self.read(key) })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a str,
        version: Option<u64>,
        value: &'a str,
    ) -> Pending<'a, Option<Record>> {
        Box::pin(async move { self.swap(key, version, value) })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Pending<'a, Vec<String>> {
        Box::pin(async move { self.keys(prefix) })
    }
}

/// The name of a file or an object for a key: letters and digits as they are, the rest in percent encoding; what is too
/// long for a name ends in a hash of the key.
#[must_use]
pub fn name(key: &str) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let mut name = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
    if name.len() > SHOWN {
        // Only ASCII is left after the encoding.
        name.truncate(SHOWN);
        name = format!("{name}~{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes()));
    }
    name + ".checkpoint"
}

/// Whether files can be made here. The name is one's own, so that two processes do not take each other's away.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&path, b"")?;
    std::fs::remove_file(path)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    // The rename itself is only safe once the folder is.
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;
