//! What is said of the components: when each is ready, and when all are.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::{Outcome, Supervisor};
use crate::bridge::Id;
use crate::up::component::{PATIENCE, State};
use crate::up::diff::Changes;
use crate::up::launch::Launch;

/// A component finds all mistakes of its configuration within this time.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Reports each of these as it becomes ready.
    pub(super) async fn until_ready(&self, started: &[Id], width: usize) -> Outcome {
        let mut waiting = JoinSet::new();
        for id in started {
            if let Some((_, running)) = self.components.get(id) {
                let (id, mut state) = (id.clone(), running.state.clone());
                waiting.spawn(async move {
                    let settled = |state: &State| matches!(state, State::Ready(_) | State::Misconfigured);
                    let state = state.wait_for(settled).await.map(|state| *state);
                    (id, state.ok())
                });
            }
        }
        let mut late: BTreeSet<&Id> = started.iter().collect();
        let mut outcome = Outcome::Applied;
        let mut deadline = Instant::now() + PATIENCE;
        while let Ok(Some(Ok((id, state)))) = timeout_at(deadline, waiting.join_next()).await {
            let how = match state {
                Some(State::Ready(time)) => self.palette.good(&ready_in(time)),
                _ => {
                    outcome = Outcome::Misconfigured;
                    // The others may have something to say of their configuration too.
                    deadline = deadline.min(Instant::now() + LAST_WORDS);
                    self.palette.bad("wrong configuration")
                }
            };
            self.report(&id, &how, width).await;
            late.remove(&id);
        }
        for id in late {
            self.report(id, &self.palette.warn("not ready yet"), width).await;
        }
        outcome
    }

    async fn report(&self, id: &Id, how: &str, width: usize) {
        if let Some((launch, _)) = self.components.get(id) {
            self.output.say(format!("{}{how}\n", introduction(launch, width))).await;
        }
    }

    pub(super) async fn summary(&mut self, changes: &Changes, begun: Instant, width: usize) {
        for id in &changes.removed {
            self.output.say(format!("  {id} stopped: it is no longer in the manifest\n")).await;
        }
        if changes.added.is_empty() && changes.changed.is_empty() {
            return;
        }
        let total = self.components.len();
        let mut late = JoinSet::new();
        for (launch, running) in self.components.values() {
            let mut state = running.state.clone();
            if !is_ready(&state.borrow()) {
                let introduction = introduction(launch, width);
                late.spawn(async move {
                    let state = state.wait_for(is_ready).await.map(|state| *state);
                    (introduction, state.ok())
                });
            }
        }
        if late.is_empty() {
            self.output.say(format!("{}\n", self.palette.good(&all_ready(total, begun)))).await;
            return;
        }
        let (ready, time) = (total - late.len(), begun.elapsed().as_secs_f64());
        let line = format!("{ready} of {total} components are ready, after {time:.2} s");
        self.output.say(format!("{}\n", self.palette.warn(&line))).await;
        let (output, palette) = (self.output.clone(), self.palette);
        self.late.spawn(async move {
            // One that ends is no longer wanted: the bridge is changed or stopped.
            while let Some(Ok((introduction, Some(State::Ready(time))))) = late.join_next().await {
                output.say(format!("{introduction}{}\n", palette.good(&ready_in(time)))).await;
                if late.is_empty() {
                    output.say(format!("{}\n", palette.good(&all_ready(total, begun)))).await;
                }
            }
        });
    }
}

fn is_ready(state: &State) -> bool {
    matches!(state, State::Ready(_))
}

/// What the line of a component begins with.
fn introduction(launch: &Launch, width: usize) -> String {
    let (label, kind, port) = (&launch.label, &launch.kind, launch.port);
    format!("  {label:<width$}  {kind:<17}  http://127.0.0.1:{port}  ")
}

fn ready_in(time: Duration) -> String {
    format!("ready in {} ms", time.as_millis())
}

fn all_ready(total: usize, begun: Instant) -> String {
    format!("all components are ready ({total}), in {:.2} s", begun.elapsed().as_secs_f64())
}
