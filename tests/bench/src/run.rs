//! A case: floor and candidate by turns, and what an event cost each.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::around::Surroundings;
use crate::cases::{Case, Contender, Flow};
use crate::cli::Failure;
use crate::cpu;
use crate::kafka;
use crate::load::{self, Totals};
use crate::report::Cost;
use crate::subject::Subject;

/// How a case is measured.
pub struct Plan {
    /// Pairs of floor and candidate.
    pub rounds: u32,
    /// Measured time of each half of a pair.
    pub slot: Duration,
    /// Discarded time before it.
    pub warm_up: Duration,
    /// Where the adapters' binaries are.
    pub binaries: PathBuf,
}

/// Microseconds of CPU time per event in one slot, and events per second.
#[derive(Clone, Copy)]
struct Sample {
    cost: f64,
    rate: f64,
}

/// Runs floor, candidate, floor, candidate, … floor: every candidate slot stands between two of the floor.
///
/// The floor is two processes by turns, so that neighbouring floors tell how far two runs of the same program lie
/// apart: A against A.
pub fn measure(case: &Case, plan: &Plan) -> Result<Cost, Failure> {
    let around = Surroundings::new(&plan.binaries)?;
    let floors = [case.floor.start(&around)?, case.floor.start(&around)?];
    let candidate = case.candidate.start(&around)?;

    let mut floor_samples = vec![slot(&floors[0], case.floor, &around, plan)?];
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        samples.push(slot(&candidate, case.candidate, &around, plan)?);
        let turn = &floors[if round % 2 == 0 { 0 } else { 1 }];
        floor_samples.push(slot(turn, case.floor, &around, plan)?);
        writeln!(std::io::stderr().lock(), "{}: round {round} of {}", case.name, plan.rounds)?;
    }
    Ok(evaluate(case, &floor_samples, &samples))
}

fn slot(
    subject: &Subject,
    contender: Contender,
    around: &Surroundings,
    plan: &Plan,
) -> Result<Sample, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (counter, loading) = load(subject, contender.flow(), around, &stop)?;
    std::thread::sleep(plan.warm_up);
    let count = || counter.load(Ordering::Relaxed);
    let before = (count(), cpu::time(subject.pid()));
    std::thread::sleep(plan.slot);
    let after = (count(), cpu::time(subject.pid()));
    stop.store(true, Ordering::Relaxed);
    let totals = loading.join().map_err(|_| "the load panicked")??;
    around.sink.settle()?;
    sample(after.0 - before.0, after.1?.saturating_sub(before.1?), plan.slot, totals)
}

type Loading = JoinHandle<Result<Totals, Failure>>;

/// Begins the load, and says where its events are counted.
fn load(
    subject: &Subject,
    flow: Flow,
    around: &Surroundings,
    stop: &Arc<AtomicBool>,
) -> Result<(Arc<AtomicU64>, Loading), Failure> {
    let stop = Arc::clone(stop);
    let thread = std::thread::Builder::new().name("load".into());
    let (sink, answers) = (around.sink.counter(), Arc::<AtomicU64>::default());
    Ok(match flow {
        Flow::Through(payload) | Flow::Into(payload) => {
            let url: http::Uri = format!("http://{}/", subject.address).parse()?;
            let accepted = Arc::clone(&answers);
            let loading = thread.spawn(move || load::run(&url, payload, &stop, &accepted))?;
            (if matches!(flow, Flow::Into(_)) { answers } else { sink }, loading)
        }
        Flow::OutOfTopic => {
            let (broker, topic) = (around.broker()?.address(), subject.topic.clone().ok_or("no topic")?);
            let counter = Arc::clone(&sink);
            let read = move || counter.load(Ordering::Relaxed);
            (sink, thread.spawn(move || kafka::feed(&broker, &topic, read, &stop))?)
        }
    })
}

/// A slot in which anything was answered but 2xx and 429 measured something else than delivery.
fn sample(events: u64, time: Duration, slot: Duration, totals: Totals) -> Result<Sample, Failure> {
    if totals.other > 0 {
        return Err(
            format!("{} answers other than 2xx and 429, {} of 2xx", totals.other, totals.accepted).into()
        );
    }
    if events == 0 {
        return Err("no event reached the sink".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
    let events = events as f64;
    Ok(Sample { cost: time.as_secs_f64() * 1e6 / events, rate: events / slot.as_secs_f64() })
}

fn evaluate(case: &Case, floors: &[Sample], samples: &[Sample]) -> Cost {
    // Neighbours are of the two processes by turns: always the second process over the first.
    let same = floors.windows(2).enumerate().map(|(round, pair)| {
        if round % 2 == 0 { pair[1].cost / pair[0].cost } else { pair[0].cost / pair[1].cost }
    });
    let ratios: Vec<f64> = floors
        .windows(2)
        .zip(samples)
        .map(|(pair, sample)| 2.0 * sample.cost / (pair[0].cost + pair[1].cost))
        .collect();
    Cost {
        case: case.name,
        floor_us: median(floors.iter().map(|sample| sample.cost)),
        event_us: median(samples.iter().map(|sample| sample.cost)),
        events_per_second: median(samples.iter().map(|sample| sample.rate)),
        same: median(same),
        ratio: median(ratios.iter().copied()),
        limit: case.limit,
        ratios,
    }
}

/// The middle value; of an even number the mean of the two in the middle. Not a number for none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    fn samples(costs: &[f64]) -> Vec<Sample> {
        costs.iter().map(|cost| Sample { cost: *cost, rate: 1.0 }).collect()
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn median_of_odd_and_even() {
        assert!(close(median([3.0, 1.0, 2.0].into_iter()), 2.0));
        assert!(close(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5));
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn a_candidate_is_measured_beside_both_neighbours() {
        let case = &cases::select(&["webhook-source".into()]).unwrap()[0];
        let cost = evaluate(case, &samples(&[10.0, 20.0, 10.0]), &samples(&[30.0, 15.0]));
        assert!(close(cost.ratio, 1.5), "the median of 2 and 1");
        assert!(close(cost.same, 2.0), "the second process costs twice the first, whichever came first");
    }

    #[test]
    fn a_refused_event_is_no_measurement() {
        let second = Duration::from_secs(1);
        assert!(sample(10, second, second, Totals { other: 1, ..Totals::default() }).is_err());
        assert!(sample(0, second, second, Totals::default()).is_err());
        let sample = sample(10, second, second, Totals { busy: 3, ..Totals::default() }).unwrap();
        assert!(close(sample.cost, 100_000.0));
    }
}
