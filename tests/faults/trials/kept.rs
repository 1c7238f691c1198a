//! Events that a far side has kept whole, in the JSON format of CloudEvents.

use std::collections::BTreeMap;

use kit::{Failure, ensure};
use serde_json::Value;

use crate::report::Report;
use crate::target::{CALLERS, KILLS};

/// Judges a target that was killed: nothing that was answered 2xx is missing, some words of the far side were lost, and
/// what came twice has one id.
pub fn judge(
    adapter: &'static str,
    taken: &[usize],
    kept: impl IntoIterator<Item = Vec<u8>>,
    unconfirmed: usize,
    seed: u64,
) -> Result<(), Failure> {
    let mut ids = BTreeMap::<usize, Vec<String>>::new();
    for event in kept {
        let event: Value = serde_json::from_slice(&event).map_err(|error| error.to_string())?;
        let number = event["data"].as_u64().and_then(|number| usize::try_from(number).ok());
        let number = number.ok_or_else(|| format!("no number in {event}"))?;
        ids.entry(number).or_default().push(event["id"].to_string());
    }
    let lost: Vec<_> = taken.iter().filter(|number| !ids.contains_key(number)).collect();
    let report = Report {
        adapter,
        fate: "killed at random",
        kills: KILLS,
        taken: taken.len(),
        lost: lost.len(),
        duplicates: ids.values().map(|ids| ids.len() - 1).sum(),
        for_each_kill: CALLERS,
        unconfirmed,
        seed,
    };
    report.print()?;
    ensure(lost.is_empty(), || format!("lost: {lost:?}"))?;
    ensure(unconfirmed > 0, || "every word of the far side came through".to_owned())?;
    let same = ids.values().all(|ids| ids.iter().all(|id| *id == ids[0]));
    ensure(same, || format!("one event with several ids: {ids:?}"))
}
