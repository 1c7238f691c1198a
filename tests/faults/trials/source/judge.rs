//! The end of a trial: all has arrived, all is acknowledged, and what that cost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kit::{Failure, PATIENCE, Process, ensure, within};

use super::{KEYS, Scene};
use crate::report::Report;

impl Scene {
    /// Waits until every message has arrived and is acknowledged, ends the processes in peace and judges.
    pub fn finish(&self, mut processes: Vec<Process>, sent: usize, kills: usize) -> Result<(), Failure> {
        let logs = |processes: &[Process]| {
            let log = |process: &Process| format!("--- process {}\n{}", process.id(), process.output());
            processes.iter().map(log).collect::<String>()
        };
        let arrived = || -> Result<BTreeSet<usize>, Failure> { Ok(self.accepted()?.into_iter().collect()) };
        let begun = Instant::now();
        while arrived()?.len() < sent {
            if begun.elapsed() > PATIENCE * 6 {
                let arrived = arrived()?;
                let missing: Vec<_> = (0..sent).filter(|number| !arrived.contains(number)).collect();
                return Err(format!("did not arrive: {missing:?}\n{}", logs(&processes)));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        within(PATIENCE * 2, "everything to be acknowledged", || {
            self.upstream.left().is_ok_and(|left| left == 0).then_some(())
        })
        .map_err(|failure| format!("{failure}: {:?} are left\n{}", self.upstream.left(), logs(&processes)))?;
        for process in &mut processes {
            process.stop()?;
        }
        self.judge(sent, kills, processes.len() - 1)
    }

    fn judge(&self, sent: usize, kills: usize, thefts: usize) -> Result<(), Failure> {
        let accepted = self.accepted()?;
        let mut known = BTreeSet::new();
        let firsts: Vec<_> = accepted.iter().copied().filter(|number| known.insert(*number)).collect();
        let report = Report {
            adapter: self.subject.name,
            fate: self.fate,
            kills,
            taken: sent,
            lost: (0..sent).filter(|number| !known.contains(number)).count(),
            duplicates: accepted.len() - firsts.len(),
            for_each_kill: self.subject.for_each_kill,
            unconfirmed: self.sink.unconfirmed() + thefts * self.subject.for_each_theft,
            seed: self.seed,
        };
        report.print()?;
        ensure(known.iter().all(|number| *number < sent), || {
            "something arrived that was never sent".to_owned()
        })?;
        if self.subject.ordered {
            for key in 0..KEYS {
                let of_key: Vec<_> = firsts.iter().copied().filter(|number| number % KEYS == key).collect();
                ensure(of_key.is_sorted(), || format!("key {key} is out of order: {of_key:?}"))?;
            }
        }
        Ok(())
    }
}
