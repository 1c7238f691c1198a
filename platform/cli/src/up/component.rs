//! One component under supervision: started, watched, started again when it dies, stopped when asked.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::launch::Launch;
use super::output::Output;
use super::render::Renderer;
use super::{child, inherit, pump, ready};

/// The exit code of a component that was configured wrongly: starting it again would change nothing.
pub const MISCONFIGURED: i32 = 78;
/// The pause before a restart: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// After running for so long a crash counts as the first.
const STEADY: Duration = Duration::from_secs(60);
/// What a component gets to finish what is in flight (20 s of its own and some).
const GRACE: Duration = Duration::from_secs(25);

/// A component that is not ready by then holds the start of others up no longer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How it stands with a component.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    Starting,
    /// With the time from its start.
    Ready(Duration),
    /// It died and will be started again.
    Waiting,
    /// It ended with 78 and will not be started again.
    Misconfigured,
}

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Order {
    Run,
    Stop,
    Kill,
}

/// A running component.
pub struct Running {
    order: watch::Sender<Order>,
    pub state: watch::Receiver<State>,
    /// How many configuration documents it has taken, when it is a broker.
    pub documents: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts it and keeps it running.
    pub fn start(launch: &Launch, program: PathBuf, renderer: Renderer, output: Output) -> Running {
        let (order, orders) = watch::channel(Order::Run);
        let (states, state) = watch::channel(State::Starting);
        let (taken, documents) = watch::channel(0);
        let task = Component { launch: launch.clone(), program, renderer, output, orders, states, taken };
        Running { order, state, documents, task: tokio::spawn(task.keep_running()) }
    }

    /// Asks it to stop, or kills it. An order is never softened.
    pub fn order(&self, order: Order) {
        self.order.send_if_modified(|current| {
            let harder = *current < order;
            if harder {
                *current = order;
            }
            harder
        });
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) {
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }
}

struct Component {
    launch: Launch,
    program: PathBuf,
    renderer: Renderer,
    output: Output,
    orders: watch::Receiver<Order>,
    states: watch::Sender<State>,
    taken: watch::Sender<u64>,
}

impl Component {
    async fn keep_running(mut self) {
        let mut pause = None;
        for life in 0_u64.. {
            let started = Instant::now();
            let _ = self.states.send(State::Starting);
            let ended = self.run_once(started, life > 0).await;
            if *self.orders.borrow() != Order::Run {
                return;
            }
            if ended.as_ref().is_ok_and(|status| status.code() == Some(MISCONFIGURED)) {
                self.note(
                    "ERROR",
                    "ended with 78 (configuration): not started again before its settings change",
                )
                .await;
                let _ = self.states.send(State::Misconfigured);
                until(&mut self.orders, Order::Stop).await;
                return;
            }
            let next = next_pause(pause, started.elapsed());
            pause = Some(next);
            let why = ended.map_or_else(|error| format!("cannot run: {error}"), describe);
            self.note("WARN", &format!("{why}; starts again in {:.1} s", next.as_secs_f64())).await;
            let _ = self.states.send(State::Waiting);
            tokio::select! {
                () = sleep(next) => {}
                () = until(&mut self.orders, Order::Stop) => return,
            }
        }
    }

    /// One life of the process, to its end.
    async fn run_once(&mut self, started: Instant, again: bool) -> std::io::Result<ExitStatus> {
        let mut process = self.spawn()?;
        let stderr = process
            .stderr
            .take()
            .map(|pipe| pump::lines(pipe, self.renderer.clone(), self.output.clone(), self.taken.clone()));
        let stdout =
            process.stdout.take().map(|pipe| pump::blocks(pipe, self.renderer.clone(), self.output.clone()));
        let mut ready = Box::pin(ready::until_ready(self.launch.port));
        let mut is_ready = false;
        let mut orders = self.orders.clone();
        let status = loop {
            tokio::select! {
                status = process.wait() => break status,
                () = &mut ready, if !is_ready => {
                    is_ready = true;
                    let time = started.elapsed();
                    let _ = self.states.send(State::Ready(time));
                    // The supervisor reports the first start, as long as it waits for it.
                    if again || time > PATIENCE {
                        self.note("INFO", &format!("ready in {} ms", time.as_millis())).await;
                    }
                }
                () = until(&mut orders, Order::Stop) => break self.stop(&mut process).await,
            }
        };
        // Its last words; a grandchild could hold the pipes open for ever.
        let rest = async {
            for pump in [stderr, stdout].into_iter().flatten() {
                let _ = pump.await;
            }
        };
        let _ = timeout(Duration::from_secs(1), rest).await;
        status
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let mut command = Command::new(child::own_file()?);
        command.args([child::SUBCOMMAND, &std::process::id().to_string()]).arg(&self.program);
        command
            .env_clear()
            .envs(inherit::environment(self.renderer.palette.is_on()))
            .envs(&self.launch.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for this command, which then stops the components in order.
        command.process_group(0).kill_on_drop(true).spawn()
    }

    async fn stop(&self, process: &mut Child) -> std::io::Result<ExitStatus> {
        if *self.orders.borrow() == Order::Stop {
            signal(process, Signal::SIGTERM);
            let mut orders = self.orders.clone();
            tokio::select! {
                status = process.wait() => return status,
                () = sleep(GRACE) => self.note("WARN", "did not stop in 25 s: killed").await,
                () = until(&mut orders, Order::Kill) => {}
            }
        }
        process.kill().await?;
        process.wait().await
    }

    async fn note(&self, level: &str, message: &str) {
        self.output.say(self.renderer.note(level, message)).await;
    }
}

/// How long to wait before the next start, after a pause before and a life of that length.
fn next_pause(before: Option<Duration>, lived: Duration) -> Duration {
    match before {
        Some(before) if lived < STEADY => (before * 2).min(PAUSES.1),
        _ => PAUSES.0,
    }
}

/// Ends when the order is that or a harder one, or nobody is left to give any.
async fn until(orders: &mut watch::Receiver<Order>, least: Order) {
    let _ = orders.wait_for(|order| *order >= least).await;
}

fn signal(process: &Child, signal: Signal) {
    // No id any more: it has ended and been waited for, so that the number may be another's.
    if let Some(id) = process.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(id), signal);
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal().map(Signal::try_from)) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(Ok(signal))) => format!("ended by {signal}"),
        (None, _) => "ended by a signal".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_limit_and_start_again_after_a_steady_life() {
        let short = Duration::from_secs(1);
        let mut pauses = vec![next_pause(None, short)];
        for _ in 0..9 {
            pauses.push(next_pause(pauses.last().copied(), short));
        }
        let millis: Vec<u128> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(next_pause(pauses.last().copied(), STEADY), PAUSES.0);
    }
}
