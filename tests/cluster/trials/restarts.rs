//! Restarts under load: rollouts and killed pods, of the source and of the target.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

use kit::{Failure, Request, ensure};
use serde_json::{Value, json};

use crate::kubectl::Way;
use crate::place::{PATIENCE, Place, service, shown, to_broker};

const ORDERED: &str = "com.example.ordered";
/// Fewest orders.
const ORDERS: u64 = 5_000;
/// Clients at once.
const CLIENTS: usize = 6;
/// How often each is disturbed in all ways.
const ROUNDS: u64 = 2;

/// Whatever was answered with 2xx arrives; what was not is sent again by the client.
pub fn lose_nothing() -> Result<(), Failure> {
    let place = Place::new("restarts")?;
    place.broker()?;
    let uri = format!("http://demo-display.{}.svc.cluster.local", place.name);
    place.install(
        "SinkBinding",
        &json!([
            {"name": "hooks", "kind": "webhook-source", "replicas": 2, "sink": to_broker(),
             "config": {"WEBHOOK_EVENT_TYPE": ORDERED, "WEBHOOK_EVENT_SOURCE": "shop"}},
            {"name": "target", "kind": "transformation", "mode": "Deployment", "replicas": 2, "sink": {"uri": uri}},
            {"name": "display", "kind": "display-target", "config": {"DISPLAY_KEEP": 100_000}},
            {"name": "dead", "kind": "display-target"},
        ]),
    )?;
    let delivery = json!({
        "retry": 40, "backoffPolicy": "linear", "backoffDelay": "PT0.1S", "deadLetterSink": service("demo-dead"),
    });
    place.trigger("orders", ORDERED, "target", &delivery)?;
    for adapter in ["hooks", "target", "display"] {
        place.rolled_out(adapter)?;
    }
    place.bound("hooks")?;

    let load = Load::new(&place)?;
    let restarts = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| load.client())).collect();
        let restarts = disturb(&place, ["hooks", "target"], ROUNDS);
        load.disturbed.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().map_err(|_| "a client panicked".to_owned())?;
        }
        restarts
    })?;
    let answered = load.answered.into_inner().unwrap_or_else(PoisonError::into_inner);
    let display = place.way("display", 8080)?;
    let (arrived, all) = arrived(&display, &answered)?;
    let lost = answered.difference(&arrived).count();
    // For whoever wants to know more than that it passed.
    let _ = writeln!(
        io::stdout(),
        "{restarts} restarts: {} orders answered with 2xx, {} sent again, {lost} lost, {} came twice",
        answered.len(),
        load.resent.load(Ordering::Relaxed),
        all - arrived.len(),
    );
    ensure(lost == 0, || format!("{lost} of {} lost\n{}", answered.len(), place.said()))?;
    let dead = shown(&place.way("dead", 8080)?)?.len();
    ensure(dead == 0, || format!("{dead} dead letters"))
}

/// Clients that send orders until all restarts are through, and enough orders.
struct Load {
    api: Way,
    path: String,
    next: AtomicU64,
    resent: AtomicU64,
    answered: Mutex<BTreeSet<u64>>,
    disturbed: AtomicBool,
}

impl Load {
    /// The API server passes requests on to some pod of the service, as a load balancer does.
    fn new(place: &Place) -> Result<Self, Failure> {
        Ok(Self {
            api: Way::proxy()?,
            path: format!("/api/v1/namespaces/{}/services/http:demo-hooks:80/proxy/", place.name),
            next: AtomicU64::new(0),
            resent: AtomicU64::new(0),
            answered: Mutex::default(),
            disturbed: AtomicBool::new(false),
        })
    }

    fn client(&self) {
        loop {
            let order = self.next.fetch_add(1, Ordering::Relaxed);
            if order >= ORDERS && self.disturbed.load(Ordering::Relaxed) {
                return;
            }
            let request = Request::post(&self.path).json(&json!({"order": order}));
            while !request.send(self.api.address).is_ok_and(|answer| answer.is_success()) {
                self.resent.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
            self.answered.lock().unwrap_or_else(PoisonError::into_inner).insert(order);
        }
    }
}

/// Restarts both, one after the other, deletes a pod of each by force, and kills a process of each; how many of all that.
///
/// # Errors
/// When the cluster does not bring them back.
pub fn disturb(place: &Place, adapters: [&str; 2], rounds: u64) -> Result<u64, Failure> {
    let mut restarts = 0;
    for _ in 0..rounds {
        for adapter in adapters {
            place.kubectl(&["rollout", "restart", &format!("deployment/demo-{adapter}")])?;
            place.rolled_out(adapter)?;
            place.kubectl(&["delete", "pod", &pod(place, adapter)?.0, "--force", "--grace-period", "0"])?;
            place.rolled_out(adapter)?;
            restarts += 2;
            // Only the cluster of this machine lets its processes be seen.
            if let Some(process) = process(&pod(place, adapter)?.1) {
                let killed = Command::new("kill").args(["-KILL", &process]).status();
                ensure(killed.is_ok_and(|status| status.success()), || {
                    format!("{process} cannot be killed")
                })?;
                thread::sleep(Duration::from_secs(1));
                place.rolled_out(adapter)?;
                restarts += 1;
            }
        }
    }
    Ok(restarts)
}

/// Name and container of a running pod of an adapter.
fn pod(place: &Place, adapter: &str) -> Result<(String, String), Failure> {
    let selector = format!("app.kubernetes.io/component={adapter}");
    let pods = place.get(&["pods", "--selector", &selector, "--field-selector", "status.phase=Running"])?;
    let pods = pods["items"].as_array().into_iter().flatten();
    let pod = pods.into_iter().find(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let pod = pod.ok_or_else(|| format!("{adapter} has no pod\n{}", place.said()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok((text(&pod["metadata"]["name"]), text(&pod["status"]["containerStatuses"][0]["containerID"])))
}

/// The number of the process in a container, which names it in its control groups.
fn process(container: &str) -> Option<String> {
    let id = container.rsplit('/').next().filter(|id| !id.is_empty())?;
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut processes = processes.map(|entry| entry.path());
    let found = processes
        .find(|path| fs::read_to_string(path.join("cgroup")).is_ok_and(|groups| groups.contains(id)));
    Some(found?.file_name()?.to_string_lossy().into_owned())
}

/// The orders that the display has, and how many events these are; waits for those that were answered, as long as more come.
fn arrived(display: &Way, answered: &BTreeSet<u64>) -> Result<(BTreeSet<u64>, usize), Failure> {
    let mut seen = 0;
    loop {
        let events = shown(display)?;
        let orders: BTreeSet<u64> =
            events.iter().filter_map(|event| event["data"]["order"].as_u64()).collect();
        if answered.is_subset(&orders) || events.len() == seen {
            return Ok((orders, events.len()));
        }
        seen = events.len();
        // Longer than the longest wait between two attempts.
        thread::sleep(PATIENCE / 12);
    }
}
