//! versitygw, an S3 gateway over a folder: real signatures, real conditions.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use kit::Failure;

use crate::install;
use crate::server::Server;

/// A gateway with one bucket.
pub struct Versitygw(pub(crate) Server);

impl Versitygw {
    /// Its version.
    pub const VERSION: &str = "v1.8.0";
    /// The key id that it knows.
    pub const KEY_ID: &str = "peer";
    /// The secret key of that id.
    pub const SECRET_KEY: &str = "correct-horse-battery";
    /// The bucket.
    pub const BUCKET: &str = "positions";

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start() -> Result<Self, Failure> {
        let program = install::go("github.com/versity/versitygw/cmd/versitygw", Self::VERSION)?;
        Server::start(|port, folder| {
            let data = folder.join("data");
            fs::create_dir_all(data.join(Self::BUCKET))
                .map_err(|error| format!("{}: {error}", data.display()))?;
            let mut command = Command::new(&program);
            command.env("ROOT_ACCESS_KEY", Self::KEY_ID).env("ROOT_SECRET_KEY", Self::SECRET_KEY);
            command.args(["--port", &format!("127.0.0.1:{port}"), "posix"]).arg(data);
            Ok(command)
        })
        .map(Self)
    }

    /// Makes one more bucket.
    ///
    /// # Errors
    /// When it cannot.
    pub fn create_bucket(&self, name: &str) -> Result<(), Failure> {
        let folder = self.bucket(name);
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// What a bucket holds, by key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn objects(&self, bucket: &str) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        let (root, mut found) = (self.bucket(bucket), BTreeMap::new());
        read(&root, &root, &mut found).map_err(|error| format!("{}: {error}", root.display()))?;
        Ok(found)
    }

    fn bucket(&self, name: &str) -> PathBuf {
        self.0.folder().join("data").join(name)
    }
}

/// Each file is an object, but for those that are still being written.
fn read(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let key = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if key.starts_with(".sgwtmp") {
            continue;
        }
        if path.is_dir() {
            read(root, &path, found)?;
        } else {
            found.insert(key, fs::read(&path)?);
        }
    }
    Ok(())
}
