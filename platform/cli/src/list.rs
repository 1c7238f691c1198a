//! `trestle list`: the adapters there are.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;

use crate::args::Format;
use crate::catalogue::{Adapter, Catalogue, Role};
use crate::manifest::TRIGGER;

/// Prints the table, or a JSON list.
pub fn run(catalogue: &Catalogue, format: Format) -> ExitCode {
    let text = match format {
        Format::Text => table(catalogue),
        Format::Json => {
            format!("{:#}\n", catalogue.adapters.iter().map(entry).collect::<serde_json::Value>())
        }
    };
    // A reader that has gone (head) is no failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

/// The kinds of an adapter; a broker reads triggers too.
fn kinds(adapter: &Adapter) -> Vec<&str> {
    let triggers = (adapter.role == Role::Broker).then_some(TRIGGER);
    adapter.kinds.iter().map(|kind| kind.kind.as_str()).chain(triggers).collect()
}

fn entry(adapter: &Adapter) -> serde_json::Value {
    json!({ "name": adapter.name, "kinds": kinds(adapter), "summary": adapter.summary })
}

fn table(catalogue: &Catalogue) -> String {
    let mut rows = vec![["ADAPTER".to_owned(), "KINDS".to_owned(), "SUMMARY".to_owned()]];
    for adapter in &catalogue.adapters {
        rows.push([adapter.name.clone(), kinds(adapter).join(", "), adapter.summary.clone()]);
    }
    columns(&rows)
}

/// Rows with their columns in line, the last one ragged.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let of_row = |row: &[String; N]| row.get(column).map_or(0, |cell| cell.chars().count());
        rows.iter().map(of_row).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
