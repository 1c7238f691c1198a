//! The folder that an image is made from: all its files, with modes and dates that do not depend on this machine.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::binaries::Binaries;
use super::origin::Origin;
use super::shell;
use crate::cli::Failure;
use crate::workspace::Workspace;

/// What `CA_BUNDLE` is when it is unset: where Debian and Alpine have it.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A folder for one image.
pub struct Context {
    /// Where it is.
    pub folder: PathBuf,
    /// Bytes of the binary.
    pub binary: u64,
    /// Bytes of all files.
    pub size: u64,
}

impl Context {
    /// Lays the binary, the certificates and the empty folder for checkpoints out.
    pub fn lay_out(
        workspace: &Workspace,
        binaries: &Binaries,
        origin: &Origin,
        name: &str,
    ) -> Result<Self, Failure> {
        let folder = folder(workspace)?.join("context").join(binaries.platform.architecture()).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let checkpoints = folder.join("checkpoints");
        fs::create_dir_all(&checkpoints)?;
        let (adapter, certificates) = (folder.join("adapter"), folder.join("ca-certificates.crt"));
        fs::copy(binaries.folder.join(name), &adapter)?;
        fs::write(&certificates, bundle()?)?;
        for (path, mode) in [(&adapter, 0o755), (&certificates, 0o644), (&checkpoints, 0o755)] {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
            File::open(path)?.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(origin.epoch))?;
        }
        let binary = adapter.metadata()?.len();
        Ok(Self { folder, binary, size: binary + certificates.metadata()?.len() })
    }
}

/// The certificates that images trust, of `CA_BUNDLE` or of this machine.
pub fn bundle() -> Result<Vec<u8>, Failure> {
    let file = shell::variable("CA_BUNDLE").unwrap_or_else(|| BUNDLE.to_owned());
    fs::read(&file).map_err(|error| {
        format!("{file}: {error}; CA_BUNDLE names the certificates to trust, in PEM form").into()
    })
}

/// Where contexts and bills of materials go.
pub fn folder(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let folder = workspace.target()?.join("images");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The SHA-256 of a file in hexadecimal.
pub fn digest(file: &Path) -> Result<String, Failure> {
    Ok(hexadecimal(&fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?))
}

/// The SHA-256 of these bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
