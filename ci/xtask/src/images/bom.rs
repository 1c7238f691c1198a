//! A bill of materials for each image, CycloneDX 1.5 in JSON: the crates as cargo-cyclonedx finds them, and what an image
//! has beside those. <https://cyclonedx.org/docs/1.5/json/>

use std::collections::BTreeSet;
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
            let linked = linked(workspace, binaries, name)?;
            let bill =
                complete(only(serde_json::from_str(&bill)?, &linked), binaries, &binaries.folder.join(name))?;
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

/// The crates that are linked into the adapter when it is built alone, with their versions.
///
/// The tool reads features as they are for the whole workspace, and so finds what only others need.
fn linked(workspace: &Workspace, binaries: &Binaries, name: &str) -> Result<BTreeSet<String>, Failure> {
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--locked", "--package", name, "--target", binaries.platform.triple()]);
    tree.args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--format", "{p}"]);
    let lines = shell::output(tree.current_dir(&workspace.root))?;
    let named = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{}@{}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(lines.lines().filter_map(named).collect())
}

/// The bill with these crates alone.
fn only(mut bill: Value, linked: &BTreeSet<String>) -> Value {
    let mut kept = BTreeSet::from([bill["metadata"]["component"]["bom-ref"].to_string()]);
    if let Some(components) = bill["components"].as_array_mut() {
        components.retain(|part| {
            let (name, version) = (part["name"].as_str(), part["version"].as_str());
            linked.contains(&format!("{}@{}", name.unwrap_or_default(), version.unwrap_or_default()))
        });
        kept.extend(components.iter().map(|part| part["bom-ref"].to_string()));
    }
    if let Some(dependencies) = bill["dependencies"].as_array_mut() {
        dependencies.retain(|one| kept.contains(&one["ref"].to_string()));
        for one in dependencies {
            if let Some(needed) = one.get_mut("dependsOn").and_then(Value::as_array_mut) {
                needed.retain(|needed| kept.contains(&needed.to_string()));
            }
        }
    }
    bill
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_stays() {
        let part = |name: &str| json!({"name": name, "version": "1.0.0", "bom-ref": format!("ref-{name}")});
        let bill = json!({
            "metadata": {"component": {"bom-ref": "ref-adapter"}},
            "components": [part("tokio"), part("h2")],
            "dependencies": [
                {"ref": "ref-adapter", "dependsOn": ["ref-tokio", "ref-h2"]},
                {"ref": "ref-tokio"},
                {"ref": "ref-h2", "dependsOn": ["ref-tokio"]},
            ],
        });
        let bill = only(bill, &BTreeSet::from(["tokio@1.0.0".to_owned(), "h2@2.0.0".to_owned()]));
        assert_eq!(bill["components"], json!([part("tokio")]));
        let expected = json!([{"ref": "ref-adapter", "dependsOn": ["ref-tokio"]}, {"ref": "ref-tokio"}]);
        assert_eq!(bill["dependencies"], expected);
    }
}
