//! Which characters and names are those of XML 1.0, and what is cut off a text.

/// The part of the input before the first byte that XML cannot hold.
pub(crate) fn legal(input: &[u8]) -> &str {
    let text = match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&input[..error.valid_up_to()]).unwrap_or_default(),
    };
    // Without an early end, so that it is done for many bytes at once: nearly always there is nothing.
    let suspects =
        text.bytes().fold(false, |found, byte| found | (byte < 0x20) & !is_space(byte) | (byte == 0xEF));
    if !suspects {
        return text;
    }
    let illegal = text.char_indices().find(|(_, c)| !is_legal(*c));
    illegal.map_or(text, |(at, _)| &text[..at])
}

fn is_space(byte: u8) -> bool {
    (byte == b'\t') | (byte == b'\n') | (byte == b'\r')
}

/// Production 2 of the specification.
pub(crate) fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The local part of a name, when it is one.
pub(crate) fn local(name: &str) -> Option<&str> {
    let begins = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !byte.is_ascii();
    let continues = |byte: u8| begins(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let (first, rest) = name.as_bytes().split_first()?;
    if !begins(*first) || !rest.iter().all(|byte| continues(*byte)) {
        return None;
    }
    match name.split_once(':') {
        Some((_, local)) if local.contains(':') => None,
        Some((prefix, local)) if !prefix.is_empty() && !local.is_empty() => Some(local),
        _ => Some(name),
    }
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
