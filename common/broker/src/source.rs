//! Where the configuration document comes from, and when it is read again.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::document::{Bounds, BrokenDocument, Document};

/// How often a watched file is looked at. A change counts once two looks agree, so that a file in the middle of being
/// written is not read: half a document can be a valid one with fewer triggers.
const LOOK: Duration = Duration::from_millis(150);

/// Says whether a broker can do what bounds ask for.
pub type CheckBounds = fn(&Bounds) -> Result<(), String>;

/// Where the document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the settings themselves; never changes.
    Inline(String),
    /// In a file that is read again when it changes.
    Watched(PathBuf),
    /// In a file that is read again each period.
    Polled(PathBuf, Duration),
}

/// A document as it comes from its place, change by change.
#[derive(Debug)]
pub struct Source {
    place: Place,
    /// The text that was last looked into, good or broken.
    text: Option<String>,
    stamp: Option<Stamp>,
    candidate: Option<Stamp>,
    missing: bool,
    check: CheckBounds,
}

/// What tells one state of a file from another; of the file that symlinks lead to, as Kubernetes mounts swap them.
type Stamp = (u64, u64, i64, i64, i64, i64, u64);

/// Why there is no new document.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What it holds is no document without a mistake.
    #[error(transparent)]
    Broken(#[from] BrokenDocument),
}

impl Source {
    /// A source of which nothing has been read yet.
    #[must_use]
    pub fn new(place: Place, check: CheckBounds) -> Self {
        Self { place, text: None, stamp: None, candidate: None, missing: false, check }
    }

    fn parse(&self, text: &str) -> Result<Document, Unusable> {
        let document = Document::parse(text)?;
        document.check_bounds(self.check)?;
        Ok(document)
    }

    /// How long to wait between calls of [`changed`](Self::changed); `None` when nothing will ever change.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        match &self.place {
            Place::Inline(_) => None,
            Place::Watched(_) => Some(LOOK),
            Place::Polled(_, period) => Some(*period),
        }
    }

    /// Reads the document for the first time. An empty one is a broker without triggers.
    ///
    /// # Errors
    /// When it cannot be read or is broken.
    pub fn first(&mut self) -> Result<Document, Unusable> {
        let text = match &self.place {
            Place::Inline(text) => text.clone(),
            Place::Watched(path) | Place::Polled(path, _) => {
                self.stamp = stamp(path).ok();
                read(path)?
            }
        };
        let document = self.parse(&text);
        self.text = Some(text);
        document
    }

    /// The new document, where there is one. Empty content is ignored: it is the first half of a rewrite.
    ///
    /// # Errors
    /// When the file is gone or its new content is broken; once for each such state.
    pub fn changed(&mut self) -> Result<Option<Document>, Unusable> {
        let path = match &self.place {
            Place::Inline(_) => return Ok(None),
            Place::Watched(path) => {
                match stamp(path) {
                    Ok(stamp) if self.candidate.replace(stamp) != Some(stamp) => return Ok(None),
                    Ok(stamp) if self.stamp.replace(stamp) == Some(stamp) && !self.missing => {
                        return Ok(None);
                    }
                    // Read below, which says what is wrong.
                    Ok(_) | Err(_) => path,
                }
            }
            Place::Polled(path, _) => path,
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(_) if self.missing => return Ok(None),
            Err(error) => {
                self.missing = true;
                return Err(error);
            }
        };
        self.missing = false;
        if text.trim().is_empty() || self.text.as_ref() == Some(&text) {
            return Ok(None);
        }
        let document = self.parse(&text);
        self.text = Some(text);
        document.map(Some)
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    let meta = std::fs::metadata(path)?;
    Ok((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec(), meta.len()))
}

fn read(path: &Path) -> Result<String, Unusable> {
    std::fs::read_to_string(path).map_err(|error| Unusable::Unreadable { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &Document) -> Vec<&str> {
        document.triggers.iter().map(|trigger| trigger.name.as_str()).collect()
    }

    /// Looks as often as two looks need to agree.
    fn look(source: &mut Source) -> Result<Option<Document>, Unusable> {
        let first = source.changed()?;
        if first.is_some() { Ok(first) } else { source.changed() }
    }

    #[test]
    fn follows_a_file_through_its_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broker.conf");
        for polled in [false, true] {
            std::fs::write(&path, "triggers: {a: {}}").unwrap();
            let place = if polled {
                Place::Polled(path.clone(), Duration::from_secs(1))
            } else {
                Place::Watched(path.clone())
            };
            let mut source = Source::new(place, |_| Ok(()));
            assert_eq!(names(&source.first().unwrap()), ["a"]);
            assert!(look(&mut source).unwrap().is_none());

            std::fs::write(&path, "").unwrap();
            assert!(look(&mut source).unwrap().is_none());
            std::fs::write(&path, "triggers: {b: {}}").unwrap();
            assert_eq!(names(&look(&mut source).unwrap().unwrap()), ["b"]);

            let other = folder.path().join("other");
            std::fs::write(&other, "triggers: {c: {}}").unwrap();
            std::fs::rename(&other, &path).unwrap();
            assert_eq!(names(&look(&mut source).unwrap().unwrap()), ["c"]);

            std::fs::write(&path, "triggers: {c: 5}").unwrap();
            assert!(matches!(look(&mut source), Err(Unusable::Broken(_))));
            assert!(look(&mut source).unwrap().is_none());

            std::fs::remove_file(&path).unwrap();
            assert!(matches!(look(&mut source), Err(Unusable::Unreadable { .. })));
            assert!(look(&mut source).unwrap().is_none());
            std::fs::write(&path, "triggers: {d: {}}").unwrap();
            assert_eq!(names(&look(&mut source).unwrap().unwrap()), ["d"]);
        }
    }

    #[test]
    fn bounds_that_the_broker_cannot_do_break_the_document() {
        let place = Place::Inline("triggers: {a: {bounds: {byId: {start: 1}}}}".into());
        assert!(Source::new(place.clone(), |_| Ok(())).first().is_ok());
        let unusable = Source::new(place, |_| Err("cannot".into())).first().unwrap_err();
        assert_eq!(unusable.to_string(), "triggers.a.bounds: cannot");
    }

    #[test]
    fn sees_the_symlink_swap_of_a_mounted_secret() {
        let folder = tempfile::tempdir().unwrap();
        let write = |version: &str, text: &str| {
            std::fs::create_dir(folder.path().join(version)).unwrap();
            std::fs::write(folder.path().join(version).join("config"), text).unwrap();
            std::os::unix::fs::symlink(version, folder.path().join("..tmp")).unwrap();
            std::fs::rename(folder.path().join("..tmp"), folder.path().join("..data")).unwrap();
        };
        write("v1", "triggers: {a: {}}");
        let path = folder.path().join("config");
        std::os::unix::fs::symlink("..data/config", &path).unwrap();
        let mut source = Source::new(Place::Watched(path), |_| Ok(()));
        assert_eq!(names(&source.first().unwrap()), ["a"]);
        write("v2", "triggers: {b: {}}");
        assert_eq!(names(&look(&mut source).unwrap().unwrap()), ["b"]);
    }

    #[test]
    fn a_file_that_must_be_there_and_one_that_may_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        assert!(matches!(
            Source::new(Place::Watched(path.clone()), |_| Ok(())).first(),
            Err(Unusable::Unreadable { .. })
        ));
        std::fs::write(&path, "").unwrap();
        assert!(Source::new(Place::Watched(path), |_| Ok(())).first().unwrap().triggers.is_empty());
        let mut inline = Source::new(Place::Inline("triggers: {a: {}}".into()), |_| Ok(()));
        assert_eq!(names(&inline.first().unwrap()), ["a"]);
        assert!(inline.changed().unwrap().is_none() && inline.pause().is_none());
    }
}
