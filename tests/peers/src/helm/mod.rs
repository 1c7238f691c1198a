//! Helm 4, which there is as a library in a wheel of Python's, and with it the schemas of Kubernetes.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use kit::Failure;
use serde_json::{Value, json};

use crate::install;

/// One server of all tests of the process.
static SERVER: LazyLock<Result<Mutex<Server>, Failure>> = LazyLock::new(|| Server::start().map(Mutex::new));

struct Server {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> Result<Self, Failure> {
        let programs = install::pip("helm", include_str!("requirements.txt"))?;
        let mut command = Command::new(programs.join("python"));
        command.arg("-c").arg(include_str!("server.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
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
            .map_err(|error| format!("Helm: {error}"))?;
        let answer: Value = serde_json::from_str(&line).map_err(|error| format!("Helm: {error}: {line}"))?;
        answer["failed"]
            .as_str()
            .map_or_else(|| Ok(answer["done"].clone()), |failure| Err(failure.to_owned()))
    }
}

fn ask(request: &Value) -> Result<Value, Failure> {
    let server = SERVER.as_ref().map_err(Clone::clone)?;
    server.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
}

/// What warnings and errors `helm lint --strict` finds in a chart, as texts.
///
/// # Errors
/// When Helm cannot lint.
pub fn lint(chart: &Path, values: &Value) -> Result<Value, Failure> {
    ask(&json!({"task": "lint", "chart": chart, "values": values}))
}

/// What `helm template RELEASE CHART --namespace NAMESPACE` gives: the objects, and the notes.
///
/// # Errors
/// With Helm's words when it refuses the values.
pub fn template(
    chart: &Path,
    release: &str,
    namespace: &str,
    values: &Value,
) -> Result<(Vec<Value>, String), Failure> {
    let request = json!({"task": "render", "chart": chart, "release": release, "namespace": namespace, "values": values});
    let done = ask(&request)?;
    let objects = done["objects"].as_array().cloned().unwrap_or_default();
    Ok((objects, done["notes"].as_str().unwrap_or_default().to_owned()))
}

/// Values out of YAML.
///
/// # Errors
/// When it is none.
pub fn values(text: &str) -> Result<Value, Failure> {
    ask(&json!({"task": "values", "text": text}))
}

/// Makes an archive of a chart in a folder, and gives its path.
///
/// # Errors
/// When Helm does not.
pub fn package(chart: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    let done = ask(&json!({"task": "package", "chart": chart, "to": folder}))?;
    Ok(done.as_str().ok_or("no path")?.into())
}

/// What the schemas of a version of Kubernetes, and those of the definitions in the files, do not like of objects; strictly,
/// so that nothing may be there that they do not name.
///
/// # Errors
/// When nothing can be held against them.
pub fn validate(objects: &[Value], definitions: &[PathBuf], version: &str) -> Result<Vec<String>, Failure> {
    let request = json!({"task": "validate", "objects": objects, "crds": definitions, "version": version});
    let problems = ask(&request)?;
    Ok(problems
        .as_array()
        .into_iter()
        .flatten()
        .map(|problem| problem.as_str().unwrap_or_default().into())
        .collect())
}

/// A release in a cluster.
pub struct Release<'a> {
    /// How to reach the cluster.
    pub kubeconfig: &'a Path,
    /// The namespace, which is made if it is not there.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
}

impl Release<'_> {
    /// Installs it.
    ///
    /// # Errors
    /// With Helm's words.
    pub fn install(&self, chart: &Path, values: &Value) -> Result<(), Failure> {
        self.act(chart, values, false)
    }

    /// Changes it.
    ///
    /// # Errors
    /// With Helm's words.
    pub fn upgrade(&self, chart: &Path, values: &Value) -> Result<(), Failure> {
        self.act(chart, values, true)
    }

    /// Takes it away.
    ///
    /// # Errors
    /// With Helm's words.
    pub fn uninstall(&self) -> Result<(), Failure> {
        let mut request = self.request();
        request["task"] = "uninstall".into();
        ask(&request).map(drop)
    }

    fn act(&self, chart: &Path, values: &Value, upgrade: bool) -> Result<(), Failure> {
        let mut request = self.request();
        request["task"] = "install".into();
        request["chart"] = json!(chart);
        request["values"] = values.clone();
        request["upgrade"] = upgrade.into();
        ask(&request).map(drop)
    }

    fn request(&self) -> Value {
        json!({"kubeconfig": self.kubeconfig, "namespace": self.namespace, "release": self.name})
    }
}
