//! Events as people read them on a terminal: a block of lines for each, nothing in it that a terminal would obey.

mod json;
#[cfg(test)]
mod tests;
mod visible;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use common::Event;
use serde_json::value::RawValue;

pub use visible::{Visible, is_hostile};

/// Attributes are cut after so many bytes.
const ATTRIBUTE_BYTES: usize = 1024;
/// Wider names do not push all the values to the right.
const NAME_WIDTH: usize = 20;
/// Bytes of binary data that are shown, and how many in a line.
const HEX_BYTES: usize = 256;
const HEX_WIDTH: usize = 16;
/// What data stands behind.
const MARGIN: &str = "    ";

/// How a block looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Of what matters less: time and id.
    pub dim: Style,
    /// Of the event's type.
    pub event_type: Style,
    /// Of the names of attributes.
    pub name: Style,
    /// Bytes of data that are shown.
    pub data_bytes: usize,
}

impl Look {
    /// With colours or without.
    #[must_use]
    pub fn new(coloured: bool, data_bytes: usize) -> Self {
        let style = |style: Style| if coloured { style } else { Style::new() };
        Self {
            dim: style(Style::new().dimmed()),
            event_type: style(AnsiColor::Green.on_default().bold()),
            name: style(AnsiColor::Cyan.on_default()),
            data_bytes,
        }
    }

    /// The event: time of day, type, source and id in one line, then the other attributes, then the data.
    #[must_use]
    pub fn block(&self, event: &Event, time: &str) -> String {
        let attribute = |name| Visible::line(event.get(name).unwrap_or_default(), ATTRIBUTE_BYTES);
        let mut block = String::new();
        self.add(&mut block, self.dim, time);
        block.push_str("  ");
        self.add(&mut block, self.event_type, &attribute("type"));
        block.push_str("  ");
        block.push_str(&attribute("source"));
        block.push_str("  ");
        self.add(&mut block, self.dim, &attribute("id"));
        block.push('\n');
        let others =
            || event.attributes().filter(|(name, _)| !matches!(name.as_str(), "id" | "source" | "type"));
        let width = others().map(|(name, _)| name.len()).max().unwrap_or_default().clamp(4, NAME_WIDTH);
        for (name, value) in others() {
            self.field(&mut block, width, name, &Visible::line(value, ATTRIBUTE_BYTES));
        }
        if let Some(data) = event.data() {
            let (note, text) = self.data(event, data);
            self.field(&mut block, width, "data", &note);
            if !text.is_empty() {
                block.push_str(&text);
                block.push('\n');
            }
        }
        block.push('\n');
        block
    }

    fn add(&self, block: &mut String, style: Style, text: &str) {
        // Writing into memory cannot fail.
        let _ = write!(block, "{style}{text}{style:#}");
    }

    fn field(&self, block: &mut String, width: usize, name: &str, value: &str) {
        block.push_str("  ");
        self.add(block, self.name, &format!("{name:<width$}"));
        block.push_str("  ");
        block.push_str(value);
        block.push('\n');
    }

    /// What the data is, and how it looks.
    fn data(&self, event: &Event, data: &[u8]) -> (String, String) {
        let mut out = Visible::new(self.data_bytes);
        let length = match data.len() {
            1 => "1 byte".to_owned(),
            length => format!("{length} bytes"),
        };
        let kind = match std::str::from_utf8(data) {
            Ok(text) if event.is_json() && is_json(text) => {
                json::add_indented(&mut out, text, MARGIN);
                ""
            }
            Ok(text) if is_text(text, event.data_content_type()) => {
                out.add_lines(text, MARGIN);
                if event.data_content_type().is_some() && event.is_json() { ", not valid JSON" } else { "" }
            }
            _ => {
                let (lines, is_cut) = hex(data, self.data_bytes.min(HEX_BYTES));
                return (format!("{length}, binary{}", cut_note(is_cut)), lines);
            }
        };
        (format!("{length}{kind}{}", cut_note(out.is_cut())), out.into_text())
    }
}

fn cut_note(is_cut: bool) -> &'static str {
    if is_cut { ", cut" } else { "" }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Whether it is better read than dumped: by its media type, else by having no controls but those of a terminal log.
fn is_text(text: &str, content_type: Option<&str>) -> bool {
    let is_declared =
        content_type.and_then(|name| name.get(..5)).is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    is_declared || !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{1b}'))
}

/// Lines of offset, bytes and ASCII; whether some were left out.
fn hex(data: &[u8], limit: usize) -> (String, bool) {
    let shown = data.get(..limit).unwrap_or(data);
    let lines = shown.chunks(HEX_WIDTH).enumerate().map(|(number, bytes)| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
        let ascii: String =
            bytes.iter().map(|&byte| if (0x20..0x7f).contains(&byte) { byte.into() } else { '.' }).collect();
        format!("{MARGIN}{:06x}  {digits:<48} {ascii}", number * HEX_WIDTH)
    });
    (lines.collect::<Vec<_>>().join("\n"), shown.len() < data.len())
}
