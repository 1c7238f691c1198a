//! The images of this test: built once, and looked into.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kit::{Failure, Folder, ensure};
use serde_json::{Value, json};

use crate::container::{Container, podman};

/// The adapters whose images are built here. None has the SDK of a cloud in it.
pub const ADAPTERS: [&str; 5] =
    ["webhook-source", "memory-broker", "transformation", "display-target", "ping-source"];
/// Bytes that an image without an SDK may have.
const MOST: u64 = 6_000_000;
/// Where all images say that they come from.
const SOURCE: &str = env!("CARGO_PKG_REPOSITORY");
/// The tag that this test gives its images.
const TAG: &str = "trial";

/// The image of an adapter; all of them are built when the first is asked for.
///
/// # Errors
/// When they cannot be built.
pub fn image(name: &str) -> Result<String, Failure> {
    static BUILT: OnceLock<Result<(), Failure>> = OnceLock::new();
    BUILT.get_or_init(build).clone()?;
    Ok(format!("localhost/{name}:{TAG}"))
}

/// Builds all images. One above its limit is there all the same, and fails the trial that looks at sizes alone.
fn build() -> Result<(), Failure> {
    forget()?;
    let built = ci_images(&ADAPTERS);
    let is_there = |name: &str| podman(&["image", "exists", &format!("localhost/{name}:{TAG}")]).is_ok();
    if ADAPTERS.into_iter().all(is_there) { Ok(()) } else { built.map(drop) }
}

/// Takes the images of this test away, and older ones of ours that have lost their names.
///
/// # Errors
/// When they stay.
pub fn forget() -> Result<(), Failure> {
    // An image can have other names, which are not this test's.
    let names = podman(&["images", "--format", "{{.Repository}}:{{.Tag}}"])?;
    for name in
        names.lines().filter(|name| name.starts_with("localhost/") && name.ends_with(&format!(":{TAG}")))
    {
        podman(&["rmi", "--ignore", name])?;
    }
    podman(&[
        "image",
        "prune",
        "--force",
        "--filter",
        &format!("label=org.opencontainers.image.source={SOURCE}"),
    ])
    .map(drop)
}

/// Runs `ci/images` with buildah; what it prints.
///
/// # Errors
/// When it fails, or buildah cannot be installed.
pub fn ci_images(arguments: &[&str]) -> Result<String, Failure> {
    peers::install::debian("buildah", "buildah")?;
    let mut command = Command::new(root().join("ci/images"));
    command.args(arguments).env("CONTAINER_TOOL", "buildah").env("IMAGE_TAG", TAG).env_remove("IMAGE_PREFIX");
    output(&mut command)
}

/// Runs a command for what it prints.
///
/// # Errors
/// When it fails, with all that it said.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    ensure(output.status.success(), || {
        format!("{command:?}: {}\n{}\n{}", output.status, said(&output.stdout), said(&output.stderr))
    })?;
    Ok(said(&output.stdout))
}

/// The top folder of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where Cargo builds.
///
/// # Errors
/// When Cargo does not say.
pub fn target() -> Result<PathBuf, Failure> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root());
    let metadata = json_of(&output(&mut cargo)?)?;
    Ok(metadata["target_directory"].as_str().ok_or("cargo names no target folder")?.into())
}

/// Reads JSON.
///
/// # Errors
/// When it is none.
pub fn json_of(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))
}

/// Size, files, user, ports, labels and names.
pub fn contents() -> Result<(), Failure> {
    for adapter in ADAPTERS {
        let image = image(adapter)?;
        let described = json_of(&podman(&["image", "inspect", &image])?)?[0].take();
        let size = described["Size"].as_u64().ok_or("an image without a size")?;
        ensure(size <= MOST, || format!("{image} has {size} bytes, more than {MOST}"))?;
        let config = &described["Config"];
        let expected = [
            ("User", json!("65532:65532")),
            ("Entrypoint", json!(["/adapter"])),
            ("ExposedPorts", json!({"8080/tcp": {}, "9092/tcp": {}})),
        ];
        for (field, value) in expected {
            ensure(config[field] == value, || format!("{image}: {field} is {}", config[field]))?;
        }
        let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].clone();
        ensure(label("title") == adapter, || format!("{image} calls itself {}", label("title")))?;
        for name in ["description", "version", "revision", "licenses", "source", "documentation"] {
            let given = label(name).as_str().is_some_and(|value| !value.is_empty());
            ensure(given, || format!("{image}: no label {name}"))?;
        }
        files(&image)?;
        names(adapter, &described["Id"])?;
    }
    Ok(())
}

/// Nothing is in an image but the binary, the certificates and the folder for checkpoints.
fn files(image: &str) -> Result<(), Failure> {
    const EXPECTED: [&str; 8] = [
        "./adapter",
        "./etc",
        "./etc/ssl",
        "./etc/ssl/certs",
        "./etc/ssl/certs/ca-certificates.crt",
        "./var",
        "./var/lib",
        "./var/lib/trestle",
    ];
    let folder = Folder::new()?;
    let archive = folder.path().join("image.tar");
    podman(&[
        "save",
        "--quiet",
        "--format",
        "oci-archive",
        "--output",
        &archive.display().to_string(),
        image,
    ])?;
    let unpack =
        |archive: &Path| output(Command::new("tar").arg("-xf").arg(archive).arg("-C").arg(folder.path()));
    unpack(&archive)?;
    let blob = |digest: &Value| {
        let digest = digest.as_str().unwrap_or_default().trim_start_matches("sha256:");
        folder.path().join("blobs/sha256").join(digest)
    };
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let index = json_of(&read(&folder.path().join("index.json"))?)?;
    let manifest = json_of(&read(&blob(&index["manifests"][0]["digest"]))?)?;
    let mut found = BTreeSet::new();
    for layer in manifest["layers"].as_array().into_iter().flatten() {
        let listed = output(Command::new("tar").arg("-tf").arg(blob(&layer["digest"])))?;
        found.extend(
            listed.lines().map(|name| format!("./{}", name.trim_start_matches("./").trim_end_matches('/'))),
        );
    }
    found.remove("./");
    ensure(found.iter().eq(EXPECTED.iter()), || format!("{image} holds {found:?}"))
}

/// The image answers to the names that `describe.json` has for it.
fn names(adapter: &str, id: &Value) -> Result<(), Failure> {
    let file = root().join("adapters").join(adapter).join("describe.json");
    let description = json_of(&fs::read_to_string(file).map_err(|error| error.to_string())?)?;
    for old in description["images"].as_array().into_iter().flatten() {
        let name = format!("localhost/{}:{TAG}", old.as_str().unwrap_or_default());
        let other = json_of(&podman(&["image", "inspect", &name])?)?[0]["Id"].take();
        ensure(other == *id, || format!("{name} is {other}, and not {id}"))?;
    }
    Ok(())
}

/// The bills name the adapter, what it is linked with, and the digest of what is in the image.
pub fn bills() -> Result<(), Failure> {
    for adapter in ADAPTERS {
        image(adapter)?;
        let folder = target()?.join("images");
        let bill =
            fs::read_dir(&folder).map_err(|error| error.to_string())?.filter_map(Result::ok).find(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with(&format!("{adapter}-a")) && name.ends_with(".cdx.json")
            });
        let bill = bill.ok_or_else(|| format!("{adapter}: no bill of materials in {}", folder.display()))?;
        let text = fs::read_to_string(bill.path()).map_err(|error| error.to_string())?;
        let bill = json_of(&text)?;
        ensure(bill["bomFormat"] == "CycloneDX", || format!("{adapter}: {}", bill["bomFormat"]))?;
        let component = &bill["metadata"]["component"];
        ensure(component["name"] == adapter, || format!("{adapter}: {}", component["name"]))?;
        let parts: BTreeSet<&str> = bill["components"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["name"].as_str())
            .collect();
        for part in ["common", "tokio", "hyper", "rustls", "aws-lc-sys", "glibc"] {
            ensure(parts.contains(part), || format!("{adapter}: {part} is not in {parts:?}"))?;
        }
        let here = root().canonicalize().map_err(|error| error.to_string())?;
        ensure(!text.contains(&here.display().to_string()), || {
            format!("{adapter}: the bill names this checkout")
        })?;
        let digest = component["hashes"][0]["content"].as_str().unwrap_or_default();
        let inside = Container::file(&image(adapter)?, "/adapter")?;
        let inside = crate::reproducible::digest(&inside);
        ensure(digest == inside, || format!("{adapter}: the bill is of {digest}, the image has {inside}"))?;
    }
    Ok(())
}
