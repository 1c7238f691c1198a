//! L: from the start on.

use std::net::TcpListener;
use std::sync::Arc;

use kit::{Authority, Failure, Harness, Process, Request, Running, Shape, Sink, World, ensure, eventually};

const HEALTH: [&str; 7] = [
    "/healthz",
    "/q/health/live",
    "/health",
    "/q/health/started",
    "/readyz",
    "/readiness",
    "/q/health/ready",
];

/// L1.
pub fn health(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut running = World::new(harness)?.start_unready()?;
    for path in ["/healthz", "/q/health/live"] {
        let answer = running.get(path)?;
        ensure(answer.status == 200, || format!("{path} at the start: {}", answer.status))?;
    }
    for path in HEALTH {
        running.process.wait_for_status(path, 200)?;
    }
    for path in HEALTH {
        let answer = running.get(path)?;
        ensure(answer.status == 200, || format!("{path}: {}", answer.status))?;
    }
    ensure(running.sink.count() == 0 || harness.shape == Shape::Source, || {
        "a probe became an event".to_owned()
    })
}

/// L3. The port is held on another loopback address meanwhile, so that no other trial can be given it.
pub fn host_and_port(harness: &Arc<Harness>) -> Result<(), Failure> {
    let held = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let port = held.local_addr().map_err(|error| error.to_string())?.port();
    let mut world = World::new(harness)?;
    world.set("HOST", "127.0.0.2").set("PORT", port.to_string());
    let running = world.start()?;
    ensure(running.address.to_string() == format!("127.0.0.2:{port}"), || running.address.to_string())
}

/// L4.
pub fn metrics(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    pass_one(&running)?;
    let address = running.process.metrics_address()?;
    let answer = Request::get("/metrics").send(address)?;
    ensure(answer.status == 200, || format!("/metrics: {}", answer.status))?;
    let media_type = answer.headers.get("content-type").unwrap_or_default().to_owned();
    let known =
        ["text/plain", "application/openmetrics-text"].iter().any(|known| media_type.starts_with(known));
    ensure(known, || format!("content type {media_type:?}"))?;
    let text = answer.text();
    let mut samples = 0;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        // name{labels} value [timestamp]; a label's value may hold spaces.
        let (name, rest) = line.split_once(['{', ' ']).ok_or_else(|| format!("no sample: {line:?}"))?;
        let value = rest.rsplit_once('}').map_or(rest, |(_, value)| value).trim();
        let number = value.split(' ').next().unwrap_or_default();
        let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'));
        ensure(sound && number.parse::<f64>().is_ok(), || format!("no sample: {line:?}"))?;
        samples += 1;
    }
    ensure(samples > 0, || format!("no samples:\n{text}"))
}

/// L5.
pub fn ports_taken(harness: &Arc<Harness>) -> Result<(), Failure> {
    let taken = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    let address = taken.local_addr().map_err(|error| error.to_string())?;
    for variable in ["PORT", "METRICS_PROMETHEUS_PORT"] {
        let mut world = World::new(harness)?;
        world.set("HOST", "127.0.0.1").set(variable, address.port().to_string());
        let mut process = world.launch()?;
        let code = process.wait()?;
        ensure(code == 78, || format!("{variable} taken: exit code {code}: {}", process.output()))?;
        let named =
            process.log().iter().any(|line| line.field("level") == "ERROR" && line.text.contains(variable));
        ensure(named, || format!("{variable} is not named: {}", process.output()))?;
    }
    Ok(())
}

/// L7.
pub fn peers_down_at_start(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.sink = Sink::refusing()?;
    world.upstream = Sink::refusing()?;
    let mut running = world.start_unready()?;
    if let Ok(request) = running.acceptable(1) {
        let answer = running.send(&request)?;
        // A target may need nobody, and a broker keeps the event.
        let allowed = answer.status == 503 || (answer.is_success() && !harness.is_source());
        ensure(allowed, || format!("with all peers down: {} {}", answer.status, answer.text()))?;
    }
    let answer = running.get("/healthz")?;
    ensure(answer.status == 200, || format!("/healthz with all peers down: {}", answer.status))?;
    ensure(running.process.exited().is_none(), || running.process.output())?;
    running.sink.open()?;
    running.upstream.open()?;
    let mut number = 1;
    if harness.shape == Shape::Source {
        running.provoke(1)?;
        running.sink.wait_for(1)?;
    } else {
        eventually("an event passes when the peers are up", || {
            number += 1;
            let request = running.acceptable(number).ok()?;
            running.send(&request).ok().filter(|answer| answer.is_success())
        })?;
    }
    running.process.wait_for_status("/readyz", 200).map(drop)
}

/// L8.
pub fn log_is_json(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("LOG_LEVEL", "debug");
    let mut running = world.start()?;
    pass_one(&running)?;
    running.process.terminate()?;
    running.process.wait()?;
    check_log(&running.process)
}

fn check_log(process: &Process) -> Result<(), Failure> {
    for line in process.log() {
        for field in ["timestamp", "level", "message"] {
            ensure(!line.field(field).is_empty(), || format!("no {field} in {:?}", line.text))?;
        }
        let level = line.field("level");
        ensure(["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&level), || line.text.clone())?;
    }
    let stdout = process.stdout();
    // A target that displays writes there; no log line may.
    ensure(!stdout.contains("\"level\":"), || format!("a log line on standard output: {stdout}"))
}

/// Lets one event pass, whichever way it goes.
fn pass_one(running: &Running) -> Result<(), Failure> {
    if running.harness.is_source() {
        running.provoke(1)?;
        return running.sink.wait_for(1).map(drop);
    }
    let answer = running.send(&running.example()?.binary(1))?;
    ensure(answer.is_success(), || format!("an example event: {} {}", answer.status, answer.text()))
}

/// L10.
pub fn serves_tls(harness: &Arc<Harness>) -> Result<(), Failure> {
    let (first, second) = (Authority::new()?, Authority::new()?);
    let mut world = World::new(harness)?;
    let identity = first.issue()?;
    let certificate = world.file("tls.crt", &identity.certificate)?;
    let key = world.file("tls.key", &identity.key)?;
    world.set("TLS_CERT_FILE", certificate).set("TLS_KEY_FILE", key);
    let running = world.start_unready()?;
    let health = Request::get("/healthz");
    let answers = |authority: &Authority| {
        authority.send(&health, running.address).ok().filter(|answer| answer.status == 200).map(drop)
    };
    eventually("an answer over TLS", || answers(&first))?;
    ensure(health.send(running.address).is_err(), || "a plain request was answered".to_owned())?;
    if let Ok(request) = running.acceptable(1) {
        // Whoever keeps events elsewhere takes none before it is there.
        eventually("an event over TLS", || {
            first.send(&request, running.address).ok().filter(kit::Response::is_success).map(drop)
        })?;
    }
    let identity = second.issue()?;
    running.file("tls.crt", &identity.certificate)?;
    running.file("tls.key", &identity.key)?;
    // Asked without a pause: it must look at the files under load too.
    eventually("the new certificate", || answers(&second))
}
