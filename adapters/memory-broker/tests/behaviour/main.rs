//! What a broker does with events, seen from outside: the real binary between a sender and scripted receivers.

mod delivery;
mod end;
mod reload;
mod replies;
mod room;

use std::{fs, net::SocketAddr, thread::JoinHandle};

use kit::broker::{answer_by_path, event, expect, ids, trigger, wait_for_ids};
use kit::{Failure, Process, Response, Sink, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

type Outcome = Result<(), Failure>;

/// A running broker whose document is a file.
struct Broker {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl Broker {
    fn start(triggers: Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start_with(&json!({"triggers": triggers}), settings)
    }

    fn start_with(document: &Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("broker.conf");
        fs::write(&path, document.to_string()).map_err(|error| error.to_string())?;
        let mut environment = vec![
            ("BROKER_CONFIG_PATH".to_owned(), path.display().to_string()),
            ("DRAIN_SECONDS".to_owned(), "0".to_owned()),
        ];
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut process = Process::start("memory-broker", &["start"], &environment)?;
        let address = process.address()?;
        process.wait_for_status("/readyz", 200)?;
        Ok(Self { process, address, folder })
    }

    /// Replaces the document as editors and Kubernetes do, by a rename.
    fn write(&self, text: &str) -> Outcome {
        let new = self.folder.path().join("new");
        fs::write(&new, text).map_err(|error| error.to_string())?;
        fs::rename(new, self.folder.path().join("broker.conf")).map_err(|error| error.to_string())
    }

    /// Puts other triggers into force.
    fn reload(&self, triggers: Value) -> Outcome {
        let before = self.loads();
        self.write(&json!({"triggers": triggers}).to_string())?;
        eventually("the new document in force", || (self.loads() > before).then_some(()))
    }

    fn loads(&self) -> usize {
        let line = "the configuration document is in force";
        self.process.log().iter().filter(|found| found.field("message") == line).count()
    }

    fn post(&self, event_type: &str, number: u64) -> Result<Response, Failure> {
        event(event_type, number).send(self.address).map_err(|error| error.to_string())
    }

    fn post_later(&self, event_type: &str, number: u64) -> JoinHandle<std::io::Result<Response>> {
        event(event_type, number).send_later(self.address)
    }

    /// Sends an event that must be accepted.
    fn accept(&self, event_type: &str, number: u64) -> Outcome {
        let answer = self.post(event_type, number)?;
        expect(answer.status, 200, &answer.text())
    }

    /// The lines about events that are gone.
    fn lost(&self) -> Vec<kit::Line> {
        self.process.log().into_iter().filter(|line| line.json["lost"] == true).collect()
    }
}

/// The first event that arrives at a path.
fn first_event(sink: &Sink, path: &str) -> Result<kit::Event, Failure> {
    wait_for_ids(sink, path, 1)?;
    let requests = sink.requests();
    requests.iter().find(|request| request.path == path).ok_or("gone")?.event()
}
