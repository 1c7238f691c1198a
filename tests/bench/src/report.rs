//! What a measurement prints.

use std::io::Write;

use serde::Serialize;

use crate::cli::Failure;
use crate::start;

/// Two runs of the same program may differ by so much.
const SAME_WITHIN: f64 = 0.05;

/// The result of one case.
#[derive(Debug, Serialize)]
pub struct Cost {
    /// Its name.
    pub case: &'static str,
    /// CPU time per event of the floor in microseconds.
    pub floor_us: f64,
    /// The same of the candidate.
    pub event_us: f64,
    /// Events per second of the candidate, all processes sharing the machine.
    pub events_per_second: f64,
    /// The floor's second process over its first.
    pub same: f64,
    /// The median of the paired ratios.
    pub ratio: f64,
    /// The greatest ratio that passes.
    pub limit: f64,
    /// Each round's ratio.
    pub ratios: Vec<f64>,
}

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Within the limit.
    Holds,
    /// Above it.
    Over,
    /// A against A is not within 5 %: the machine was too restless to say.
    Void,
}

impl Cost {
    /// Judges the figures. What is not a number is void.
    pub fn verdict(&self) -> Verdict {
        if (self.same - 1.0).abs() > SAME_WITHIN || self.same.is_nan() || self.ratio.is_nan() {
            Verdict::Void
        } else if self.ratio <= self.limit {
            Verdict::Holds
        } else {
            Verdict::Over
        }
    }
}

/// Prints the cases.
pub fn costs(costs: &[Cost], json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Row<'a> {
        #[serde(flatten)]
        cost: &'a Cost,
        verdict: Verdict,
    }
    if json {
        return write_json(
            &costs.iter().map(|cost| Row { cost, verdict: cost.verdict() }).collect::<Vec<_>>(),
        );
    }
    let rows = costs.iter().map(|cost| {
        vec![
            cost.case.to_owned(),
            format!("{:.2}", cost.floor_us),
            format!("{:.2}", cost.event_us),
            format!("{:.3}", cost.ratio),
            format!("{:.2}", cost.limit),
            format!("{:.3}", cost.same),
            format!("{:.0}", cost.events_per_second),
            match cost.verdict() {
                Verdict::Holds => "holds".to_owned(),
                Verdict::Over => "OVER".to_owned(),
                Verdict::Void => "VOID: A against A is not within 5 %".to_owned(),
            },
        ]
    });
    write_table(&["case", "floor µs", "µs/event", "ratio", "limit", "A/A", "events/s", "verdict"], rows)
}

/// Prints the starts.
pub fn starts(outcomes: &[start::Outcome], json: bool) -> Result<(), Failure> {
    if json {
        return write_json(&outcomes);
    }
    let rows = outcomes.iter().map(|outcome| {
        vec![
            outcome.name.clone(),
            format!("{:.2}", outcome.ready_ms),
            format!("{:.2}", outcome.resident_mb),
            format!("{:.2}", outcome.file_mb),
            if outcome.is_static { "yes" } else { "no" }.to_owned(),
            if outcome.holds() { "holds" } else { "OVER" }.to_owned(),
        ]
    });
    let limits = [
        "adapter".to_owned(),
        format!("ready ms (≤ {})", start::READY_MS),
        format!("idle MB (≤ {})", start::RESIDENT_MB),
        format!("file MB (≤ {})", start::FILE_MB),
        "static".to_owned(),
        "verdict".to_owned(),
    ];
    write_table(&limits.each_ref().map(String::as_str), rows)
}

fn write_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(value)?)?)
}

/// Columns as wide as their widest cell; the first and last to the left, figures to the right.
fn write_table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<(), Failure> {
    let mut lines = vec![head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let widths: Vec<usize> = (0..head.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = std::io::stdout().lock();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:width$}"),
                _ if column + 1 == head.len() => cell.clone(),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        writeln!(out, "{}", cells.join("  "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restless_machine_voids_a_good_ratio() {
        let mut cost = Cost {
            case: "webhook-source",
            floor_us: 10.0,
            event_us: 13.0,
            events_per_second: 1.0,
            same: 1.06,
            ratio: 1.3,
            limit: 1.35,
            ratios: Vec::new(),
        };
        assert_eq!(cost.verdict(), Verdict::Void);
        cost.same = 0.96;
        assert_eq!(cost.verdict(), Verdict::Holds);
        cost.ratio = 1.36;
        assert_eq!(cost.verdict(), Verdict::Over);
        cost.ratio = f64::NAN;
        assert_eq!(cost.verdict(), Verdict::Void);
    }
}
