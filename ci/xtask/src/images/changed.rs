//! Which adapters differ from a revision: themselves, or a crate that they are built from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::shell::{git, paths};
use crate::cli::Failure;
use crate::workspace::{Package, Workspace};

/// What every binary or image is made with.
const SHARED: [&str; 7] = [
    ".cargo/",
    "Cargo.lock",
    "Cargo.toml",
    "ci/Dockerfile",
    "ci/image.toml",
    "ci/xtask/src/images",
    "rust-toolchain.toml",
];

/// Those of the adapters that differ between where the revision and this checkout parted and the checkout as it is.
pub fn since(workspace: &Workspace, revision: &str, adapters: Vec<String>) -> Result<Vec<String>, Failure> {
    let root = &workspace.root;
    let base = git(root, &["merge-base", revision, "HEAD"])?;
    let mut listed = git(root, &["diff", "--name-only", "-z", &base])?;
    listed += &git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let changed: Vec<PathBuf> = paths(&listed).collect();
    if changed.iter().any(|path| SHARED.iter().any(|shared| path.to_string_lossy().starts_with(shared))) {
        return Ok(adapters);
    }
    let packages = workspace.packages()?;
    let touched: BTreeSet<&str> =
        changed.iter().filter_map(|path| owner(&packages, &root.join(path))).collect();
    let differs = |name: &String| closure(&packages, name).iter().any(|part| touched.contains(part.as_str()));
    Ok(adapters.into_iter().filter(differs).collect())
}

/// The package whose folder is the nearest above the file. Tests are no part of what is built.
fn owner<'a>(packages: &'a [Package], file: &Path) -> Option<&'a str> {
    let above = packages.iter().filter_map(|package| {
        let folder = package.manifest_path.parent()?;
        let inner = file.strip_prefix(folder).ok()?;
        Some((folder.components().count(), inner, package))
    });
    let (_, inner, package) = above.max_by_key(|(depth, ..)| *depth)?;
    (!inner.starts_with("tests")).then_some(package.name.as_str())
}

/// The package and all of the workspace that it is built from.
pub fn closure(packages: &[Package], name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![name.to_owned()];
    while let Some(name) = waiting.pop() {
        if let Some(package) = packages.iter().find(|package| package.name == name)
            && found.insert(name)
        {
            let needed = package.dependencies.iter().filter(|one| one.kind.as_deref() != Some("dev"));
            waiting.extend(needed.map(|dependency| dependency.name.clone()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, needed: &[(&str, Option<&str>)]) -> Package {
        let needed: Vec<_> =
            needed.iter().map(|(name, kind)| serde_json::json!({"name": name, "kind": kind})).collect();
        serde_json::from_value(serde_json::json!({
            "name": name, "version": "0.1.0", "manifest_path": format!("/w/{folder}/Cargo.toml"), "targets": [],
            "dependencies": needed,
        }))
        .unwrap()
    }

    fn packages() -> Vec<Package> {
        vec![
            package("common", "common", &[("tokio", None)]),
            package("aws", "common/aws", &[("common", None)]),
            package("kit", "tests/kit", &[]),
            package("a-source", "adapters/a-source", &[("aws", None), ("kit", Some("dev"))]),
            package("b-source", "adapters/b-source", &[("common", None)]),
        ]
    }

    #[test]
    fn an_adapter_is_built_from_all_that_is_below_it_but_its_tests() {
        let found = closure(&packages(), "a-source");
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["a-source", "aws", "common"]);
    }

    #[test]
    fn a_file_belongs_to_the_nearest_package() {
        for (file, expected) in [
            ("/w/common/aws/src/lib.rs", Some("aws")),
            ("/w/common/src/lib.rs", Some("common")),
            ("/w/adapters/a-source/tests/harness.rs", None),
            ("/w/README.md", None),
        ] {
            assert_eq!(owner(&packages(), Path::new(file)), expected, "{file}");
        }
    }
}
