//! Text that a person reads: what could move the cursor, hide text or reorder it becomes visible, and long text is cut.

use std::fmt::Write as _;

/// Text of limited length to be shown.
#[derive(Debug)]
pub struct Visible {
    text: String,
    limit: usize,
    cut: bool,
}

impl Visible {
    /// No text yet; it grows to about `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, cut: false }
    }

    /// A value that stands in one line.
    #[must_use]
    pub fn line(text: &str, limit: usize) -> String {
        let mut line = Self::new(limit);
        for c in text.chars() {
            if !line.add_escaped(c) {
                line.text.push('…');
                break;
            }
        }
        line.text
    }

    /// Lines, each behind the margin.
    pub fn add_lines(&mut self, text: &str, margin: &str) {
        for (number, line) in text.lines().enumerate() {
            if !self.add(if number == 0 { "" } else { "\n" }) || !self.add(margin) {
                return;
            }
            for c in line.chars() {
                if !self.add_escaped(c) {
                    return;
                }
            }
        }
    }

    /// Adds text that is known to be harmless; false when there is no room for it.
    pub fn add(&mut self, text: &str) -> bool {
        self.cut |= self.text.len() + text.len() > self.limit;
        if !self.cut {
            self.text.push_str(text);
        }
        !self.cut
    }

    /// Adds a character, written as `\u{…}` when it is hostile; false when there is no room for it.
    fn add_escaped(&mut self, c: char) -> bool {
        match c {
            '\t' => self.add("    "),
            c if is_hostile(c) => self.add(&c.escape_unicode().to_string()),
            c => self.add(c.encode_utf8(&mut [0; 4])),
        }
    }

    /// Adds a character of a JSON string, written as JSON's `\u…` when it is hostile; false when there is no room for it.
    pub fn add_json(&mut self, c: char) -> bool {
        if !is_hostile(c) {
            return self.add(c.encode_utf8(&mut [0; 4]));
        }
        let mut escape = String::new();
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing into memory cannot fail.
            let _ = write!(escape, "\\u{unit:04x}");
        }
        self.add(&escape)
    }

    /// Whether something did not fit.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Controls, marks of direction, separators that some terminals take for ends of lines, and invisible tags.
/// Joiners stay: scripts and emoji need them.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
