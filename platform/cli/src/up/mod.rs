//! `trestle up`: runs a bridge on this machine, each component as a process bound to loopback.

mod binaries;
pub mod child;
mod component;
mod diff;
mod inherit;
mod launch;
mod output;
mod ports;
mod pump;
mod ready;
mod render;
mod serve;
mod supervisor;
mod tap;
mod watch;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::bridge::Bridge;
use crate::catalogue::Catalogue;
use crate::manifest;
use crate::style::Palette;
pub use binaries::Finder;
use component::MISCONFIGURED;
use output::Output;
use serve::Server;
use supervisor::{Outcome, Supervisor};
use watch::Watch;

/// Killed by a second Ctrl-C: what shells say of a program ended by it.
const INTERRUPTED: u8 = 130;

/// Runs the bridge in that file until it is told to stop.
pub fn run(path: &Path, finder: Finder, catalogue: &Catalogue) -> ExitCode {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return complain(&format!("cannot read {}: {error}", path.display())),
    };
    let (bridge, warnings) = match read(&text, path, catalogue) {
        Ok(read) => read,
        Err(mistakes) => return complain(mistakes.trim_end()),
    };
    let _ = std::io::stdout().lock().write_all(warnings.as_bytes());
    // One thread, this one: components end with the thread that started them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(run_bridge(path, text, &bridge, finder, catalogue)),
        Err(error) => complain(&format!("cannot start: {error}")),
    }
}

async fn run_bridge(
    path: &Path,
    text: String,
    bridge: &Bridge,
    finder: Finder,
    catalogue: &Catalogue,
) -> ExitCode {
    let palette = Palette::of_stdout();
    let (output, flushed) = Output::start();
    let stop = Stop::new();
    let supervisor = Supervisor::new(path, output.clone(), palette, finder);
    let (mut stop, mut supervisor) = match (stop, supervisor) {
        (Ok(stop), Ok(supervisor)) => (stop, supervisor),
        (Err(error), _) | (_, Err(error)) => return complain(&format!("cannot start: {error}")),
    };
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let triggers: usize = bridge.components.iter().map(|component| component.triggers.len()).sum();
    let (components, triggers) = (count(bridge.components.len(), "component"), count(triggers, "trigger"));
    output.say(format!("{}: {components}, {triggers}\n", path.display())).await;
    let code = tokio::select! {
        code = supervise(&mut supervisor, path, text, bridge, catalogue, &output) => code,
        () = stop.asked() => ExitCode::SUCCESS,
        () = output.closed() => ExitCode::SUCCESS,
    };
    let code =
        if supervisor.is_idle() { code } else { wind_down(&mut supervisor, &mut stop, &output, code).await };
    drop(supervisor);
    drop(output);
    flushed.wait().await;
    code
}

/// Stops all in order, or at once when asked again.
async fn wind_down(
    supervisor: &mut Supervisor,
    stop: &mut Stop,
    output: &Output,
    code: ExitCode,
) -> ExitCode {
    output.say("stopping: sources, then brokers, then targets (Ctrl-C again kills)\n".to_owned()).await;
    let code = tokio::select! {
        () = supervisor.stop_all() => code,
        () = stop.asked() => ExitCode::from(INTERRUPTED),
    };
    supervisor.kill_all().await;
    output.say("stopped\n".to_owned()).await;
    code
}

/// Brings the bridge up and follows the manifest; ends only when the start failed.
async fn supervise(
    supervisor: &mut Supervisor,
    path: &Path,
    text: String,
    bridge: &Bridge,
    catalogue: &Catalogue,
    output: &Output,
) -> ExitCode {
    // Before anything is ready: whoever reads that it is may talk to it at once.
    let mut server = match Server::start(supervisor) {
        Ok(server) => Some(server),
        Err(error) => {
            output.say(format!("'trestle send' and 'watch' cannot find this bridge: {error}\n")).await;
            None
        }
    };
    match supervisor.apply(bridge).await {
        Ok(Outcome::Applied) => {}
        Ok(Outcome::Misconfigured) => return ExitCode::from(MISCONFIGURED as u8),
        Err(why) => return complain(&why),
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    output.say(format!("an edit of {name} takes effect at once; Ctrl-C stops\n\n")).await;
    let mut watch = Watch::new(path.to_owned(), text);
    loop {
        if let Some(server) = &mut server
            && let Err(why) = server.update(supervisor).await
        {
            output.say(format!("{why}\n")).await;
        }
        let turned = async {
            match &mut server {
                Some(server) => server.turned().await,
                None => std::future::pending().await,
            }
        };
        let text = tokio::select! {
            text = watch.changed() => text,
            () = turned => continue,
        };
        match read(&text, path, catalogue) {
            Err(mistakes) => {
                output.say(format!("{mistakes}{name} has mistakes: the bridge runs on as it was\n")).await;
            }
            Ok((bridge, warnings)) => {
                output.say(format!("{warnings}{name} has changed\n")).await;
                if let Err(why) = supervisor.apply(&bridge).await {
                    output.say(format!("{why}: the bridge runs on as it was\n")).await;
                }
            }
        }
    }
}

/// The bridge and its warnings, or its mistakes, one to a line.
fn read(text: &str, path: &Path, catalogue: &Catalogue) -> Result<(Bridge, String), String> {
    let reading = manifest::read(text, catalogue, &|name| std::env::var(name).ok());
    reading.outcome(&path.display().to_string())
}

fn complain(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
    ExitCode::FAILURE
}

/// The ways a user says stop: Ctrl-C, SIGTERM, the terminal closed.
struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    fn new() -> std::io::Result<Stop> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Stop { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Ends at the next of them.
    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
