//! Positions that survive a restart: a trait for stores, and the store in files.

use std::{
    future::Future,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// Where files go when `CHECKPOINT_DIR` is not set.
const DEFAULT_FOLDER: &str = "/var/lib/trestle";

/// A stored position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The position, in the words of the source.
    pub value: String,
    /// Counts the changes; a change names the version that it replaces.
    pub version: u64,
}

/// A store of positions by key.
pub trait Checkpoints: Send + Sync {
    /// Reads one; `None` when there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read: to go on without a position would mean to begin again.
    fn load(&self, key: &str) -> impl Future<Output = Result<Option<Record>, Error>> + Send;

    /// Replaces the record of that version (`None`: there must be none) and gives the new one.
    ///
    /// # Errors
    /// When the store cannot be written, or another process has changed the record.
    fn compare_and_swap(
        &self,
        key: &str,
        version: Option<u64>,
        value: String,
    ) -> impl Future<Output = Result<Record, Error>> + Send;

    /// The keys that begin so.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, Error>> + Send;
}

/// Positions in files of one folder, for one process at a time. Each is replaced at once: a temporary file is written,
/// synced and renamed, so that a crash leaves the old one or the new one.
#[derive(Debug)]
pub struct FileCheckpoints {
    /// `None` when the default folder cannot be written: positions then live as long as the process.
    folder: Option<PathBuf>,
}

impl FileCheckpoints {
    /// Opens the folder. One that was asked for must be writable; without the default one only a warning is given.
    ///
    /// # Errors
    /// When the folder that was asked for cannot be written.
    pub fn open(asked: Option<&str>) -> Result<Self, Error> {
        let folder = PathBuf::from(asked.unwrap_or(DEFAULT_FOLDER));
        match std::fs::create_dir_all(&folder).and_then(|()| probe(&folder)) {
            Ok(()) => Ok(Self { folder: Some(folder) }),
            Err(error) if asked.is_some() => {
                Err(Error::permanent(format!("writing to CHECKPOINT_DIR {}", folder.display())).caused_by(error))
            }
            Err(error) => {
                tracing::warn!(
                    folder = %folder.display(), %error,
                    "positions are not kept over a restart: set CHECKPOINT_DIR to a writable folder"
                );
                Ok(Self { folder: None })
            }
        }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let name = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
        Some(self.folder.as_ref()?.join(format!("{name}.checkpoint")))
    }
}

impl Checkpoints for FileCheckpoints {
    async fn load(&self, key: &str) -> Result<Option<Record>, Error> {
        let Some(path) = self.path(key) else { return Ok(None) };
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text)
                .map(Some)
                .ok_or_else(|| Error::permanent(format!("reading the position in {}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::retryable(format!("reading {}", path.display())).caused_by(error)),
        }
    }

    async fn compare_and_swap(&self, key: &str, version: Option<u64>, value: String) -> Result<Record, Error> {
        let record = Record { value, version: version.unwrap_or_default() + 1 };
        let Some(path) = self.path(key) else { return Ok(record) };
        if self.load(key).await?.map(|record| record.version) != version {
            return Err(Error::retryable(format!("another process has changed {}", path.display())));
        }
        replace(&path, &format!("{}\n{}", record.version, record.value))
            .map_err(|error| Error::retryable(format!("writing {}", path.display())).caused_by(error))?;
        Ok(record)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let entries = std::fs::read_dir(folder)
            .map_err(|error| Error::retryable(format!("listing {}", folder.display())).caused_by(error))?;
        let keys = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let encoded = name.strip_suffix(".checkpoint")?;
            percent_encoding::percent_decode_str(encoded).decode_utf8().ok().map(std::borrow::Cow::into_owned)
        });
        Ok(keys.filter(|key| key.starts_with(prefix)).collect())
    }
}

fn parse(text: &str) -> Option<Record> {
    let (version, value) = text.split_once('\n')?;
    Some(Record { value: value.to_owned(), version: version.parse().ok()? })
}

fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(".probe");
    std::fs::write(&path, b"")?;
    std::fs::remove_file(path)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    // The rename itself is only safe once the folder is.
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}
