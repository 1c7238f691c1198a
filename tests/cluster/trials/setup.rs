//! The cluster of the trials: images are built and loaded, then this program runs again in the node's network.

use std::env;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kit::{Failure, ensure};

/// `1` when the trials are asked for, `inside` when all is prepared.
const ASKED: &str = "TRESTLE_CLUSTER";
/// The files of `definitions`, inside.
const FILES: &str = "TRESTLE_CLUSTER_DEFINITIONS";
/// This machine's address, as pods reach it.
const HOST: &str = "HOST_ADDRESS";
/// The tag of the images here.
const TAG: &str = "cluster";
/// The adapters whose images are used: the same that `tests/images` builds.
const ADAPTERS: [&str; 5] =
    ["webhook-source", "memory-broker", "transformation", "display-target", "ping-source"];
/// Those of the trial with Kafka. Size and start are no matter here: they are built quickly.
const KAFKA: [&str; 2] = ["kafka-source", "kafka-target"];
/// The old names of those that the old controller knew.
const OLD: [&str; 2] = ["webhooksource-adapter", "transformation-adapter"];

/// Where the definitions of others are: module, version, file. Those of `tests/charts`.
const DEFINITIONS: [(&str, &str, &str); 4] = [
    ("github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    ("github.com/kedacore/keda/v2", "v2.21.0", "config/crd/bases/keda.sh_triggerauthentications.yaml"),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
];

/// Whether the trials are to run, now and here.
///
/// # Errors
/// When the cluster cannot be had.
pub fn enter(with_kafka: bool) -> Result<bool, Failure> {
    match env::var(ASKED).as_deref() {
        Ok("inside") => Ok(true),
        Ok("1") if is_foreign() => {
            crate::helm::prepare()?;
            if with_kafka {
                peers::Kafka::install()?;
            }
            Ok(true)
        }
        Ok("1") => {
            // Before the images are built, in which time it may be built anew.
            let own = env::current_exe().map_err(|error| error.to_string())?;
            prepare(with_kafka)?;
            let mut again = Command::new(cluster());
            // No registry answers in there.
            let files = env::join_paths(definitions()?).map_err(|error| error.to_string())?;
            again.arg("exec").arg(own).args(env::args_os().skip(1)).env(ASKED, "inside").env(FILES, files);
            Err(format!("{again:?}: {}", again.exec()))
        }
        _ => Ok(false),
    }
}

/// Whether the cluster is the user's.
fn is_foreign() -> bool {
    env::var_os("KUBECONFIG").is_some_and(|file| !file.is_empty())
}

fn prepare(with_kafka: bool) -> Result<(), Failure> {
    crate::helm::prepare()?;
    if with_kafka {
        peers::Kafka::install()?;
    }
    said(Command::new(cluster()).args(["up", "--knative"]))?;
    // Of a run that was killed.
    forget()?;
    // One above its limit is built and makes this fail, which is for `tests/images` to say. What is not built cannot be loaded.
    let _ = said(images().args(ADAPTERS));
    if with_kafka {
        said(images().arg("--debug").args(KAFKA))?;
    }
    let more: &[&str] = if with_kafka { &KAFKA } else { &[] };
    for name in ADAPTERS.iter().chain(&OLD).chain(more) {
        said(Command::new(cluster()).args(["load", &format!("{name}:{TAG}")]))?;
    }
    // The node has them now.
    forget()
}

/// Takes the names with this tag out of buildah's store, and the images that have no other.
fn forget() -> Result<(), Failure> {
    let mut list = Command::new("buildah");
    let listed = list.args(["images", "--format", "{{.Name}}:{{.Tag}}"]).output();
    let listed = listed.map_err(|error| format!("{list:?}: {error}"))?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let is_ours = |name: &&str| name.starts_with("localhost/") && name.ends_with(&format!(":{TAG}"));
    for name in names.lines().filter(is_ours) {
        said(Command::new("buildah").args(["rmi", name]).stdout(Stdio::null()))?;
    }
    Ok(())
}

fn images() -> Command {
    let mut images = Command::new(root().join("ci/images"));
    images.env("CONTAINER_TOOL", "buildah").env("IMAGE_TAG", TAG).env_remove("IMAGE_PREFIX");
    images
}

/// Runs a command whose words are for who waits.
fn said(command: &mut Command) -> Result<(), Failure> {
    command.stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    ensure(status.success(), || format!("{command:?}: {status}"))
}

fn cluster() -> PathBuf {
    root().join("ci/cluster")
}

/// The top folder of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files with the definitions of KEDA and the Prometheus operator.
///
/// # Errors
/// When they cannot be had.
pub fn definitions() -> Result<Vec<PathBuf>, Failure> {
    if let Some(files) = env::var_os(FILES) {
        return Ok(env::split_paths(&files).collect());
    }
    let file = |(module, version, file): (&str, &str, &str)| {
        Ok(peers::install::go_source(module, version)?.join(file))
    };
    DEFINITIONS.into_iter().map(file).collect()
}

/// The address of this machine by which pods reach a server on it.
///
/// # Errors
/// When nobody says.
pub fn host() -> Result<Ipv4Addr, Failure> {
    let given = env::var(HOST).unwrap_or_default();
    given.parse().map_err(|_| {
        format!(
            "{HOST} must be an IPv4 address of this machine that pods of your cluster reach; it is {given:?}"
        )
    })
}

/// Where images come from, as the chart's `image` has it: registry, tag, policy.
pub fn registry() -> (String, String, &'static str) {
    if env::var(ASKED).as_deref() == Ok("inside") {
        return ("localhost".to_owned(), TAG.to_owned(), "Never");
    }
    let or = |name: &str, other: &str| {
        env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| other.to_owned())
    };
    let prefix = or("IMAGE_PREFIX", "ghcr.io/trestle-events");
    (prefix.trim_end_matches('/').to_owned(), or("IMAGE_TAG", env!("CARGO_PKG_VERSION")), "IfNotPresent")
}
