//! The end of a bridge: in order, and nothing stays behind.

use kit::{Failure, ensure};
use nix::sys::signal::{Signal, kill};

use crate::Named;
use crate::up::{Up, gone, quickstart};

pub const TRIALS: &[Named] = &[
    ("SIGTERM leaves no process and no file", || stopped_by(Signal::SIGTERM)),
    ("Ctrl-C leaves no process and no file", || stopped_by(Signal::SIGINT)),
    ("a second Ctrl-C kills at once", twice),
    ("components do not outlive a killed trestle", killed),
];

fn stopped_by(signal: Signal) -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let processes = up.all();
    ensure(processes.len() == 4, || format!("{processes:?}"))?;
    up.signal(signal)?;
    let status = up.ended()?;
    ensure(status.success(), || format!("{status}; the screen:\n{}", up.screen()))?;
    gone(&processes)?;
    ensure(up.left_over().is_empty(), || format!("left over: {:?}", up.left_over()))?;
    up.wait_for("stopped", 0)?;
    Ok(())
}

fn twice() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let processes = up.all();
    // One that cannot hear SIGTERM.
    kill(up.process("ping-source")?, Signal::SIGSTOP).map_err(|error| format!("kill: {error}"))?;
    up.signal(Signal::SIGINT)?;
    up.wait_for("stopping", 0)?;
    up.signal(Signal::SIGINT)?;
    let status = up.ended()?;
    ensure(status.code() == Some(130), || format!("{status}; the screen:\n{}", up.screen()))?;
    gone(&processes)
}

fn killed() -> Result<(), Failure> {
    let mut up = Up::ready(&quickstart()?)?;
    let processes = up.all();
    up.signal(Signal::SIGKILL)?;
    up.ended()?;
    gone(&processes)
}
