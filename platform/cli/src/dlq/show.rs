//! Dead letters to look at: the list, and one of them.

use std::io::Write;

use broker::death;
use common::event::json;
use pretty::{Look, Visible};
use serde_json::Value as Json;

use super::Streams;
use super::store::{PAGE, Page, Problem, Store};
use crate::args::Format;
use crate::list::columns;
use crate::style::Palette;

/// What of a cell is shown, and of the last one.
const CELL_BYTES: usize = 60;
const ERROR_BYTES: usize = 120;
/// What of an event's data is shown.
const SHOWN_BYTES: usize = 16 << 10;

/// What of the list.
#[derive(Default)]
pub struct Wanted<'a> {
    pub trigger: Option<&'a str>,
    pub after: Option<&'a str>,
    pub limit: usize,
}

/// Prints the list, page after page.
///
/// # Errors
/// Why there is none.
pub async fn list(
    store: &Store,
    wanted: &Wanted<'_>,
    format: Format,
    (out, err): Streams<'_>,
) -> Result<bool, String> {
    let mut found = Page { entries: Vec::new(), next: wanted.after.map(str::to_owned) };
    loop {
        let limit = (wanted.limit - found.entries.len()).min(PAGE);
        let page = store.page(found.next.as_deref(), limit, wanted.trigger).await;
        let Page { entries, next } = page.map_err(Problem::into_text)?;
        found.entries.extend(entries);
        found.next = next;
        if found.next.is_none() || found.entries.len() >= wanted.limit {
            break;
        }
    }
    let text = match format {
        Format::Json => format!("{:#}\n", serde_json::json!(found)),
        Format::Text => table(&found.entries),
    };
    // A reader that has gone (head) is no failure.
    let _ = out.write_all(text.as_bytes());
    if format == Format::Text {
        let _ = match &found.next {
            Some(next) => writeln!(err, "there may be more: --after {}", cell(next, CELL_BYTES)),
            None if found.entries.is_empty() => writeln!(err, "no dead letters"),
            None => Ok(()),
        };
    }
    Ok(true)
}

fn table(entries: &[Json]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let header = ["ID", "FAILED AT", "TRIGGER", "TRIES", "CODE", "TYPE", "EVENT", "ERROR"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header).chain(entries.iter().map(row)).collect();
    columns(&rows)
}

fn row(entry: &Json) -> [String; 8] {
    let of = |value: &Json, bytes| match value {
        Json::Null => "-".to_owned(),
        Json::String(text) if text.is_empty() => "-".to_owned(),
        Json::String(text) => cell(text, bytes),
        other => cell(&other.to_string(), bytes),
    };
    let short = |value: &Json| of(value, CELL_BYTES);
    let id = |value: &Json| of(value, usize::MAX);
    let event = &entry["event"];
    [
        // As it is, because it is asked for by it.
        id(&entry["id"]),
        short(&entry["time"]),
        short(&entry["trigger"]),
        short(&entry["attempts"]),
        short(&entry["code"]),
        short(&event["type"]),
        short(&event["id"]),
        of(&entry["error"], ERROR_BYTES),
    ]
}

fn cell(text: &str, bytes: usize) -> String {
    Visible::line(text, bytes)
}

/// Prints one.
///
/// # Errors
/// Why it is not to be had.
pub async fn one(
    store: &Store,
    id: &str,
    format: Format,
    palette: Palette,
    out: &mut dyn Write,
) -> Result<bool, String> {
    let found = store.event(id).await.map_err(|problem| match problem {
        Problem::Gone(_) => format!("there is no dead letter {}", cell(id, CELL_BYTES)),
        other => other.into_text(),
    })?;
    if format == Format::Json {
        let _ = out.write_all(&found).and_then(|()| out.write_all(b"\n"));
        return Ok(true);
    }
    let dead = json::from_slice(found).map_err(|error| format!("the broker sent no event: {error}"))?;
    let line = |name: &str| cell(dead.get(name).unwrap_or("-"), 1024);
    let facts = [
        ("trigger", line(death::TRIGGER)),
        ("target", line(death::DESTINATION)),
        ("failed at", line(death::FAILED_AT)),
        ("tries", line(death::ATTEMPTS)),
        ("code", line(death::CODE)),
        ("hops", line(death::HOPS)),
        ("error", cell(&death::error(&dead), 4096)),
    ];
    let mut text = String::new();
    for (name, value) in facts {
        text += &format!("{}  {value}\n", palette.dim(&format!("{name:<9}")));
    }
    text.push('\n');
    let event = death::revive(dead).event;
    text += &Look::new(palette.is_on(), SHOWN_BYTES).block(&event, "event");
    let _ = out.write_all(text.as_bytes());
    Ok(true)
}
