//! The frame's main function: settings, listener, first contact, work, end. The same for every shape of adapter.

mod answers;
mod batch;
mod lanes;
mod life;
mod poll;
mod queue;
mod source;
mod target;
#[cfg(test)]
mod testing;
mod webhook;

pub use batch::batch_target;
pub use lanes::log_source;
pub use poll::poll_source;
pub use queue::queue_source;
pub use source::source;
pub use target::{broker, durable_broker, gateway, target};
pub use webhook::webhook_source;

use std::{future::Future, io::Write as _, pin::Pin, process::ExitCode, sync::Arc, time::Instant};

use crate::{
    adapter::Adapter,
    args::{self, Command},
    checkpoint::{Checkpoints, FileCheckpoints},
    config::{self, ConfigError, Environment},
    describe,
    error::Error,
    frame::FrameConfig,
    health::Health,
    http::{self, Client, Roots},
    log,
    metrics::FrameMetrics,
    send::Sink,
    server::{Budget, Events},
    stop::Stop,
    trace::{self, TraceConfig},
    worker,
};

/// Exit code for a configuration that cannot work (`EX_CONFIG` of sysexits.h).
const INVALID_CONFIGURATION: u8 = 78;

type Work = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// What tells one shape of adapter from another.
pub(crate) struct Shape<A> {
    /// Its name in `--describe`.
    name: &'static str,
    /// Whether it cannot do without `K_SINK`.
    needs_sink: bool,
    /// Whether events come in by HTTP, so that the end has to wait for callers to notice.
    serves: bool,
    /// Whether it keeps positions in `CHECKPOINT_DIR`.
    keeps_positions: fn(&A) -> bool,
    /// What is done once before the first contact.
    prepare: fn(&Frame, &A),
    /// What is served on all paths that are not health.
    events: fn(&Arc<Frame>, &Arc<A>) -> Events,
    /// The work beside the server; it ends after the stop.
    work: fn(Arc<Frame>, Arc<A>, Stop) -> Work,
}

/// What the frame holds for the whole life of the process.
pub(crate) struct Frame {
    /// When the process began.
    pub(crate) begin: Instant,
    pub(crate) config: FrameConfig,
    pub(crate) component: &'static str,
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<FrameMetrics>,
    pub(crate) sink: Option<Arc<Sink>>,
    pub(crate) budget: Arc<Budget>,
    /// Where positions are kept, for shapes that have any.
    pub(crate) positions: Option<Arc<dyn Checkpoints>>,
}

/// Runs an adapter of some shape until its end.
pub(crate) fn run<A: Adapter>(shape: Shape<A>) -> ExitCode {
    let begin = Instant::now();
    let arguments = std::env::args().skip(1);
    match args::parse(arguments) {
        Ok(Command::Describe) => {
            let document = describe::document::<A::Config>(&A::INFO, shape.name);
            print(&serde_json::to_string_pretty(&document).unwrap_or_default())
        }
        Ok(Command::Help) => print(&describe::help::<A::Config>(&A::INFO)),
        Ok(Command::Version) => print(&format!("{} {}", A::INFO.name, A::INFO.version)),
        Ok(Command::Run(settings)) => configured(shape, &config::environment(&settings), begin),
        Err(problem) => invalid(vec![problem]),
    }
}

fn configured<A: Adapter>(shape: Shape<A>, environment: &Environment, begin: Instant) -> ExitCode {
    let mut problems = Vec::new();
    let frame = config::load::<FrameConfig>(environment).map_err(|error| problems.extend(error.problems));
    let tracing = config::load::<TraceConfig>(environment).map_err(|error| problems.extend(error.problems));
    let own = config::load::<A::Config>(environment).map_err(|error| problems.extend(error.problems));
    if shape.needs_sink && !environment.contains_key("K_SINK") {
        problems.push("K_SINK is missing: URL that events are POSTed to".to_owned());
    }
    let (Ok(frame), Ok(tracing), Ok(own), true) = (frame, tracing, own, problems.is_empty()) else {
        return invalid(problems);
    };
    log::start(log::level(&frame));
    worker::set_count(frame.workers());
    http::set_process(http::Process {
        ca_certs: frame.k_ca_certs.as_ref().map(|pem| pem.0.clone()),
        trust_bundle_dir: frame.trust_bundle_dir.clone().into(),
        use_proxy: frame.use_proxy.0,
    });
    let runtime = match worker::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    worker::drive(runtime, async {
        let adapter = match A::new(own) {
            Ok(adapter) => Arc::new(adapter),
            Err(ConfigError { problems }) => return invalid(problems),
        };
        trace::start(&tracing, &frame, &A::INFO);
        let code = match Frame::new(&shape, &adapter, frame, begin) {
            Ok(frame) => life::live(shape, Arc::new(frame), adapter).await,
            Err(ConfigError { problems }) => invalid(problems),
        };
        trace::finish().await;
        code
    })
}

impl Frame {
    fn new<A: Adapter>(
        shape: &Shape<A>,
        adapter: &A,
        config: FrameConfig,
        begin: Instant,
    ) -> Result<Self, ConfigError> {
        let info = A::INFO;
        let positions: Option<Arc<dyn Checkpoints>> = if (shape.keeps_positions)(adapter) {
            Some(Arc::new(FileCheckpoints::of_setting(config.checkpoint_dir.as_deref())?))
        } else {
            None
        };
        let health = Arc::new(Health::default());
        let namespace = config.namespace.as_deref().unwrap_or_default();
        let metrics = Arc::new(FrameMetrics::new(&info, namespace, &config.name, &health));
        let sink = config
            .k_sink
            .is_some()
            .then(|| Client::new(Roots::Process))
            .and_then(|client| Sink::new(&config, &client, &health, &metrics))
            .map(Arc::new);
        let budget = Budget::new(config.in_flight_bytes(64 << 20));
        Ok(Self { begin, config, component: info.component, health, metrics, sink, budget, positions })
    }
}

fn print(text: &str) -> ExitCode {
    // A reader that has gone away is no failure of ours.
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
    ExitCode::SUCCESS
}

/// One line that names every mistake. It is written here because a list is no value that `tracing` knows.
fn invalid(problems: Vec<String>) -> ExitCode {
    let line = serde_json::json!({
        "timestamp": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        "level": "ERROR",
        "message": "invalid configuration",
        "problems": problems,
    });
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    ExitCode::from(INVALID_CONFIGURATION)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(%error, "the process cannot go on");
    ExitCode::FAILURE
}
