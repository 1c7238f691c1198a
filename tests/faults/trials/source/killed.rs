//! One process after the other, each killed (SIGKILL) at a random moment.

use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kit::{Failure, PATIENCE, within};

use super::{MESSAGES, Scene};

const KILLS: usize = 22;

pub fn trial(scene: &Scene) -> Result<(), Failure> {
    let mut random = Rng::with_seed(scene.seed);
    // A part at first, so that some kills come while messages come in and some while all are there.
    scene.upstream.feed(0..MESSAGES / 2)?;
    for kill in 0..KILLS {
        let process = scene.process()?;
        let goal = (kill + 1) * MESSAGES / (KILLS + 2);
        within(PATIENCE * 2, "progress before a kill", || (scene.sink.count() >= goal).then_some(()))
            .map_err(|failure| format!("{failure}\n{}", process.output()))?;
        if kill == KILLS / 3 {
            scene.upstream.feed(MESSAGES / 2..MESSAGES)?;
        }
        thread::sleep(Duration::from_micros(random.u64(..200_000)));
        // SIGKILL, and the end of the process.
        drop(process);
    }
    let last = scene.process()?;
    scene.finish(vec![last], MESSAGES, KILLS)
}
