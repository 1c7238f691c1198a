//! What a case has around it: the sink, Kafka where it is asked for, and how adapters are started.

use std::cell::OnceCell;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::Failure;
use crate::kafka::Broker;
use crate::load::EVENT_TYPE;
use crate::redis::Streams;
use crate::sink::Sink;
use crate::subject::Subject;

/// What stands around the processes of a case.
pub struct Surroundings {
    /// Where events go.
    pub sink: Sink,
    binaries: PathBuf,
    /// Takes the files that they read.
    pub scratch: TempDir,
    broker: OnceCell<Broker>,
    streams: OnceCell<Streams>,
}

impl Surroundings {
    /// Those with the binaries of this folder.
    pub fn new(binaries: &Path) -> Result<Self, Failure> {
        Ok(Self {
            sink: Sink::start()?,
            binaries: binaries.to_owned(),
            scratch: tempfile::tempdir()?,
            broker: OnceCell::new(),
            streams: OnceCell::new(),
        })
    }

    /// Kafka, started when it is asked for first.
    pub fn broker(&self) -> Result<&Broker, Failure> {
        if let Some(broker) = self.broker.get() {
            return Ok(broker);
        }
        let broker = Broker::start()?;
        Ok(self.broker.get_or_init(|| broker))
    }

    /// Redis, started when it is asked for first.
    pub fn streams(&self) -> Result<&Streams, Failure> {
        if let Some(streams) = self.streams.get() {
            return Ok(streams);
        }
        let streams = Streams::start()?;
        Ok(self.streams.get_or_init(|| streams))
    }

    /// Starts one of them.
    pub fn adapter(&self, name: &str, settings: &[(&str, String)]) -> Result<Subject, Failure> {
        adapter(&self.binaries.join(name), settings)
    }
}

/// This program in another role.
pub fn own(arguments: &[&str]) -> Result<Subject, Failure> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Subject::start(&std::env::current_exe()?, &arguments, &[])
}

/// One thread, any free port, metrics as in production, no waiting at the end.
fn adapter(program: &Path, settings: &[(&str, String)]) -> Result<Subject, Failure> {
    let common = [
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", "0".to_owned()),
        ("METRICS_PROMETHEUS_PORT", "0".to_owned()),
        ("WORKER_THREADS", "1".to_owned()),
        ("DRAIN_SECONDS", "0".to_owned()),
    ];
    let environment: Vec<(String, String)> =
        common.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Subject::start(program, &[], &environment)
}

/// Triggers with exact filters on the type, all to one target; the last one matches the load's events.
pub fn broker_document(triggers: u32, target: &str) -> String {
    let mut text = String::from("triggers:\n");
    for number in 1..=triggers {
        let kind = if number == triggers { EVENT_TYPE.to_owned() } else { format!("bench.other.{number}") };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "  trigger-{number}:\n    filters: [{{exact: {{type: {kind}}}}}]\n    target: {{url: \"{target}\"}}\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_trigger_matches() {
        let document = broker_document(1000, "http://127.0.0.1:1/");
        assert_eq!(document.matches("target:").count(), 1000);
        assert_eq!(document.matches(EVENT_TYPE).count(), 1);
    }
}
