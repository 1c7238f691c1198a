//! The alerts and the dashboard: promtool, and a real Prometheus that reads real adapters.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use kit::{Failure, Process, Reply, Sink, ensure, http::Request, within};
use peers::{Prometheus, promtool};
use serde_json::{Value, json};

use crate::{Outcome, Trials, helm, queries};

pub const TRIALS: Trials = &[
    ("promtool likes the rules and their unit tests", rules),
    ("queries are read", read),
    ("every query of the dashboard and of the alerts finds what adapters export", found),
    ("the chart's objects are the files", objects),
];

fn file(path: &str) -> Result<String, Failure> {
    fs::read_to_string(helm::root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn rules() -> Outcome {
    let tool = promtool()?;
    for arguments in [
        ["check", "rules", "charts/trestle/alerts/trestle.yaml"],
        ["test", "rules", "tests/charts/trials/alerts.yaml"],
    ] {
        let output = Command::new(&tool)
            .args(arguments)
            .current_dir(helm::root())
            .output()
            .map_err(|error| error.to_string())?;
        let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure(output.status.success() && told.contains("SUCCESS"), || format!("{arguments:?}: {told}"))?;
    }
    let tested = helm::values(&file("tests/charts/trials/alerts.yaml")?)?;
    let tests = tested["tests"].as_array().map_or(0, Vec::len);
    ensure(tests > 3, || format!("{tests} unit tests"))
}

fn read() -> Outcome {
    for (query, metrics) in [
        ("a > 5", vec!["a"]),
        ("sum by (name, b) (rate(a{b=\"c\"}[5m])) / on (x) d", vec!["a", "d"]),
        ("count(a == 0) or vector(0)", vec!["a"]),
        ("topk(10, rate({__name__=~\"[a-z]+_x\", c=~\"d\"}[5m]))", vec!["{__name__=~\"[a-z]+_x\"}"]),
    ] {
        let read = queries::metrics(query);
        ensure(read == metrics, || format!("{query}: {read:?}"))?;
    }
    Ok(())
}

/// All queries: those of the dashboard with their variables set, and those of the alerts.
fn all() -> Result<(Vec<String>, Vec<String>), Failure> {
    let dashboard: Value = serde_json::from_str(&file("charts/trestle/dashboards/trestle.json")?)
        .map_err(|error| error.to_string())?;
    let mut panels = Vec::new();
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().ok_or("a panel without a query")?;
            let query = query.replace("$__rate_interval", "10s");
            panels.push(
                ["$namespace", "$name", "$broker"]
                    .iter()
                    .fold(query, |query, name| query.replace(name, ".*")),
            );
        }
    }
    let rules = helm::values(&file("charts/trestle/alerts/trestle.yaml")?)?;
    let mut alerts = Vec::new();
    for group in rules["groups"].as_array().into_iter().flatten() {
        for rule in group["rules"].as_array().into_iter().flatten() {
            alerts.push(rule["expr"].as_str().ok_or("a rule without a query")?.to_owned());
        }
    }
    ensure(panels.len() > 20 && alerts.len() > 5, || "there are no queries".to_owned())?;
    Ok((panels, alerts))
}

fn found() -> Outcome {
    let bridge = Bridge::start()?;
    let prometheus = Prometheus::start(&bridge.metrics)?;
    let (panels, alerts) = all()?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                bridge.send(number);
                thread::park_timeout(Duration::from_millis(50));
            }
        });
        let outcome = look(&prometheus, &panels, &alerts);
        done.store(true, Ordering::Relaxed);
        outcome
    })
}

fn look(prometheus: &Prometheus, panels: &[String], alerts: &[String]) -> Outcome {
    for query in panels {
        let mut last = String::new();
        within(Duration::from_secs(60), &format!("data for {query}"), || {
            match prometheus.query(query) {
                // A quantile of nothing is no number.
                Ok(series) => return series.iter().any(|one| one["value"][1] != "NaN").then_some(()),
                Err(error) => last = error,
            }
            None
        })
        .map_err(|failure| format!("{failure}: {last}"))?;
    }
    // What an alert is about does not happen here, so that its query gives nothing; what it is made of is there.
    for query in alerts {
        prometheus.query(query).map_err(|error| format!("{query}: {error}"))?;
        for metric in queries::metrics(query) {
            // A scrape that came too late leaves a gap until the next.
            within(Duration::from_secs(60), &format!("{query}: something called {metric}"), || {
                prometheus.query(&metric).ok().filter(|series| !series.is_empty()).map(drop)
            })?;
        }
    }
    Ok(())
}

/// webhook-source → memory-broker → display-target, a sink that refuses what it is sent, and one that is not there.
struct Bridge {
    _processes: Vec<Process>,
    _sinks: Vec<Sink>,
    doors: Vec<SocketAddr>,
    metrics: Vec<SocketAddr>,
}

impl Bridge {
    fn start() -> Result<Self, Failure> {
        let mut processes = Vec::new();
        let mut start =
            |name: &str, environment: &[(&str, String)]| -> Result<(SocketAddr, SocketAddr), Failure> {
                let mut process = Process::start(name, &[], environment)?;
                let addresses = (process.address()?, process.metrics_address()?);
                processes.push(process);
                Ok(addresses)
            };
        let refusing = Sink::start()?;
        refusing.always(Reply::status(400));
        let taking = Sink::start()?;
        let (display, of_display) = start("display-target", &[])?;
        let triggers = json!({"triggers": {
            "shown": {"target": {"url": format!("http://{display}")}},
            "refused": {"target": {"url": refusing.url("/")}, "deliveryOptions": {"deadLetterURL": taking.url("/")}},
        }});
        let (broker, of_broker) = start("memory-broker", &[("BROKER_CONFIG", triggers.to_string())])?;
        let webhook = |sink: String, deadline: &str| {
            [
                ("WEBHOOK_EVENT_TYPE", "order".to_owned()),
                ("WEBHOOK_EVENT_SOURCE", "shop".to_owned()),
                ("K_SINK", sink),
                ("DELIVERY_DEADLINE", deadline.to_owned()),
            ]
        };
        let (door, of_webhook) = start("webhook-source", &webhook(format!("http://{broker}"), "5s"))?;
        let nobody = Sink::refusing()?;
        let (lost, of_lost) = start("webhook-source", &webhook(nobody.url("/"), "100ms"))?;
        Ok(Self {
            _processes: processes,
            _sinks: vec![refusing, taking, nobody],
            doors: vec![door, lost],
            metrics: vec![of_display, of_broker, of_webhook, of_lost],
        })
    }

    /// An event through each door, and one that the target refuses.
    fn send(&self, number: u64) {
        for door in &self.doors {
            // What comes back is no part of this.
            let _ = Request::post("/").json(&json!({"number": number})).send(*door);
        }
    }
}

fn objects() -> Outcome {
    let values = helm::values(
        "prometheusRule: {enabled: true, labels: {release: prometheus}}\n\
         serviceMonitor: {enabled: true, interval: 15s, labels: {release: prometheus}}\n\
         dashboard: {enabled: true, annotations: {folder: events}}\n\
         adapters: [{name: a, kind: display-target}]\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let rule = &rendered.object("PrometheusRule", "demo-trestle")?;
    let rules = helm::values(&file("charts/trestle/alerts/trestle.yaml")?)?;
    ensure(rule["spec"] == rules && rule["metadata"]["labels"]["release"] == "prometheus", || {
        format!("{rule:#}")
    })?;
    let dashboard = &rendered.object("ConfigMap", "demo-trestle-dashboard")?;
    let text = dashboard["data"]["trestle.json"].as_str().unwrap_or_default();
    ensure(text == file("charts/trestle/dashboards/trestle.json")?, || "another dashboard".to_owned())?;
    ensure(dashboard["metadata"]["labels"]["grafana_dashboard"] == "1", || {
        format!("{:#}", dashboard["metadata"])
    })?;
    let monitor = &rendered.object("ServiceMonitor", "demo-trestle")?["spec"];
    let labels = &monitor["selector"]["matchLabels"];
    let service = &rendered.object("Service", "demo-a")?;
    for (name, value) in labels.as_object().into_iter().flatten() {
        ensure(&service["metadata"]["labels"][name] == value, || format!("{name} of {service:#}"))?;
    }
    ensure(service["spec"]["ports"][1]["name"] == monitor["endpoints"][0]["port"], || format!("{monitor:#}"))
}
