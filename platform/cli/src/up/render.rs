//! Log lines of components as people read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::style::{Palette, clock};

/// How the lines of one component begin.
#[derive(Clone)]
pub struct Renderer {
    pub palette: Palette,
    /// Its label.
    pub name: String,
    /// Its number, which decides the colour.
    pub number: usize,
    /// The width of the longest label of the bridge.
    pub width: usize,
}

impl Renderer {
    /// A line from standard error: `time name LEVEL message field=value`; one that is not a JSON log line stays as it is.
    pub fn log_line(&self, line: &str) -> String {
        match serde_json::from_str::<BTreeMap<String, Value>>(line) {
            Ok(mut fields) => self.record(&mut fields),
            Err(_) => format!("{} {} {}\n", self.palette.dim(&clock()), self.label(), escape(line)),
        }
    }

    /// A message of the command itself about the component.
    pub fn note(&self, level: &str, message: &str) -> String {
        let (time, level) = (self.palette.dim(&clock()), self.level(level));
        format!("{time} {} {level} {message}\n", self.label())
    }

    /// Lines from standard output, kept together under the component's name. On a terminal its colours stay, and no other
    /// escape sequence does.
    pub fn block(&self, text: &str) -> String {
        let mut block = String::new();
        let start = format!("{} {}", self.label(), self.palette.name(self.number, "|"));
        for line in text.trim_end_matches('\n').split('\n') {
            let line = if self.palette.is_on() { escape_but_colours(line) } else { escape(line) };
            let _ = writeln!(block, "{start} {}", line.trim_end());
        }
        block
    }

    fn record(&self, fields: &mut BTreeMap<String, Value>) -> String {
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (timestamp, level, message) = (take("timestamp"), take("level"), take("message"));
        let time = time_of_day(&timestamp).unwrap_or_else(clock);
        let mut line = format!(
            "{} {} {} {}",
            self.palette.dim(&time),
            self.label(),
            self.level(&level),
            escape(&message)
        );
        let problems = fields.remove("problems");
        for (name, value) in &*fields {
            let _ = write!(line, " {}{}", self.palette.dim(&format!("{}=", escape(name))), field(value));
        }
        line.push('\n');
        if let Some(Value::Array(problems)) = problems {
            for problem in &problems {
                let text = problem.as_str().map_or_else(|| problem.to_string(), str::to_owned);
                let _ = writeln!(line, "    - {}", escape(&text));
            }
        }
        line
    }

    fn label(&self) -> String {
        self.palette.name(self.number, &format!("{:<1$}", self.name, self.width))
    }

    fn level(&self, level: &str) -> String {
        let padded = format!("{:<5}", escape(level));
        match level {
            "ERROR" => self.palette.bad(&padded),
            "WARN" => self.palette.warn(&padded),
            "INFO" => self.palette.good(&padded),
            _ => self.palette.dim(&padded),
        }
    }
}

/// A value of a log field: bare where that is unambiguous, else quoted.
fn field(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let bare = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
            if !text.is_empty() && text.chars().all(bare) {
                escape(text)
            } else {
                escape(&Value::from(text.as_str()).to_string())
            }
        }
        other => escape(&other.to_string()),
    }
}

/// What could move the cursor, hide or reorder text becomes visible.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => escaped.push_str("    "),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => escaped.extend(c.escape_unicode()),
            c if c.is_control() => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The same, save for colours (`ESC [ numbers m`), which end with the line.
fn escape_but_colours(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let mut pieces = line.split('\u{1b}');
    escaped.push_str(&escape(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let colour = piece.split_once('m').filter(|(numbers, _)| {
            let rest = numbers.strip_prefix('[');
            rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == ';'))
        });
        match colour {
            Some((numbers, text)) => {
                let _ = write!(escaped, "\u{1b}{numbers}m{}", escape(text));
            }
            None => escaped.push_str(&escape(&format!("\u{1b}{piece}"))),
        }
    }
    if line.contains('\u{1b}') {
        escaped.push_str("\u{1b}[0m");
    }
    escaped
}

/// `10:11:12.345Z` of an RFC 3339 timestamp in UTC.
fn time_of_day(timestamp: &str) -> Option<String> {
    let (_, time) = timestamp.split_once('T')?;
    let time = time.strip_suffix('Z')?;
    let plain = time.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.'));
    (plain && time.len() >= 8).then(|| {
        let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
        format!("{seconds}.{fraction:0<3.3}Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renderer(palette: Palette) -> Renderer {
        Renderer { palette, name: "hooks".to_owned(), number: 0, width: 7 }
    }

    #[test]
    fn a_json_line_becomes_readable() {
        let line = r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"WARN","message":"sink refused","status":503,"why":"two words","type":"a.b"}"#;
        let rendered = renderer(Palette::plain()).log_line(line);
        assert_eq!(
            rendered,
            "03:04:05.678Z hooks   WARN  sink refused status=503 type=a.b why=\"two words\"\n"
        );
    }

    #[test]
    fn problems_stand_one_to_a_line() {
        let line = r#"{"timestamp":"2026-01-02T03:04:05Z","level":"ERROR","message":"invalid configuration","problems":["A is missing","B is bad"]}"#;
        let rendered = renderer(Palette::plain()).log_line(line);
        assert_eq!(
            rendered,
            "03:04:05.000Z hooks   ERROR invalid configuration\n    - A is missing\n    - B is bad\n"
        );
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        for line in [
            "\u{1b}[2J plain",
            "{\"level\":\"INFO\",\"message\":\"\\u001b[2J\",\"k\\u0007\":\"\\u001b]0;x\\u0007\\u202e\"}",
            "\u{9b}31m\r\u{8}",
        ] {
            let renderer = renderer(Palette::plain());
            for rendered in [renderer.log_line(line), renderer.block(line)] {
                assert!(
                    rendered.trim_end().chars().all(|c| !c.is_control() && c != '\u{202e}'),
                    "{rendered:?}"
                );
            }
        }
    }

    #[test]
    fn blocks_keep_their_lines_together() {
        let rendered = renderer(Palette::plain()).block("one\n  two\n\n");
        assert_eq!(rendered, "hooks   | one\nhooks   |   two\n");
    }

    #[test]
    fn only_colours_pass_and_only_on_a_terminal() {
        let line = "\u{1b}[1;32mgreen\u{1b}[0m \u{1b}[2J \u{1b}]0;title\u{7} \u{1b}";
        let rendered = renderer(Palette::coloured()).block(line);
        let expected = "\u{1b}[1;32mgreen\u{1b}[0m \\u{1b}[2J \\u{1b}]0;title\\u{7} \\u{1b}\u{1b}[0m\n";
        assert!(rendered.ends_with(expected), "{rendered:?}");
        assert!(!renderer(Palette::plain()).block(line).contains('\u{1b}'));
    }

    #[test]
    fn colours_only_where_asked_for() {
        let line = r#"{"level":"ERROR","message":"m"}"#;
        assert!(renderer(Palette::coloured()).log_line(line).contains('\u{1b}'));
        assert!(!renderer(Palette::plain()).log_line(line).contains('\u{1b}'));
    }
}
