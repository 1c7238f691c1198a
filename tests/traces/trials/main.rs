//! One trace over all hops: webhook, broker, display; and on through a caller's own trace.
use std::{process::ExitCode, time::Duration};

use kit::{Failure, Process, ensure, http::Request, within};
use libtest_mimic::{Arguments, Failed, Trial};
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
    let trial =
        |name: &str, run: fn() -> Result<(), Failure>| Trial::test(name, move || run().map_err(Failed::from));
    let trials =
        vec![trial("one trace over all hops", all_hops), trial("a trace that is not sampled", unsampled)];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
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
    source: Process,
    broker: Process,
    display: Process,
    door: std::net::SocketAddr,
}

impl Bridge {
    fn start(jaeger: &Jaeger) -> Result<Self, Failure> {
        let start = |name: &str, environment: &[(&str, String)]| {
            let common = [
                ("HOST", "127.0.0.1".to_owned()),
                ("PORT", "0".to_owned()),
                ("METRICS_PROMETHEUS_PORT", "0".to_owned()),
                ("DRAIN_SECONDS", "0".to_owned()),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.endpoint()),
            ];
            let all: Vec<_> = common
                .iter()
                .chain(environment)
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect();
            let mut process = Process::start(name, &[], &all)?;
            process.wait_for_status("/readyz", 200)?;
            Ok::<_, Failure>(process)
        };
        let mut display = start("display-target", &[])?;
        let url = format!("http://{}/", display.address()?);
        let document = json!({"triggers": {"all": {"target": {"url": url}}}}).to_string();
        let mut broker = start("memory-broker", &[("BROKER_CONFIG", document)])?;
        let sink = format!("http://{}/", broker.address()?);
        let mut source = start(
            "webhook-source",
            &[
                ("K_SINK", sink),
                ("WEBHOOK_EVENT_TYPE", "com.example.traced".to_owned()),
                ("WEBHOOK_EVENT_SOURCE", "traces".to_owned()),
            ],
        )?;
        let door = source.address()?;
        Ok(Self { source, broker, display, door })
    }

    fn send(&self, flags: &str) -> Result<(), Failure> {
        let request = Request::post("/")
            .body("application/json", "{}")
            .header("traceparent", &format!("00-{TRACE}-{CALLER}-{flags}"));
        let answer = request.send(self.door).map_err(|error| error.to_string())?;
        ensure(answer.is_success(), || format!("answered {}", answer.status))
    }

    fn stop(mut self) -> Result<(), Failure> {
        for process in [&mut self.source, &mut self.broker, &mut self.display] {
            process.terminate()?;
            let code = process.wait()?;
            ensure(code == 0, || format!("exit {code}: {}", process.output()))?;
        }
        Ok(())
    }
}
