//! A process that is stopped (SIGSTOP) for longer than its leases and sessions last, while another takes over, and wakes.

use std::thread;

use kit::{Failure, PATIENCE, within};
use nix::sys::signal::Signal;

use super::{MESSAGES, Scene};

const COUNT: usize = MESSAGES / 4;

pub fn trial(scene: &Scene) -> Result<(), Failure> {
    scene.upstream.feed(0..COUNT)?;
    let sleeper = scene.process()?;
    within(PATIENCE * 2, "progress before the stop", || (scene.sink.count() >= COUNT / 5).then_some(()))
        .map_err(|failure| format!("{failure}\n{}", sleeper.output()))?;
    sleeper.signal(Signal::SIGSTOP)?;
    let other = scene.process()?;
    thread::sleep(scene.subject.past);
    // With what it had, although all of that is somebody else's by now.
    sleeper.signal(Signal::SIGCONT)?;
    scene.finish(vec![sleeper, other], COUNT, 1)
}
