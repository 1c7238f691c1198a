//! The running bridge: brings what runs in line with what the manifest asks for, in an order that loses nothing.

mod told;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::binaries::{Binaries, Finder};
use super::component::{Order, Running};
use super::diff::{Changes, diff};
use super::launch::{Launch, launches};
use super::output::Output;
use super::ports::Ports;
use super::render::Renderer;
use crate::bridge::{Bridge, Id};
use crate::catalogue::Role;
use crate::control;
use crate::style::Palette;

/// A broker takes a new document in a fraction of this time, and says so unless its log level forbids it.
const TAKING: Duration = Duration::from_secs(2);

/// Everything `trestle up` keeps.
pub struct Supervisor {
    output: Output,
    palette: Palette,
    finder: Finder,
    ports: Ports,
    /// Private: documents of brokers and files with secrets.
    folder: TempDir,
    components: BTreeMap<Id, (Launch, Running)>,
    /// The number of each component that ever ran: its colour stays with it.
    numbers: BTreeMap<Id, usize>,
    /// What others may know.
    state: watch::Sender<control::State>,
    /// Where brokers send a copy of each event to, while somebody watches.
    tap: Option<String>,
    /// Says when those are ready that were late.
    late: JoinSet<()>,
}

/// How bringing the bridge up went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Applied,
    /// A component ended with 78.
    Misconfigured,
}

impl Supervisor {
    /// Nothing runs yet.
    ///
    /// # Errors
    /// When there can be no temporary folder.
    pub fn new(
        bridge: &Path,
        output: Output,
        palette: Palette,
        finder: Finder,
    ) -> std::io::Result<Supervisor> {
        let private = std::fs::Permissions::from_mode(0o700);
        let (pid, bridge) =
            (std::process::id(), std::path::absolute(bridge).unwrap_or_default().display().to_string());
        Ok(Supervisor {
            output,
            palette,
            finder,
            ports: Ports::default(),
            folder: tempfile::Builder::new().prefix("trestle-").permissions(private).tempdir()?,
            components: BTreeMap::new(),
            numbers: BTreeMap::new(),
            state: watch::Sender::new(control::State { pid, bridge, components: Vec::new() }),
            tap: None,
            late: JoinSet::new(),
        })
    }

    /// Starts, stops and restarts until what runs is this bridge.
    ///
    /// # Errors
    /// When something the bridge needs is missing (then nothing has been changed), or its files cannot be written.
    pub async fn apply(&mut self, bridge: &Bridge) -> Result<Outcome, String> {
        let adapters: BTreeSet<&str> =
            bridge.components.iter().map(|component| component.adapter.as_str()).collect();
        let binaries = self.finder.find(&adapters).await?;
        let wanted = launches(bridge, &mut self.ports, self.folder.path()).map_err(|error| error.0)?;
        let changes = diff(self.components.iter().map(|(id, (launch, _))| (id, launch)), &wanted);
        if changes.is_empty() {
            self.output.say("  no component is affected\n".to_owned()).await;
            return Ok(Outcome::Applied);
        }
        self.late = JoinSet::new();
        let begun = Instant::now();
        let is_first = self.components.is_empty();
        let width = wanted.values().map(|launch| launch.label.chars().count()).max().unwrap_or(0);
        // Sources go first and come last: nothing is sent to what is not there.
        self.stop(&with_role(&changes, &wanted, &self.components, Role::Source)).await;
        let mut outcome = Outcome::Applied;
        for role in [Role::Target, Role::Transformation, Role::Broker, Role::Source] {
            self.stop(&with_role_changed(&changes, &wanted, role)).await;
            let started = self.start(role, &changes, &wanted, &binaries, width).await?;
            if self.until_ready(&started, width).await == Outcome::Misconfigured {
                outcome = Outcome::Misconfigured;
            }
            if is_first && outcome == Outcome::Misconfigured {
                // No source takes in what would be thrown away.
                return Ok(outcome);
            }
        }
        for role in [Role::Broker, Role::Transformation, Role::Target] {
            let gone = changes.removed.iter().filter(|id| self.role(id) == Some(role)).cloned().collect();
            self.stop(&gone).await;
        }
        self.ports.keep(|id| wanted.contains_key(id));
        self.publish();
        if outcome == Outcome::Applied {
            self.summary(&changes, begun, width).await;
        }
        Ok(outcome)
    }

    /// Whether nothing runs.
    pub fn is_idle(&self) -> bool {
        self.components.is_empty()
    }

    /// Stops everything: sources, then brokers, then what they send to.
    pub async fn stop_all(&mut self) {
        for role in [Role::Source, Role::Broker, Role::Transformation, Role::Target] {
            let ids = self.components.keys().filter(|id| self.role(id) == Some(role)).cloned().collect();
            self.stop(&ids).await;
        }
    }

    /// Kills everything at once.
    pub async fn kill_all(&mut self) {
        for (_, running) in self.components.values() {
            running.order(Order::Kill);
        }
        for (_, running) in self.components.values_mut() {
            running.ended().await;
        }
        self.components.clear();
    }

    fn role(&self, id: &Id) -> Option<Role> {
        self.components.get(id).map(|(launch, _)| launch.role)
    }

    /// Stops these at the same time. Each stays known until it has ended: a second Ctrl-C in between has to find it.
    async fn stop(&mut self, ids: &BTreeSet<Id>) {
        for id in ids {
            if let Some((_, running)) = self.components.get(id) {
                running.order(Order::Stop);
            }
        }
        for id in ids {
            if let Some((_, running)) = self.components.get_mut(id) {
                running.ended().await;
                self.components.remove(id);
            }
        }
    }

    async fn start(
        &mut self,
        role: Role,
        changes: &Changes,
        wanted: &BTreeMap<Id, Launch>,
        binaries: &Binaries,
        width: usize,
    ) -> Result<Vec<Id>, String> {
        let mut started = Vec::new();
        for (id, launch) in wanted.iter().filter(|(_, launch)| launch.role == role) {
            let is_new = changes.added.contains(id) || changes.changed.contains(id);
            let before = self.components.get(id).map_or(0, |(_, running)| *running.documents.borrow());
            let next = self.numbers.len();
            let number = *self.numbers.entry(id.clone()).or_insert(next);
            if is_new || changes.rerouted.contains(id) {
                self.write_files(id, launch)
                    .map_err(|error| format!("cannot write the files of {id}: {error}"))?;
            }
            if is_new {
                let program = binaries.get(&launch.adapter).cloned().unwrap_or_default();
                let renderer = Renderer { palette: self.palette, name: launch.label.clone(), number, width };
                let running = Running::start(launch, program, renderer, self.output.clone());
                self.components.insert(id.clone(), (launch.clone(), running));
                started.push(id.clone());
            } else if let Some((known, running)) = self.components.get_mut(id) {
                known.clone_from(launch);
                if changes.rerouted.contains(id) {
                    // What a source sends to a new trigger must not come before the trigger.
                    let taken = running.documents.wait_for(|count| *count > before);
                    let _ = timeout(TAKING, taken).await;
                    self.output.say(format!("  {id} has new triggers\n")).await;
                }
            }
        }
        Ok(started)
    }

    /// Each file appears whole: a broker reads its document while this writes.
    fn write_files(&self, id: &Id, launch: &Launch) -> std::io::Result<()> {
        let folder: &Path = self.folder.path();
        let document = launch.document.as_ref().map(|(name, text)| (name, self.with_tap(id, text)));
        let document = document.iter().map(|(name, text)| (*name, text));
        for (name, text) in launch.files.iter().chain(document) {
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(folder.join(name))?;
        }
        Ok(())
    }
}

/// Of one role and to be stopped before anything else changes.
fn with_role(
    changes: &Changes,
    wanted: &BTreeMap<Id, Launch>,
    running: &BTreeMap<Id, (Launch, Running)>,
    role: Role,
) -> BTreeSet<Id> {
    let removed =
        changes.removed.iter().filter(|id| running.get(id).is_some_and(|(launch, _)| launch.role == role));
    removed.cloned().chain(with_role_changed(changes, wanted, role)).collect()
}

fn with_role_changed(changes: &Changes, wanted: &BTreeMap<Id, Launch>, role: Role) -> BTreeSet<Id> {
    let of_role = |id: &&Id| wanted.get(*id).is_some_and(|launch| launch.role == role);
    changes.changed.iter().filter(of_role).cloned().collect()
}
