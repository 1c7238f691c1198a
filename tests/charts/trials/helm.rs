//! The chart under Helm, and its output under the schemas of Kubernetes and of the custom resources.

use std::path::{Path, PathBuf};

use kit::{Failure, ensure};
pub use peers::helm::values;
use peers::{helm, install};
use serde_json::Value;

/// The versions of Kubernetes under whose schemas the output must stand: the oldest of `Chart.yaml`, that of the tests'
/// cluster, and a new one.
const KUBERNETES: [&str; 3] = ["1.25", "1.34", "1.37"];

/// KEDA, whose source is read.
pub const KEDA: (&str, &str) = ("github.com/kedacore/keda/v2", "v2.21.0");

/// Where custom resources are defined: module, version, folder, files.
const CUSTOM: [(&str, &str, &str, [&str; 2]); 3] = [
    (
        "knative.dev/eventing",
        "v0.50.0",
        "config/core/resources",
        ["containersource.yaml", "sinkbindings.yaml"],
    ),
    (
        KEDA.0,
        KEDA.1,
        "config/crd/bases",
        ["keda.sh_scaledobjects.yaml", "keda.sh_triggerauthentications.yaml"],
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "example/prometheus-operator-crd",
        ["monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"],
    ),
];

/// The top of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The chart.
pub fn chart() -> PathBuf {
    root().join("charts/trestle")
}

/// What `helm template demo charts/trestle --namespace events` gives.
pub struct Rendered {
    /// The objects.
    pub objects: Vec<Value>,
    /// What Helm says after an installation.
    pub notes: String,
}

/// Renders values.
///
/// # Errors
/// With Helm's words when it refuses them.
pub fn render(values: &Value) -> Result<Rendered, Failure> {
    let (objects, notes) = helm::template(&chart(), "demo", "events", values)?;
    Ok(Rendered { objects, notes })
}

impl Rendered {
    /// The object of this kind and name, which is there once.
    ///
    /// # Errors
    /// When it is not.
    pub fn object(&self, kind: &str, name: &str) -> Result<&Value, Failure> {
        let is = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
        let mut found = self.objects.iter().filter(is);
        match (found.next(), found.next()) {
            (Some(object), None) => Ok(object),
            (None, _) => Err(format!("{kind} {name} is not there")),
            (Some(_), Some(_)) => Err(format!("{kind} {name} is there several times")),
        }
    }

    /// Whether there is an object of this kind and name.
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.object(kind, name).is_ok()
    }

    /// The templates of pods, each with the name of its object.
    pub fn pods(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.objects.iter().filter_map(|object| {
            let template = &object["spec"]["template"];
            template.is_object().then(|| (object["metadata"]["name"].as_str().unwrap_or_default(), template))
        })
    }

    /// The only container of the object of this kind and name.
    ///
    /// # Errors
    /// When there is none.
    pub fn container(&self, kind: &str, name: &str) -> Result<&Value, Failure> {
        Ok(&self.object(kind, name)?["spec"]["template"]["spec"]["containers"][0])
    }

    /// Holds the objects against the schemas of Kubernetes and of the custom resources, strictly.
    ///
    /// # Errors
    /// With what these do not like.
    pub fn is_valid(&self) -> Result<(), Failure> {
        let mut definitions = Vec::new();
        for (module, version, folder, files) in CUSTOM {
            let folder = install::go_source(module, version)?.join(folder);
            definitions.extend(files.map(|file| folder.join(file)));
        }
        for version in KUBERNETES {
            let problems = helm::validate(&self.objects, &definitions, version)?;
            ensure(problems.is_empty(), || format!("Kubernetes {version}: {problems:#?}"))?;
        }
        Ok(())
    }
}

/// The value of a container's variable; null without one.
pub fn variable<'a>(container: &'a Value, name: &str) -> &'a Value {
    let all = container["env"].as_array();
    all.into_iter().flatten().find(|variable| variable["name"] == name).unwrap_or(&Value::Null)
}
