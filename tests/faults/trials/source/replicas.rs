//! Two processes share the work; one is killed, and one is added.

use kit::{Failure, PATIENCE, within};

use super::{MESSAGES, Scene};

const COUNT: usize = MESSAGES / 2;

pub fn trial(scene: &Scene) -> Result<(), Failure> {
    scene.upstream.feed(0..COUNT / 2)?;
    let (first, second) = (scene.process()?, scene.process()?);
    let reaches = |count: usize| {
        within(PATIENCE * 2, "progress of two", || (scene.sink.count() >= count).then_some(()))
            .map_err(|failure| format!("{failure}\n{}\n{}", first.output(), second.output()))
    };
    reaches(COUNT / 5)?;
    scene.upstream.feed(COUNT / 2..COUNT)?;
    reaches(COUNT / 3)?;
    let second_log = second.output();
    // SIGKILL.
    drop(first);
    let third = scene.process()?;
    scene
        .finish(vec![second, third], COUNT, 1)
        .map_err(|failure| format!("{failure}\nthe second had said before:\n{second_log}"))
}
