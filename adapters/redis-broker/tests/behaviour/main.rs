//! What the broker does with events, seen from outside: the real binary between a sender, a real Redis and scripted
//! receivers.

#![expect(clippy::disallowed_methods, reason = "two tests see that nothing happens for a while")]

mod away;
mod cluster;
mod dead_letters;
mod delivery;
mod load;
mod replay;
mod replicas;
mod trimming;

use std::{fs, net::SocketAddr};

use kit::broker::{answer_by_path, event, expect, ids, numbered, trigger, wait_for_ids};
use kit::{Failure, Process, Request, Response, eventually};
use peers::Redis;
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
    /// One that is ready.
    fn start(redis: &Redis, name: &str, triggers: Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let address = redis.address().to_string();
        let mut all =
            vec![("REDIS_ADDRESS", &*address), ("REDIS_PASSWORD", Redis::PASSWORD), ("BROKER_NAME", name)];
        all.extend(settings);
        let mut broker = Self::begin(&json!({"triggers": triggers}), &all)?;
        broker.process.wait_for_status("/readyz", 200)?;
        Ok(broker)
    }

    /// One that listens.
    fn begin(document: &Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("broker.conf");
        fs::write(&path, document.to_string()).map_err(|error| error.to_string())?;
        let mut environment = vec![
            ("BROKER_CONFIG_PATH".to_owned(), path.display().to_string()),
            ("DRAIN_SECONDS".to_owned(), "0".to_owned()),
        ];
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut process = Process::start("redis-broker", &["start"], &environment)?;
        let address = process.address()?;
        Ok(Self { process, address, folder })
    }

    /// Puts other triggers into force.
    fn reload(&self, triggers: Value) -> Outcome {
        let line = "the configuration document is in force";
        let loads = || self.process.log().iter().filter(|found| found.field("message") == line).count();
        let (before, new) = (loads(), self.folder.path().join("new"));
        fs::write(&new, json!({"triggers": triggers}).to_string()).map_err(|error| error.to_string())?;
        fs::rename(new, self.folder.path().join("broker.conf")).map_err(|error| error.to_string())?;
        eventually("the new document in force", || (loads() > before).then_some(()))
    }

    fn post(&self, event_type: &str, number: u64) -> Result<Response, Failure> {
        event(event_type, number).send(self.address).map_err(|error| error.to_string())
    }

    /// Sends an event that must be accepted.
    fn accept(&self, event_type: &str, number: u64) -> Outcome {
        let answer = self.post(event_type, number)?;
        expect(answer.status, 200, &answer.text())
    }

    /// Asks a page.
    fn page(&self, method: &str, path: &str) -> Result<Response, Failure> {
        Request::new(method, path).send(self.address).map_err(|error| error.to_string())
    }

    fn json(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.page("GET", path)?;
        expect(answer.status, 200, &answer.text())?;
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
    }
}

/// The group of a trigger as Redis has it.
fn group(redis: &Redis, stream: &str, name: &str) -> Result<Value, Failure> {
    let groups = redis.ask(&["XINFO", "GROUPS", stream])?;
    let found = groups.as_array().and_then(|all| all.iter().find(|group| group["name"] == name)).cloned();
    found.ok_or_else(|| format!("no group {name} in {groups}"))
}

/// Waits until a group has nothing pending and nothing unread.
fn settled(redis: &Redis, stream: &str, name: &str) -> Outcome {
    eventually(&format!("nothing pending in {name}"), || {
        let group = group(redis, stream, name).ok()?;
        (group["pending"] == 0 && group["lag"] == 0).then_some(())
    })
}
