//! The surroundings of one trial: a sink, a dead-letter sink, an outside system, a folder, and the binary among them.

use std::any::Any;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::example::Example;
use crate::harness::{Fault, Harness};
use crate::http::{Request, Response};
use crate::process::Process;
use crate::sink::Sink;
use crate::{Event, Failure, Folder, eventually};

/// A trial's surroundings before its binary runs.
pub struct World {
    /// The adapter under test.
    pub harness: Arc<Harness>,
    /// What `K_SINK` names, with the path `/`.
    pub sink: Sink,
    /// A second sink, named by nobody until a trial does.
    pub dead_letters: Sink,
    /// The outside system, as far as HTTP can play it.
    pub upstream: Sink,
    folder: Folder,
    peers: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
    /// What the trial sets (`Some`) or takes away, on top of the harness's environment.
    changes: Vec<(String, Option<String>)>,
}

impl World {
    /// Fresh surroundings.
    ///
    /// # Errors
    /// When a peer cannot be started.
    pub fn new(harness: &Arc<Harness>) -> Result<Self, Failure> {
        Ok(Self {
            harness: Arc::clone(harness),
            sink: Sink::start()?,
            dead_letters: Sink::start()?,
            upstream: Sink::start()?,
            folder: Folder::new()?,
            peers: Mutex::default(),
            changes: Vec::new(),
        })
    }

    /// A folder that goes away with the trial.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A real server that the harness needs: started when it is asked for first, ended with the trial.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn peer<T: Any + Send + Sync>(
        &self,
        start: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<Arc<T>, Failure> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = peers.iter().find_map(|peer| Arc::clone(peer).downcast::<T>().ok()) {
            return Ok(found);
        }
        let started = Arc::new(start()?);
        peers.push(Arc::clone(&started) as Arc<dyn Any + Send + Sync>);
        Ok(started)
    }

    /// Writes a file into the folder and gives its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: &str) -> Result<String, Failure> {
        self.folder.file(name, content)
    }

    /// Sets a variable, over the harness's own.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.changes.push((name.to_owned(), Some(value.into())));
        self
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.changes.push((name.to_owned(), None));
        self
    }

    /// The whole environment that the binary will get.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = (self.harness.environment)(self);
        if self.harness.is_source() {
            environment.push(("K_SINK".to_owned(), self.sink.url("/")));
        }
        for (name, value) in &self.changes {
            environment.retain(|(known, _)| known != name);
            environment.extend(value.iter().map(|value| (name.clone(), value.clone())));
        }
        environment
    }

    /// Starts the binary and waits for nothing.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&self) -> Result<Process, Failure> {
        self.launch_with(&[])
    }

    /// As [`launch`](Self::launch), with arguments.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch_with(&self, arguments: &[&str]) -> Result<Process, Failure> {
        Process::start(self.harness.name(), arguments, &self.environment())
    }

    /// Starts the binary and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become so.
    pub fn start(self) -> Result<Running, Failure> {
        let mut running = self.start_unready()?;
        running.process.wait_for_status("/readyz", 200)?;
        Ok(running)
    }

    /// Starts the binary and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_unready(self) -> Result<Running, Failure> {
        let mut process = self.launch()?;
        let address = process.address()?;
        Ok(Running { process, address, world: self })
    }
}

/// A trial's surroundings with its binary running.
pub struct Running {
    /// The binary; it ends before its surroundings do, whose addresses others get then.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    world: World,
}

impl Deref for Running {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Running {
    /// Sends a request to the binary.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address)
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn get(&self, path: &str) -> Result<Response, Failure> {
        self.send(&Request::get(path))
    }

    /// The vendor's n-th request, for a webhook source.
    ///
    /// # Errors
    /// When the adapter is none.
    pub fn genuine(&self, number: u64) -> Result<Request, Failure> {
        let genuine = self.harness.genuine.as_ref().ok_or("the harness gives no webhook request")?;
        Ok(genuine(number))
    }

    /// Makes the n-th thing happen upstream. A webhook's answer is given back.
    ///
    /// # Errors
    /// When that fails.
    pub fn provoke(&self, number: u64) -> Result<Option<Response>, Failure> {
        match &self.harness.provoke {
            Some(provoke) => provoke(self, number).map(|()| None),
            None => self.send(&self.genuine(number)?).map(Some),
        }
    }

    /// The first example of what a target takes.
    ///
    /// # Errors
    /// When the harness gives none.
    pub fn example(&self) -> Result<&Example, Failure> {
        self.harness.examples.first().ok_or_else(|| "the harness gives no example".to_owned())
    }

    /// A request that the adapter must take: a genuine webhook request or an example event.
    ///
    /// # Errors
    /// When the harness gives none.
    pub fn acceptable(&self, number: u64) -> Result<Request, Failure> {
        if self.harness.genuine.is_some() { self.genuine(number) } else { Ok(self.example()?.binary(number)) }
    }

    /// The payloads that reached the outside system.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn arrived(&self) -> Result<Vec<Vec<u8>>, Failure> {
        (self.harness.arrived)(self)
    }

    /// Waits until so many payloads reached the outside system.
    ///
    /// # Errors
    /// When they do not.
    pub fn wait_for_arrivals(&self, count: usize) -> Result<(), Failure> {
        let enough = || self.arrived().ok().filter(|arrived| arrived.len() >= count).map(drop);
        eventually(&format!("{count} arrivals"), enough)
            .map_err(|error| format!("{error}; seen: {:?}", self.arrived().map(|arrived| arrived.len())))
    }

    /// The events that reached the outside system, where it can show them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn events(&self) -> Option<Result<Vec<Event>, Failure>> {
        self.harness.events.as_ref().map(|events| events(self))
    }

    /// Makes the outside system refuse.
    pub fn fault(&self, fault: Fault) {
        (self.harness.fault)(self, fault);
    }
}
