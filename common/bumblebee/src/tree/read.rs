//! Reads JSON (RFC 8259) into the list of nodes. Strict: what is no JSON is left to whoever gets it next.

use std::borrow::Cow;

use super::{Form, Id, Node, Span, Tree};

/// Levels of arrays and objects that are read; one more and the text is not taken for JSON, as in the original.
pub(crate) const MAX_DEPTH: usize = 10_000;

/// What comes next in a document.
enum Next {
    Value,
    /// A value, or the end of the array that has just begun.
    Element,
    Key,
    /// A key, or the end of the object that has just begun.
    FirstKey,
    /// A comma or the end of the container.
    More,
}

impl<'a> Tree<'a> {
    /// Reads a document; `None` when it is no JSON, or too deep.
    pub(crate) fn read(&mut self, json: impl Into<Cow<'a, str>>) -> Option<Id> {
        let json = json.into();
        u32::try_from(json.len()).ok()?;
        let text = self.texts.len() as u32;
        let mark = self.nodes.len();
        let mut reader = Reader { bytes: json.as_bytes(), at: 0, text, nodes: &mut self.nodes };
        let read = reader.document();
        self.texts.push(json);
        if read.is_none() {
            self.nodes.truncate(mark);
        }
        read.map(|()| mark as Id)
    }
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    text: u32,
    nodes: &'t mut Vec<Node>,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<()> {
        let mut open: Vec<Id> = Vec::new();
        let mut next = Next::Value;
        loop {
            self.space();
            let byte = self.bytes.get(self.at).copied();
            match (&next, byte) {
                (Next::Element, Some(b']')) | (Next::FirstKey, Some(b'}')) => {
                    self.at += 1;
                    self.close(open.pop()?);
                    next = Next::More;
                }
                (Next::Value | Next::Element, Some(byte @ (b'[' | b'{'))) => {
                    if open.len() == MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    open.push(self.nodes.len() as Id);
                    let array = byte == b'[';
                    self.nodes.push(if array { Node::Array { end: 0 } } else { Node::Object { end: 0 } });
                    next = if array { Next::Element } else { Next::FirstKey };
                    continue;
                }
                (Next::Value | Next::Element, Some(byte)) => {
                    self.scalar(byte)?;
                    next = Next::More;
                }
                (Next::Key | Next::FirstKey, Some(b'"')) => {
                    self.string()?;
                    self.space();
                    self.expect(b":")?;
                    next = Next::Value;
                    continue;
                }
                (Next::More, Some(byte @ (b',' | b']' | b'}'))) => {
                    let container = *open.last()?;
                    let array = matches!(self.nodes.get(container as usize)?, Node::Array { .. });
                    self.at += 1;
                    match (byte, array) {
                        (b',', true) => next = Next::Value,
                        (b',', false) => next = Next::Key,
                        (b']', true) | (b'}', false) => self.close(open.pop()?),
                        _ => return None,
                    }
                }
                _ => return None,
            }
            if open.is_empty() {
                self.space();
                return (self.at == self.bytes.len()).then_some(());
            }
        }
    }

    fn close(&mut self, container: Id) {
        let behind = self.nodes.len() as Id;
        if let Some(Node::Array { end } | Node::Object { end }) = self.nodes.get_mut(container as usize) {
            *end = behind;
        }
    }

    fn scalar(&mut self, first: u8) -> Option<()> {
        let node = match first {
            b'"' => return self.string(),
            b'n' => self.expect(b"null").map(|()| Node::Null),
            b't' => self.expect(b"true").map(|()| Node::Bool(true)),
            b'f' => self.expect(b"false").map(|()| Node::Bool(false)),
            _ => self.number(),
        }?;
        self.nodes.push(node);
        Some(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn expect(&mut self, word: &[u8]) -> Option<()> {
        let found = self.bytes.get(self.at..)?.starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn number(&mut self) -> Option<Node> {
        let start = self.at;
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(Node::Number(self.span(start, self.at)))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { text: self.text, start: start as u32, end: end as u32 }
    }

    fn string(&mut self) -> Option<()> {
        let start = self.at + 1;
        self.at = start;
        let mut form = Form::Clean;
        loop {
            self.skip_clean();
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    form = Form::Escaped;
                    self.escape()?;
                }
                0..0x20 => return None,
                // What JSON writes as it is, and we escape.
                _ => {
                    form = if form == Form::Clean { Form::Text } else { form };
                    self.at += 1;
                }
            }
        }
        self.nodes.push(Node::String(self.span(start, self.at), form));
        self.at += 1;
        Some(())
    }

    /// Goes over everything that stands for itself, many bytes at once.
    fn skip_clean(&mut self) {
        const BLOCK: usize = 32;
        while let Some(block) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
            if block.iter().fold(false, |found, byte| found | is_special(*byte)) {
                break;
            }
            self.at += BLOCK;
        }
        while self.bytes.get(self.at).is_some_and(|byte| !is_special(*byte)) {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = self.bytes.get(self.at + 1)?;
        self.at += 2;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let hex = self.bytes.get(self.at..self.at + 4)?;
                self.at += 4;
                hex.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }
}

/// What ends a string, must not stand in one, or is written differently from how it may be read. 0xE2 begins the line
/// separators U+2028 and U+2029.
pub(super) fn is_special(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'&')
        | (byte == 0xE2)
}

/// What a well-formed JSON string stands for. Half a surrogate pair stands for U+FFFD, as in the original.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (char, length) = unicode(escape);
                out.push(char);
                rest = escape.get(length..).unwrap_or_default();
                continue;
            }
            other => out.extend(other),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX` or, for a pair, `uXXXX\uXXXX`, and how many bytes it takes.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| {
        let hex = escape.get(from..from + 4)?;
        u32::from_str_radix(hex, 16).ok()
    };
    let first = unit(1).unwrap_or(0xFFFD);
    if let 0xD800..0xDC00 = first
        && escape.get(5..7) == Some("\\u")
        && let Some(second @ 0xDC00..0xE000) = unit(7)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}
