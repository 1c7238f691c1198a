//! The folder that an image is made from: all its files, with modes and dates that do not depend on this machine.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::binaries::{Binaries, Profile};
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
    /// What is built of it.
    pub dockerfile: PathBuf,
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
        let mut dockerfile = workspace.root.join("ci/Dockerfile");
        if binaries.profile == Profile::Debug {
            let text = fs::read_to_string(&dockerfile)? + "COPY libraries /\n";
            dockerfile = folder.join("Dockerfile");
            fs::write(&dockerfile, text)?;
            libraries(&adapter, &folder.join("libraries"))?;
        }
        Ok(Self { folder, dockerfile, binary, size: binary + certificates.metadata()?.len() })
    }
}

/// Lays out what a binary that is not static needs of this machine, where it looks for it.
fn libraries(binary: &Path, to: &Path) -> Result<(), Failure> {
    let listed = shell::output(Command::new("ldd").arg(binary))?;
    for file in listed.split_whitespace().filter(|word| word.starts_with('/')) {
        let copy = to.join(file.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(file, copy)?;
    }
    Ok(())
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
