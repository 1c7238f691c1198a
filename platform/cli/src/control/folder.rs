//! The private folder with the sockets.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

/// How often a folder that was just removed by another bridge is made again.
const ATTEMPTS: usize = 5;

/// The folder: `trestle` in the user's runtime folder, else `trestle-<user>` in that for temporary files.
pub fn folder() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let user = nix::unistd::geteuid();
    runtime.map_or_else(
        || std::env::temp_dir().join(format!("trestle-{user}")),
        |runtime| runtime.join("trestle"),
    )
}

/// Whether it is a folder of this user that nobody else can look into: anybody may have made it.
///
/// # Errors
/// When it is not, or is not there.
pub fn check(folder: &std::path::Path) -> io::Result<()> {
    let about = fs::symlink_metadata(folder)?;
    if about.is_dir() && about.uid() == nix::unistd::geteuid().as_raw() && about.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("{} is not a private folder of this user", folder.display())))
}

/// The place of a socket, removed with this.
#[derive(Debug)]
pub struct Path(PathBuf);

/// Makes the folder and, with `bind`, the socket of this process in it.
///
/// # Errors
/// When it cannot be made, or is not private.
pub fn socket<T>(bind: impl Fn(&std::path::Path) -> io::Result<T>) -> io::Result<(Path, T)> {
    let folder = folder();
    let path = folder.join(format!("{}.sock", std::process::id()));
    let mut last = io::Error::other("not tried");
    for _ in 0..ATTEMPTS {
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        match check(&folder).and_then(|()| {
            // Of a process of the same number that was killed.
            let _ = fs::remove_file(&path);
            bind(&path)
        }) {
            Ok(socket) => return Ok((Path(path), socket)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        // Only when it is empty.
        let _ = self.0.parent().map(fs::remove_dir);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn only_a_private_folder_of_our_own_will_do() {
        let parent = tempfile::TempDir::new().unwrap();
        let folder = parent.path().join("f");
        assert_eq!(check(&folder).unwrap_err().kind(), io::ErrorKind::NotFound);
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        check(&folder).unwrap();
        let link = parent.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(check(&link).is_err(), "somebody else may change where it leads");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(check(&folder).is_err());
    }
}
