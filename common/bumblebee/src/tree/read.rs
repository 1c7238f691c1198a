//! Reads JSON (RFC 8259) into the list of nodes. Strict: what is no JSON is left to whoever gets it next.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{Form, Id, Node, Span, Tree};

/// Levels of arrays and objects that are read; one more and the text is not taken for JSON, as in the original.
pub(crate) const MAX_DEPTH: usize = 10_000;

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

/// An array or object that has begun.
#[derive(Clone, Copy)]
struct Container {
    id: Id,
    array: bool,
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    text: u32,
    nodes: &'t mut Vec<Node>,
}

impl Reader<'_> {
    fn document(&mut self) -> Option<()> {
        let mut open: SmallVec<[Container; 32]> = SmallVec::new();
        loop {
            self.space();
            match self.bytes.get(self.at)? {
                byte @ (b'[' | b'{') => {
                    if open.len() == MAX_DEPTH {
                        return None;
                    }
                    self.at += 1;
                    let container = Container { id: self.nodes.len() as Id, array: *byte == b'[' };
                    self.nodes.push(if container.array {
                        Node::Array { end: 0 }
                    } else {
                        Node::Object { end: 0 }
                    });
                    open.push(container);
                    self.space();
                    let empty = self.bytes.get(self.at) == Some(&(byte + 2));
                    match (empty, container.array) {
                        (true, _) => {}
                        (false, true) => continue,
                        (false, false) => {
                            self.key()?;
                            continue;
                        }
                    }
                }
                byte => self.scalar(*byte)?,
            }
            // Behind a value: what it stood in goes on, or ends, and with it perhaps what that stood in.
            loop {
                self.space();
                let Some(container) = open.last() else { return (self.at == self.bytes.len()).then_some(()) };
                let byte = *self.bytes.get(self.at)?;
                self.at += 1;
                match (byte, container.array) {
                    (b',', true) => break,
                    (b',', false) => {
                        self.space();
                        self.key()?;
                        break;
                    }
                    (b']', true) | (b'}', false) => {
                        self.close(container.id);
                        open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        self.string()?;
        self.space();
        self.at += 1;
        (self.bytes.get(self.at - 1) == Some(&b':')).then_some(())
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

    #[inline]
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

    /// Goes over everything that stands for itself: eight bytes at a time, and many where a text is long.
    fn skip_clean(&mut self) {
        const BLOCK: usize = 32;
        let mut words = 0;
        while let Some(word) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let clean = clean_bytes(u64::from_le_bytes(*word));
            self.at += clean;
            words += 1;
            if clean < 8 {
                return;
            }
            if words == 2 {
                let (blocks, _) = self.bytes.get(self.at..).unwrap_or_default().as_chunks::<BLOCK>();
                let is_clean =
                    |block: &[u8; BLOCK]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
                self.at += BLOCK * blocks.iter().take_while(|block| is_clean(block)).count();
            }
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
pub(super) const fn is_special(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'&')
        | (byte == 0xE2)
}

/// How many bytes before the first special one, of eight; the first byte is the lowest of the word.
///
/// A byte is found by a borrow out of it, which may show bytes above that are none: only the lowest is certain.
fn clean_bytes(word: u64) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    // Each of the first two lines finds two characters, which differ in the bit that is set: `"` and `&`, `<` and `>`.
    let found = equal(word | (ONES * 0x04), b'&')
        | equal(word | (ONES * 0x02), b'>')
        | equal(word, b'\\')
        | equal(word, 0xE2)
        | below(word, 0x20);
    (found & (ONES * 0x80)).trailing_zeros() as usize / 8
}

/// What a well-formed JSON string stands for. Half a surrogate pair stands for U+FFFD, as in the original.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let (char, length) = match escape.as_bytes().get(1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => unicode(escape),
            other => (other.map_or(char::REPLACEMENT_CHARACTER, |byte| char::from(*byte)), 2),
        };
        out.push(char);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of `\uXXXX` or, for a pair, `\uXXXX\uXXXX`, and how many bytes it takes.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| {
        let hex = escape.get(from..from + 4)?;
        u32::from_str_radix(hex, 16).ok()
    };
    let first = unit(2).unwrap_or(0xFFFD);
    if let 0xD800..0xDC00 = first
        && escape.get(6..8) == Some("\\u")
        && let Some(second @ 0xDC00..0xE000) = unit(8)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}
