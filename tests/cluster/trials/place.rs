//! A namespace of a trial, in which no pod is granted anything, and what the trials do in one.

use std::time::Duration;

use kit::{Failure, Request, Response, ensure, within};
use serde_json::{Value, json};

use crate::kubectl::{Way, json_of, kubectl};
use crate::{helm, setup};

/// How long a cluster may take for what it does by itself: pods, brokers, triggers.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A namespace. Dropping it deletes it, with all that is in it.
pub struct Place {
    /// Its name.
    pub name: String,
}

impl Place {
    /// A new one; what a trial before has left of it goes first. The API server refuses pods in it that are not restricted
    /// (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>).
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(trial: &str) -> Result<Self, Failure> {
        let name = format!("trestle-{trial}");
        kubectl(&["delete", "namespace", &name, "--ignore-not-found", "--timeout", "120s"], "")?;
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        kubectl(&["create", "--filename", "-"], &namespace.to_string())?;
        Ok(Self { name })
    }

    /// Runs kubectl in it.
    ///
    /// # Errors
    /// When it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, Failure> {
        kubectl(&[&["--namespace", &self.name], arguments].concat(), "")
    }

    /// What kubectl gives as JSON.
    ///
    /// # Errors
    /// When it fails.
    pub fn get(&self, arguments: &[&str]) -> Result<Value, Failure> {
        json_of(&self.kubectl(&[&["get", "--output", "json"], arguments].concat())?)
    }

    /// Makes these objects, strictly.
    ///
    /// # Errors
    /// When one is refused.
    pub fn apply(&self, objects: &[Value]) -> Result<(), Failure> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let arguments =
            ["--namespace", &self.name, "apply", "--server-side", "--validate=strict", "--filename", "-"];
        kubectl(&arguments, &list.to_string()).map(drop)
    }

    /// Installs the chart with these adapters and waits until everything is ready.
    ///
    /// # Errors
    /// When it does not become so, with what the cluster says of it.
    pub fn install(&self, mode: &str, adapters: &Value) -> Result<(), Failure> {
        let (registry, tag, policy) = setup::registry();
        let values = json!({
            "mode": mode,
            "image": {"registry": registry, "tag": tag, "pullPolicy": policy},
            // Nobody else is to be let out of a balancer here: a pod that ends need not wait.
            "defaults": {"config": {"DRAIN_SECONDS": 2}},
            "adapters": adapters,
        });
        helm::install("trestle", &self.name, &values)?;
        self.wait("deployments", "Available")
    }

    /// Waits for a condition of an object, or of all of a kind.
    ///
    /// # Errors
    /// When it does not come, with what the cluster says.
    pub fn wait(&self, object: &str, condition: &str) -> Result<(), Failure> {
        let condition = format!("--for=condition={condition}");
        let all: &[&str] = if object.contains('/') { &[] } else { &["--all"] };
        self.kubectl(&[&["wait", object, &condition, "--timeout", "180s"], all].concat())
            .map(drop)
            .map_err(|failure| format!("{failure}\n{}", self.said()))
    }

    /// Waits until an adapter's Deployment has its sink of a SinkBinding, and all its pods are those with it.
    ///
    /// # Errors
    /// When it does not come so far.
    pub fn bound(&self, adapter: &str) -> Result<(), Failure> {
        self.wait(&format!("sinkbinding/demo-{adapter}"), "Ready")?;
        self.rolled_out(adapter)
    }

    /// Waits until all pods of an adapter's Deployment are its newest.
    ///
    /// # Errors
    /// When it does not come so far.
    pub fn rolled_out(&self, adapter: &str) -> Result<(), Failure> {
        let deployment = format!("deployment/demo-{adapter}");
        self.kubectl(&["rollout", "status", &deployment, "--timeout", "180s"])
            .map(drop)
            .map_err(|failure| format!("{failure}\n{}", self.said()))
    }

    /// What there is and what went wrong, for whoever reads of a failure.
    pub fn said(&self) -> String {
        let ask = |arguments: &[&str]| self.kubectl(arguments).unwrap_or_else(|failure| failure);
        let logs = ["logs", "--selector", "app.kubernetes.io/part-of=trestle", "--prefix", "--tail", "12"];
        let events = ["get", "events", "--field-selector", "type=Warning"];
        let objects = "pods,deployments,services,brokers,triggers,containersources,sinkbindings";
        format!("{}\n{}\n{}", ask(&["get", objects, "--output", "wide"]), ask(&events), ask(&logs))
    }

    /// A way to a pod of an adapter of the chart.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn way(&self, adapter: &str, port: u16) -> Result<Way, Failure> {
        Way::forward(&self.name, &format!("demo-{adapter}"), port)
    }

    /// A way to a pod of an adapter whose deployment Knative has made.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn pod(&self, adapter: &str) -> Result<Way, Failure> {
        let selector = format!("app.kubernetes.io/component={adapter}");
        let name = within(PATIENCE, &format!("a pod of {adapter} that stays"), || {
            let pods = self.kubectl(&["get", "pods", "--selector", &selector, "--output", "json"]).ok()?;
            staying(&serde_json::from_str(&pods).ok()?)
        })?;
        Way::open(&["port-forward", "--namespace", &self.name, &format!("pod/{name}"), ":8080"])
    }

    /// A broker of Knative's that keeps events in memory.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn broker(&self) -> Result<(), Failure> {
        self.apply(&[json!({
            "apiVersion": "eventing.knative.dev/v1", "kind": "Broker",
            "metadata": {"name": "default", "annotations": {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}},
        })])?;
        self.wait("broker/default", "Ready")
    }

    /// A trigger for one type, with an adapter as its target.
    ///
    /// # Errors
    /// When it does not become ready.
    pub fn trigger(
        &self,
        name: &str,
        event_type: &str,
        adapter: &str,
        delivery: &Value,
    ) -> Result<(), Failure> {
        self.apply(&[json!({
            "apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": name},
            "spec": {
                "broker": "default", "filter": {"attributes": {"type": event_type}},
                "subscriber": service(&format!("demo-{adapter}")), "delivery": delivery,
            },
        })])?;
        self.wait(&format!("trigger/{name}"), "Ready")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = kubectl(&["delete", "namespace", &self.name, "--wait=false"], "");
    }
}

/// A service as a destination.
pub fn service(name: &str) -> Value {
    json!({"ref": {"apiVersion": "v1", "kind": "Service", "name": name}})
}

/// The broker as an adapter's sink.
pub fn to_broker() -> Value {
    json!({"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}})
}

/// Sends a request, and says what is wrong when there is no answer.
///
/// # Errors
/// When there is none.
pub fn ask(way: &Way, request: &Request) -> Result<Response, Failure> {
    request.send(way.address).map_err(|error| format!("{} {}: {error}", request.method, request.path))
}

/// What a display has shown, oldest first.
///
/// # Errors
/// When it does not say.
pub fn shown(display: &Way) -> Result<Vec<Value>, Failure> {
    let answer = ask(display, &Request::get("/events"))?;
    ensure(answer.status == 200, || format!("/events: {}: {}", answer.status, answer.text()))?;
    json_of(&answer.text())?.as_array().cloned().ok_or_else(|| "/events is no list".to_owned())
}

/// Waits for an event at a display.
///
/// # Errors
/// When none comes, with what came instead.
pub fn event(
    place: &Place,
    display: &Way,
    what: &str,
    is: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let found = || shown(display).ok()?.into_iter().find(|event| is(event));
    within(PATIENCE, what, found)
        .map_err(|failure| format!("{failure}: {:?}\n{}", shown(display), place.said()))
}

/// The name of a pod when all are ready and of one revision: while Knative's injection rolls out, pods come and go.
fn staying(pods: &Value) -> Option<String> {
    let pods: Vec<&Value> = pods["items"]
        .as_array()?
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        .collect();
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
    };
    let revision = |pod: &Value| pod["metadata"]["labels"]["pod-template-hash"].clone();
    let first = *pods.first()?;
    let stays = pods.iter().all(|pod| is_ready(pod) && revision(pod) == revision(first));
    stays.then(|| first["metadata"]["name"].as_str().map(str::to_owned)).flatten()
}
