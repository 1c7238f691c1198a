//! Writes JSON as the original did: keys in alphabetical order, no white space, `<`, `>` and `&` escaped.

use smallvec::SmallVec;

use super::{Form, Id, Member, Node, Span, Tree, read::is_special};

/// A container that is being written.
struct Frame {
    kind: Kind,
    /// Whether nothing of it has been written yet.
    first: bool,
}

enum Kind {
    /// As it was read: what comes next, and where it ends.
    Array(Id, Id),
    /// Which list, and which element comes next.
    List(u32, usize),
    /// Among the members collected: where its own begin, which one comes next.
    Object(usize, usize),
}

impl Tree<'_> {
    /// Appends a value as JSON. False when there would be more than `limit` bytes: then it ends anywhere.
    pub(crate) fn write(&self, value: Id, out: &mut Vec<u8>, limit: usize) -> bool {
        let mut frames: SmallVec<[Frame; 16]> = SmallVec::new();
        // Those of all objects that are being written.
        let mut members: Vec<Member> = Vec::with_capacity(32);
        let mut value = Some(value);
        loop {
            if let Some(kind) = value.take().and_then(|id| self.begin(id, out, &mut members)) {
                frames.push(Frame { kind, first: true });
            }
            if out.len() > limit {
                return false;
            }
            let Some(frame) = frames.last_mut() else { return true };
            let next = match &mut frame.kind {
                Kind::Array(next, end) => (*next < *end).then(|| {
                    let element = *next;
                    *next = self.after(element);
                    (None, element)
                }),
                Kind::List(list, next) => {
                    let element = self.lists.get(*list as usize).and_then(|list| list.get(*next));
                    *next += 1;
                    element.map(|element| (None, *element))
                }
                Kind::Object(_, next) => {
                    let member = members.get(*next);
                    *next += 1;
                    member.map(|member| (Some(member.key), member.value))
                }
            };
            if let Some((key, id)) = next {
                if !frame.first {
                    out.push(b',');
                }
                frame.first = false;
                if let Some(key) = key {
                    self.scalar(key, out);
                    out.push(b':');
                }
                value = Some(id);
                continue;
            }
            if let Kind::Object(from, _) = frame.kind {
                members.truncate(from);
                out.push(b'}');
            } else {
                out.push(b']');
            }
            frames.pop();
        }
    }

    /// Writes a scalar, or the beginning of a container.
    fn begin(&self, id: Id, out: &mut Vec<u8>, members: &mut Vec<Member>) -> Option<Kind> {
        match self.node(id) {
            Node::Array { end } => {
                out.push(b'[');
                Some(Kind::Array(id + 1, end))
            }
            Node::List(list) => {
                out.push(b'[');
                Some(Kind::List(list, 0))
            }
            Node::Object { .. } | Node::Map(_) => {
                out.push(b'{');
                let from = members.len();
                self.members_into(id, members);
                Some(Kind::Object(from, from))
            }
            _ => {
                self.scalar(id, out);
                None
            }
        }
    }

    fn scalar(&self, id: Id, out: &mut Vec<u8>) {
        match self.node(id) {
            Node::Bool(true) => out.extend_from_slice(b"true"),
            Node::Bool(false) => out.extend_from_slice(b"false"),
            Node::Number(span) => out.extend_from_slice(self.bytes(span)),
            // It was read, so that its quotation marks stand beside it.
            Node::String(Span { text, start, end }, Form::Clean) => {
                out.extend_from_slice(self.bytes(Span {
                    text,
                    start: start.saturating_sub(1),
                    end: end + 1,
                }));
            }
            Node::String(..) => {
                out.push(b'"');
                escape(&self.string(id).unwrap_or_default(), out);
                out.push(b'"');
            }
            _ => out.extend_from_slice(b"null"),
        }
    }
}

/// Appends a text with everything escaped that Go's encoder escapes.
fn escape(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| is_special(**byte)) {
        let separator = |last| bytes.get(at + 1..at + 3) == Some(&[0x80, last]);
        let (escaped, length): (&[u8], _) = match byte {
            b'"' => (b"\\\"", 1),
            b'\\' => (b"\\\\", 1),
            b'\n' => (b"\\n", 1),
            b'\r' => (b"\\r", 1),
            b'\t' => (b"\\t", 1),
            0xE2 if separator(0xA8) => (b"\\u2028", 3),
            0xE2 if separator(0xA9) => (b"\\u2029", 3),
            0xE2 => continue,
            _ => (b"\\u00", 1),
        };
        out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        out.extend_from_slice(escaped);
        if escaped == b"\\u00" {
            out.extend([usize::from(byte >> 4), usize::from(byte & 15)].map(|digit| HEX[digit]));
        }
        done = at + length;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}
