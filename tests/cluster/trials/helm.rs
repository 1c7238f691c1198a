//! Helm on the cluster of `KUBECONFIG`.

use std::env;
use std::path::PathBuf;

use kit::Failure;
use peers::helm::{self, Release};
use serde_json::{Value, json};

use crate::setup::root;

/// The name of every release.
const NAME: &str = "demo";

/// Makes Helm be there, while registries can be reached.
///
/// # Errors
/// When it cannot be installed.
pub fn prepare() -> Result<(), Failure> {
    helm::values("{}").map(drop)
}

/// `helm install demo charts/CHART`.
///
/// # Errors
/// With Helm's words when it fails.
pub fn install(chart: &str, namespace: &str, values: &Value) -> Result<(), Failure> {
    act(namespace, |release| release.install(&folder(chart), values))
}

/// `helm uninstall demo`.
///
/// # Errors
/// With Helm's words when it fails.
pub fn uninstall(namespace: &str) -> Result<(), Failure> {
    act(namespace, |release| release.uninstall())
}

/// `helm template demo charts/CHART`, as one list.
///
/// # Errors
/// With Helm's words when it fails.
pub fn template(chart: &str, namespace: &str, values: &Value) -> Result<Value, Failure> {
    let (objects, _) = helm::template(&folder(chart), NAME, namespace, values)?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": objects}))
}

fn act(namespace: &str, act: impl FnOnce(Release<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let kubeconfig = PathBuf::from(env::var_os("KUBECONFIG").ok_or("KUBECONFIG is not set")?);
    act(Release { kubeconfig: &kubeconfig, namespace, name: NAME })
}

fn folder(chart: &str) -> PathBuf {
    root().join("charts").join(chart)
}
