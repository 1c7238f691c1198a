//! A file whose content is read again when it changes: mounted secrets and tokens rotate while we run.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

/// How often, at most, the file system is asked whether the file is another one.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A text file that is read again when it changes, by path, so that the symlink swap of a Kubernetes mount is seen.
///
/// Line ends at the end are dropped, other white space is content. A file that vanishes or turns unreadable keeps its last content.
#[derive(Debug)]
pub struct WatchedFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    content: Option<Arc<str>>,
    stamp: Option<(SystemTime, u64)>,
    checked: Option<Instant>,
    present: bool,
}

impl WatchedFile {
    /// Watches a path; nothing is read yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), state: Mutex::new(State::default()) }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content as it was at most a second ago; `None` when the file has never been readable.
    #[must_use]
    pub fn read(&self) -> Option<Arc<str>> {
        let mut state = self.state.lock().ok()?;
        if state.checked.is_none_or(|checked| checked.elapsed() >= CHECK_EVERY) {
            self.refresh(&mut state);
        }
        state.content.clone()
    }

    /// Like [`read`](Self::read), but `None` while the file is absent: what was taken away shall not be used.
    #[must_use]
    pub fn read_present(&self) -> Option<Arc<str>> {
        let content = self.read()?;
        self.state.lock().is_ok_and(|state| state.present).then_some(content)
    }

    /// The content as it is now, whatever was read before: for the second try after a refused credential.
    pub fn reread(&self) -> Option<Arc<str>> {
        let mut state = self.state.lock().ok()?;
        state.stamp = None;
        self.refresh(&mut state);
        state.content.clone()
    }

    fn refresh(&self, state: &mut State) {
        state.checked = Some(Instant::now());
        let metadata = std::fs::metadata(&self.path);
        state.present = metadata.is_ok();
        let Ok(metadata) = metadata else { return };
        let stamp = metadata.modified().ok().map(|modified| (modified, metadata.len()));
        if stamp.is_some() && stamp == state.stamp {
            return;
        }
        if let Ok(content) = std::fs::read_to_string(&self.path) {
            state.content = Some(content.trim_end_matches(['\r', '\n']).into());
            state.stamp = stamp;
        }
    }
}
