//! Helm 4 out of a Python wheel, and the schemas of Kubernetes and of the custom resources.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use kit::{Failure, ensure};
use peers::install;
use serde_json::{Value, json};

/// The wheel and what checks its output, each in one version.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The versions of Kubernetes under whose schemas the output must stand: the oldest of `Chart.yaml`, that of the tests'
/// cluster, and a new one.
const KUBERNETES: [&str; 3] = ["1.25", "1.34", "1.37"];

/// Where custom resources are described: module, version, file.
const CUSTOM: [(&str, &str, &str); 6] = [
    ("knative.dev/eventing", "v0.50.0", "config/core/resources/containersource.yaml"),
    ("knative.dev/eventing", "v0.50.0", "config/core/resources/sinkbindings.yaml"),
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

/// One server of all trials.
static SERVER: LazyLock<Result<Mutex<Server>, Failure>> = LazyLock::new(|| Server::start().map(Mutex::new));

struct Server {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let programs = install::pip("helm", REQUIREMENTS)?;
        let mut command = Command::new(programs.join("python"));
        command.arg("-c").arg(include_str!("helm.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        // It ends with its standard input, which is this process's.
        let requests = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { _child: child, requests, answers })
    }

    fn ask(&mut self, request: &Value) -> Result<Value, Failure> {
        let mut line = String::new();
        writeln!(self.requests, "{request}")
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.answers.read_line(&mut line))
            .map_err(|error| format!("helm.py: {error}"))?;
        let answer: Value =
            serde_json::from_str(&line).map_err(|error| format!("helm.py: {error}: {line}"))?;
        answer["failed"]
            .as_str()
            .map_or_else(|| Ok(answer["done"].clone()), |failure| Err(failure.to_owned()))
    }
}

fn ask(request: &Value) -> Result<Value, Failure> {
    let server = SERVER.as_ref().map_err(Clone::clone)?;
    server.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
}

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
    let done = ask(&json!({"task": "render", "chart": chart(), "values": values}))?;
    let objects = done["objects"].as_array().cloned().unwrap_or_default();
    Ok(Rendered { objects, notes: done["notes"].as_str().unwrap_or_default().to_owned() })
}

/// What `helm lint --strict` finds.
///
/// # Errors
/// When Helm cannot lint.
pub fn lint(values: &Value) -> Result<Value, Failure> {
    ask(&json!({"task": "lint", "chart": chart(), "values": values}))
}

/// Values out of YAML.
///
/// # Errors
/// When it is none.
pub fn values(text: &str) -> Result<Value, Failure> {
    ask(&json!({"task": "values", "text": text}))
}

/// Makes an archive of the chart in a folder, and gives its path.
///
/// # Errors
/// When Helm does not.
pub fn package(folder: &Path) -> Result<PathBuf, Failure> {
    let done = ask(&json!({"task": "package", "chart": chart(), "to": folder}))?;
    Ok(done.as_str().ok_or("no path")?.into())
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
            (one, _) => {
                Err(format!("{kind} {name} is there {} times", if one.is_some() { "several" } else { "0" }))
            }
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
        let mut crds = Vec::new();
        for (module, version, file) in CUSTOM {
            crds.push(install::go_source(module, version)?.join(file));
        }
        for version in KUBERNETES {
            let request =
                json!({"task": "validate", "objects": self.objects, "crds": crds, "version": version});
            let problems = ask(&request)?;
            ensure(problems == json!([]), || format!("Kubernetes {version}: {problems:#}"))?;
        }
        Ok(())
    }
}

/// The value of a container's variable; null without one.
pub fn variable<'a>(container: &'a Value, name: &str) -> &'a Value {
    let all = container["env"].as_array();
    all.into_iter().flatten().find(|variable| variable["name"] == name).unwrap_or(&Value::Null)
}
