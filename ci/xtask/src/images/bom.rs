//! A bill of materials for each image, CycloneDX 1.5 in JSON: the crates as cargo-cyclonedx finds them, and what an image
//! has beside those. <https://cyclonedx.org/docs/1.5/json/>

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::binaries::Binaries;
use super::context::{bundle, digest, folder, hexadecimal};
use super::origin::Origin;
use super::shell::{self, git, paths, works};
use crate::cli::{Failure, say};
use crate::workspace::Workspace;

/// OWASP's own tool for Cargo, in the version that these files are tested with.
const TOOL: &str = "0.5.9";

/// Writes the bills of these adapters; their paths, in the same order.
pub fn write(
    workspace: &Workspace,
    binaries: &Binaries,
    origin: &Origin,
    names: &[String],
) -> Result<Vec<PathBuf>, Failure> {
    if !works(Command::new("cargo").args(["cyclonedx", "--version"])) {
        workspace.cargo(&["install", "--debug", "--locked", "cargo-cyclonedx", "--version", TOOL])?;
    }
    let images = folder(workspace)?;
    let copy = Copy::of(workspace, images.join(format!("sources-{}", std::process::id())))?;
    copy.describe(binaries, origin)?;
    names
        .iter()
        .map(|name| {
            let bill = fs::read_to_string(
                copy.folder.join("adapters").join(name).join(format!("{name}_bin.cdx.json")),
            )?;
            // Where the copy lies is of no interest, and is another place each time.
            let bill = bill.replace(&format!("path+file://{}/", copy.folder.display()), "trestle:");
            let bill = complete(serde_json::from_str(&bill)?, binaries, &binaries.folder.join(name))?;
            let file = images.join(format!("{name}-{}.cdx.json", binaries.platform.architecture()));
            fs::write(&file, serde_json::to_string_pretty(&bill)? + "\n")?;
            Ok(file)
        })
        .collect()
}

/// A copy of the checkout: the tool writes its files beside every `Cargo.toml`.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    fn of(workspace: &Workspace, folder: PathBuf) -> Result<Self, Failure> {
        let copy = Self { folder };
        let files = git(&workspace.root, &["ls-files", "--cached", "--others", "--exclude-standard", "-z"])?;
        for file in paths(&files) {
            let from = workspace.root.join(&file);
            // One that is deleted and not yet committed is no fault.
            if from.is_file() {
                let to = copy.folder.join(&file);
                fs::create_dir_all(to.parent().unwrap_or(&copy.folder))?;
                fs::copy(from, to)?;
            }
        }
        Ok(copy)
    }

    fn describe(&self, binaries: &Binaries, origin: &Origin) -> Result<(), Failure> {
        let triple = binaries.platform.triple();
        say(&format!("cargo cyclonedx --target {triple}"));
        let mut tool = Command::new("cargo");
        tool.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
        tool.args(["--describe", "binaries", "--target", triple]).current_dir(&self.folder);
        shell::run(tool.env("SOURCE_DATE_EPOCH", origin.epoch.to_string()))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It is a cache's folder: what stays is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Adds the binary's digest, the C library that is linked into it, and the certificates.
fn complete(mut bill: Value, binaries: &Binaries, binary: &Path) -> Result<Value, Failure> {
    let sha256 = |content: String| json!([{"alg": "SHA-256", "content": content}]);
    bill["metadata"]["component"]["hashes"] = sha256(digest(binary)?);
    let components = bill["components"].as_array_mut().ok_or("the bill of materials has no components")?;
    components.push(json!({
        "type": "library",
        "bom-ref": "glibc",
        "name": "glibc",
        "version": binaries.libc,
        "description": "The C library, linked statically",
        "licenses": [{"license": {"id": "LGPL-2.1-or-later"}}],
        "cpe": format!("cpe:2.3:a:gnu:glibc:{}:*:*:*:*:*:*:*", binaries.libc),
    }));
    components.push(json!({
        "type": "file",
        "bom-ref": "ca-certificates",
        "name": "/etc/ssl/certs/ca-certificates.crt",
        "description": "The certificates of authorities that are trusted",
        "hashes": sha256(hexadecimal(&bundle()?)),
    }));
    Ok(bill)
}
