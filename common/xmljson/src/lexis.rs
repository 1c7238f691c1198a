//! Which characters and names are those of XML 1.0, and what is cut off a text.

/// The part of the input before the first byte that XML cannot hold.
pub(crate) fn legal(input: &[u8]) -> &str {
    let text = match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    };
    let illegal = text.char_indices().find(|(_, c)| !is_legal(*c));
    illegal.map_or(text, |(at, _)| &text[..at])
}

/// Production 2 of the specification.
pub(crate) fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The local part of a name, when it is one.
pub(crate) fn local(name: &str) -> Option<&str> {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let continues = |c: char| begins(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !name.starts_with(begins) || !name.chars().all(continues) || name.matches(':').count() > 1 {
        return None;
    }
    Some(match name.split_once(':') {
        Some((prefix, local)) if !prefix.is_empty() && !local.is_empty() => local,
        _ => name,
    })
}

/// The text without what cannot be seen at its ends.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_format(c))
}

/// Characters of the categories Cf and Co (Unicode 15).
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' | '\u{f0000}'..
    )
}
