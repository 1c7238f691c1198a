//! One line for each trial: adapter, what happened to it, how often, what was taken, lost and came twice, and the bound.

use std::io::Write as _;

use kit::{Failure, ensure};

/// What was seen.
pub struct Report {
    pub adapter: &'static str,
    /// What happened to it.
    pub fate: &'static str,
    pub kills: usize,
    /// What nobody may lose: documents of the source, events that were answered with 2xx.
    pub taken: usize,
    pub lost: usize,
    pub duplicates: usize,
    /// Most duplicates that one kill may make.
    pub for_each_kill: usize,
    /// What may come once more besides: what the other side accepted without managing to say so, and what is read by two where
    /// one process takes over from another that lives.
    pub unconfirmed: usize,
    pub seed: u64,
}

impl Report {
    /// Prints it as a row of the table that `cargo xtask faults` makes of all of them, and judges the duplicates.
    pub fn print(&self) -> Result<(), Failure> {
        let Self { adapter, fate, kills, taken, lost, duplicates, for_each_kill, unconfirmed, seed } = self;
        let bound = kills * for_each_kill + unconfirmed;
        let line = format!(
            "| {adapter} | {fate} | {kills} | {taken} | {lost} | {duplicates} | {bound} | seed {seed} |"
        );
        writeln!(std::io::stdout().lock(), "{line}").map_err(|error| error.to_string())?;
        ensure(*duplicates <= bound, || format!("too many duplicates: {line}"))
    }
}
