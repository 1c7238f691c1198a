//! The same source gives the same binary and the same image, wherever it lies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use kit::{Failure, ensure};
use sha2::{Digest as _, Sha256};

use crate::build::{ADAPTERS, ci_images, image, output, root, target};
use crate::container::podman;

/// The SHA-256 of these bytes in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Builds an adapter in a copy of the checkout, with a target folder of its own, and its image twice.
pub fn same() -> Result<(), Failure> {
    let adapter = ADAPTERS[0];
    let image = image(adapter)?;
    let id = || podman(&["image", "inspect", "--format", "{{.Id}}", &image]);
    let first = id()?;
    podman(&["rmi", "--force", &image])?;
    ci_images(&[adapter])?;
    let second = id()?;
    ensure(first == second, || format!("{image} was {first} and is now {second}"))?;

    let elsewhere = peers::install::cache()?.with_file_name("elsewhere");
    let copy = elsewhere.join("checkout");
    mirror(&root(), &copy)?;
    let mut chore = Command::new(kit::process::binaries().join("xtask"));
    chore.args(["images", "--binaries", adapter]).current_dir(&copy);
    let folder = output(chore.env("CARGO_TARGET_DIR", elsewhere.join("target")))?;
    let there = Path::new(&folder).join(adapter);
    let here = target()?
        .join(Path::new(&folder).strip_prefix(elsewhere.join("target")).map_err(|error| error.to_string())?);
    let read = |file: &Path| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let (one, other) = (digest(&read(&here.join(adapter))?), digest(&read(&there)?));
    ensure(one == other, || format!("{} is {one}, {} is {other}", here.display(), there.display()))?;
    let text = String::from_utf8_lossy(&read(&there)?).into_owned();
    let home = env::home_dir().ok_or("there is no home folder")?;
    for place in [home, copy] {
        let place = place.display().to_string();
        ensure(!text.contains(&format!("{place}/")), || format!("the binary names {place}"))?;
    }
    Ok(())
}

/// Makes `to` hold the files of a checkout as they are, and no others. What has not changed is not touched, so that Cargo
/// builds only what has.
fn mirror(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]).current_dir(from);
    let listed = output(&mut list)?;
    let wanted: Vec<PathBuf> =
        listed.split_terminator('\0').map(PathBuf::from).filter(|file| from.join(file).is_file()).collect();
    let fault = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(fault)?;
    let present = output(Command::new("find").args([".", "-type", "f", "-printf", "%P\\0"]).current_dir(to))?;
    for file in present.split_terminator('\0').map(PathBuf::from).filter(|file| !wanted.contains(file)) {
        fs::remove_file(to.join(file)).map_err(fault)?;
    }
    for file in wanted {
        let (source, copy) = (from.join(&file), to.join(&file));
        let bytes = fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        if fs::read(&copy).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::create_dir_all(copy.parent().unwrap_or(to)).map_err(fault)?;
        fs::write(&copy, bytes).map_err(fault)?;
    }
    Ok(())
}
