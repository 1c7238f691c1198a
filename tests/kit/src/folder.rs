//! A folder with the files of a test.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::Failure;

/// A folder that goes away with its test.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, Failure> {
        TempDir::new().map(Self).map_err(|error| format!("no folder: {error}"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, or another in its place as editors and Kubernetes do, by a rename; gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: &str) -> Result<String, Failure> {
        let (path, new) = (self.path().join(name), self.path().join(format!("{name}.new")));
        let written = fs::write(&new, content).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path.display().to_string())
    }
}
