//! One trace over all hops: webhook, broker, display; and on through a caller's own trace.
use std::{process::ExitCode, time::Duration};

use kit::{Adapter, Failure, Request, ensure, trials, within};
use peers::{Jaeger, Span};
use serde_json::json;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What is done on the way, in order: each one is the parent of the next.
const HOPS: [(&str, &str); 5] = [
    ("webhook-source", "receive"),
    ("webhook-source", "send"),
    ("memory-broker", "receive"),
    ("memory-broker", "send"),
    ("display-target", "receive"),
];

fn main() -> ExitCode {
    trials::run(&[(
        "traces",
        &[("one trace over all hops", all_hops), ("a trace that is not sampled", unsampled)],
    )])
}

fn all_hops() -> Result<(), Failure> {
    let jaeger = Jaeger::start()?;
    let bridge = Bridge::start(&jaeger)?;
    bridge.send("01")?;
    let spans = within(Duration::from_secs(60), "all spans", || {
        jaeger.spans(TRACE).ok().filter(|spans| spans.len() >= HOPS.len())
    })?;
    ensure(spans.len() == HOPS.len(), || format!("{spans:?}"))?;
    let mut parent = CALLER.to_owned();
    for (service, name) in HOPS {
        let is = |span: &&Span| span.service == service && span.name == name;
        let span = spans.iter().find(is).ok_or_else(|| format!("no {service} {name} in {spans:?}"))?;
        ensure(span.parent.as_deref() == Some(&parent), || format!("{service} {name}: {spans:?}"))?;
        parent.clone_from(&span.id);
    }
    bridge.stop()
}

fn unsampled() -> Result<(), Failure> {
    let jaeger = Jaeger::start()?;
    let bridge = Bridge::start(&jaeger)?;
    bridge.send("00")?;
    // The processes export what they have before they end.
    bridge.stop()?;
    let spans = jaeger.spans(TRACE)?;
    ensure(spans.is_empty(), || format!("{spans:?}"))
}

/// webhook-source → memory-broker → display-target.
struct Bridge {
    source: Adapter,
    broker: Adapter,
    display: Adapter,
}

impl Bridge {
    fn start(jaeger: &Jaeger) -> Result<Self, Failure> {
        let start = |name: &str, settings: &[(&str, &str)]| {
            let base = [("DRAIN_SECONDS", "0"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*jaeger.endpoint())];
            Adapter::ready(name, &[&base, settings].concat())
        };
        let display = start("display-target", &[])?;
        let document = json!({"triggers": {"all": {"target": {"url": display.url("/")}}}}).to_string();
        let broker = start("memory-broker", &[("BROKER_CONFIG", &document)])?;
        let source = start(
            "webhook-source",
            &[
                ("K_SINK", &broker.url("/")),
                ("WEBHOOK_EVENT_TYPE", "com.example.traced"),
                ("WEBHOOK_EVENT_SOURCE", "traces"),
            ],
        )?;
        Ok(Self { source, broker, display })
    }

    fn send(&self, flags: &str) -> Result<(), Failure> {
        let request = Request::post("/")
            .body("application/json", "{}")
            .header("traceparent", &format!("00-{TRACE}-{CALLER}-{flags}"));
        let answer = self.source.send(&request)?;
        ensure(answer.is_success(), || format!("answered {}", answer.status))
    }

    fn stop(mut self) -> Result<(), Failure> {
        [&mut self.source, &mut self.broker, &mut self.display]
            .into_iter()
            .try_for_each(|adapter| adapter.process.stop())
    }
}
