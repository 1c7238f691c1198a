//! Notices an edit of the manifest. It reads the file every 150 ms: editors replace files, copy over them or write in
//! steps, network and container file systems send no events, and a manifest is a few kilobytes.

use std::path::PathBuf;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_millis(150);

/// The file and what was last taken from it.
pub struct Watch {
    path: PathBuf,
    taken: String,
}

impl Watch {
    /// Watches from this content on.
    pub fn new(path: PathBuf, taken: String) -> Watch {
        Watch { path, taken }
    }

    /// The next content that differs and has stayed the same for two looks. A file that cannot be read has not changed:
    /// it is about to be replaced.
    pub async fn changed(&mut self) -> String {
        let mut seen: Option<String> = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = std::fs::read_to_string(&self.path).ok().filter(|text| *text != self.taken);
            if let Some(now) = &now
                && seen.as_ref() == Some(now)
            {
                self.taken.clone_from(now);
                return now.clone();
            }
            seen = now;
        }
    }
}
