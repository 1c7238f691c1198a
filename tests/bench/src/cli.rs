//! The command line.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::library::Library;
use crate::load::Payload;
use crate::{cases, floor, kafka, load, redis, report, run, sink, start};

/// What goes wrong anywhere in a measurement: all of it ends the run with one line.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "bench", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// CPU time per event of each case beside its floor.
    Run(RunArguments),
    /// Start, idle memory and file size of the binaries in a folder.
    Start(StartArguments),
    /// The bare forwarder: receives events and passes them to SINK.
    Floor {
        /// Where events go, for example http://127.0.0.1:9000/
        sink: http::Uri,
        /// Port on loopback; 0 is any free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Pieces in which an event goes on.
        #[arg(long, default_value_t = 1)]
        parts: usize,
        /// A library to run over each event, twice.
        #[arg(long, value_enum)]
        library: Option<Library>,
    },
    /// The bare consumer: posts every record of TOPIC to SINK.
    KafkaSourceFloor { bootstrap: String, topic: String, sink: http::Uri },
    /// The bare producer: writes every body it receives to TOPIC.
    KafkaTargetFloor { bootstrap: String, topic: String },
    /// The bare topic: keeps events in TOPIC, reads them and passes them to SINK.
    KafkaBrokerFloor { bootstrap: String, topic: String, sink: http::Uri },
    /// The bare stream: keeps events in STREAM of a Redis, reads them and passes them to SINK.
    RedisFloor { address: String, stream: String, sink: http::Uri },
    /// Takes every event, answers 202 and counts; GET /count tells how many.
    Sink {
        /// Port on loopback; 0 is any free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Posts events to URL as fast as answers come, on 64 connections.
    Load {
        /// Where to post.
        url: http::Uri,
        /// How long.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// What to post.
        #[arg(long, value_enum, default_value_t = Payload::Event)]
        payload: Payload,
    },
}

#[derive(clap::Args)]
struct RunArguments {
    /// Cases to run; all without one.
    cases: Vec<String>,
    /// Pairs of floor and candidate.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measured seconds of each half of a pair.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Discarded seconds before each.
    #[arg(long, default_value_t = 1)]
    warm_up: u64,
    /// Folder of the adapters' binaries; this program's own without it.
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct StartArguments {
    /// Folder of the binaries.
    #[arg(long)]
    binaries: PathBuf,
    /// Starts of each, of which the median counts.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// The adapters to start.
    #[arg(required = true)]
    names: Vec<String>,
}

/// Runs the command; 1 when a measurement failed, is void or is over its limit.
pub fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(std::io::stderr().lock(), "bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<bool, Failure> {
    match command {
        Command::Run(arguments) => measure(arguments),
        Command::Start(arguments) => start(arguments),
        Command::Floor { sink, port, parts, library } => {
            floor::serve(listen(port)?, sink, parts, library)?;
            Ok(true)
        }
        Command::KafkaSourceFloor { bootstrap, topic, sink } => {
            // Nobody calls it; that it listens says that it has begun.
            let _listener = listen(0)?;
            kafka::floor::source(&bootstrap, &topic, sink)?;
            Ok(true)
        }
        Command::KafkaTargetFloor { bootstrap, topic } => {
            kafka::floor::target(listen(0)?, &bootstrap, &topic)?;
            Ok(true)
        }
        Command::KafkaBrokerFloor { bootstrap, topic, sink } => {
            kafka::through::serve(listen(0)?, &bootstrap, &topic, sink)?;
            Ok(true)
        }
        Command::RedisFloor { address, stream, sink } => {
            redis::serve(listen(0)?, &address, &stream, sink)?;
            Ok(true)
        }
        Command::Sink { port } => {
            sink::serve(listen(port)?, Arc::new(AtomicU64::new(0)))?;
            Ok(true)
        }
        Command::Load { url, seconds, payload } => {
            let stop = Arc::new(AtomicBool::new(false));
            let timer = Arc::clone(&stop);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(seconds));
                timer.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            let totals = load::run(&url, payload, &stop, &Arc::default())?;
            writeln!(std::io::stdout().lock(), "{}", serde_json::to_string(&totals)?)?;
            Ok(true)
        }
    }
}

fn measure(arguments: RunArguments) -> Result<bool, Failure> {
    let plan = run::Plan {
        rounds: arguments.rounds,
        slot: Duration::from_secs(arguments.seconds),
        warm_up: Duration::from_secs(arguments.warm_up),
        binaries: match arguments.binaries {
            Some(folder) => folder,
            None => own_folder()?,
        },
    };
    let mut outcomes = Vec::new();
    for case in cases::select(&arguments.cases)? {
        outcomes.push(run::measure(&case, &plan)?);
    }
    report::costs(&outcomes, arguments.json)?;
    Ok(outcomes.iter().all(|outcome| outcome.verdict() == report::Verdict::Holds))
}

fn start(arguments: StartArguments) -> Result<bool, Failure> {
    let mut outcomes = Vec::new();
    for name in &arguments.names {
        outcomes.push(start::measure(&arguments.binaries, name, arguments.times)?);
    }
    report::starts(&outcomes, arguments.json)?;
    Ok(outcomes.iter().all(start::Outcome::holds))
}

/// Binds to loopback and says where, in the words of the frame's first log line, so that one reader serves both.
fn listen(port: u16) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let address = listener.local_addr()?;
    writeln!(std::io::stderr().lock(), r#"{{"level":"INFO","message":"listening","address":"{address}"}}"#)?;
    Ok(listener)
}

fn own_folder() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    Ok(program.parent().ok_or("this program has no folder")?.to_path_buf())
}
