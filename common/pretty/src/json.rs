//! JSON made readable by its text alone: numbers, key order, duplicate keys and escapes stay as they were written.

use super::visible::Visible;

/// Deeper levels are not indented further, so that what is printed stays in proportion to the data.
const MAX_INDENT: usize = 40;

/// Adds valid JSON, one member to a line, each line behind the margin. What is not valid may look odd and does no harm.
pub fn add_indented(out: &mut Visible, json: &str, margin: &str) {
    let mut depth = 0_usize;
    let mut rest = json.trim_matches(is_space);
    out.add(margin);
    while let Some(c) = rest.chars().next() {
        if out.is_cut() {
            return;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '"' => rest = add_string(out, rest),
            '{' | '[' => {
                out.add_json(c);
                rest = rest.trim_start_matches(is_space);
                match rest.chars().next() {
                    Some(close @ ('}' | ']')) => {
                        out.add_json(close);
                        rest = rest.get(1..).unwrap_or_default();
                    }
                    _ => {
                        depth += 1;
                        add_line(out, margin, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                add_line(out, margin, depth);
                out.add_json(c);
            }
            ',' => {
                out.add(",");
                add_line(out, margin, depth);
            }
            ':' => {
                out.add(": ");
            }
            c if is_space(c) => {}
            c => {
                out.add_json(c);
            }
        }
    }
}

/// Adds a string whose opening quote was read; gives what stands behind its closing one.
fn add_string<'a>(out: &mut Visible, text: &'a str) -> &'a str {
    out.add("\"");
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if !out.add_json(c) {
            return "";
        }
        match c {
            '"' if !escaped => return text.get(at + 1..).unwrap_or_default(),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    ""
}

fn add_line(out: &mut Visible, margin: &str, depth: usize) {
    out.add("\n");
    out.add(margin);
    for _ in 0..depth.min(MAX_INDENT) {
        out.add("  ");
    }
}

/// White space of JSON (RFC 8259, section 2).
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
