//! From a tree to text (XSLT 1.0, section 16), laid out as libxml2 does.

mod html;
mod xhtml;
mod xml;

use crate::{
    Failure,
    budget::Clock,
    style::Output,
    tree::{Id, Kind, Tree},
    value::is_space,
};

/// Writes a result.
pub fn serialize(tree: &Tree, output: &Output, clock: &mut Clock) -> Result<Vec<u8>, Failure> {
    if tree.first(0).is_none() {
        return Ok(Vec::new());
    }
    let encoding = Encoding::of(output.encoding.as_deref());
    let out = Out { text: String::new(), clock, failed: None };
    let text = match output.method.as_deref() {
        Some("text") => {
            let text = tree.text_within(0, out.clock.rest());
            text.ok_or_else(|| Failure::limit("it makes too much"))?.0
        }
        Some("html") => html::document(tree, output, out)?,
        None if is_html(tree) => html::document(tree, output, out)?,
        _ => xml::document(tree, output, out)?,
    };
    Ok(encoding.bytes(text))
}

/// What was written.
pub struct Out<'c> {
    pub text: String,
    clock: &'c mut Clock,
    failed: Option<Failure>,
}

impl Out<'_> {
    /// Whether a node can still be written: there is room and time.
    fn goes_on(&mut self) -> bool {
        if self.failed.is_none() {
            let done = self.clock.step().and_then(|()| self.clock.room(self.text.len()));
            self.failed = done.err();
        }
        self.failed.is_none()
    }

    /// A text with its escapes.
    fn escaped(&mut self, value: &str, escape: impl Fn(char) -> Option<&'static str>) {
        let mut rest = value;
        while let Some((at, c, escaped)) =
            rest.char_indices().find_map(|(at, c)| escape(c).map(|escaped| (at, c, escaped)))
        {
            self.text.push_str(&rest[..at]);
            self.text.push_str(escaped);
            rest = &rest[at + c.len_utf8()..];
            // Each letter may become six.
            if self.text.len() > self.clock.rest() {
                return;
            }
        }
        self.text.push_str(rest);
    }

    fn done(self) -> Result<String, Failure> {
        match self.failed {
            Some(failure) => Err(failure),
            None => self.clock.room(self.text.len()).map(|()| self.text),
        }
    }
}

/// Without a method, what begins with `html` is HTML.
fn is_html(tree: &Tree) -> bool {
    for id in tree.children(0) {
        let data = tree.get(id);
        match data.kind {
            Kind::Element => {
                let name = data.name.as_ref();
                return name
                    .is_some_and(|name| name.uri.is_empty() && name.local.eq_ignore_ascii_case("html"));
            }
            Kind::Text | Kind::Raw if !data.value.chars().all(is_space) => return false,
            _ => {}
        }
    }
    false
}

/// What a result can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Unicode,
    Latin1,
    Ascii,
}

impl Encoding {
    fn of(name: Option<&str>) -> Self {
        match name.map(str::to_ascii_lowercase).as_deref() {
            Some("iso-8859-1") => Self::Latin1,
            Some("us-ascii" | "ascii") => Self::Ascii,
            _ => Self::Unicode,
        }
    }

    fn holds(self, c: char) -> bool {
        match self {
            Self::Unicode => true,
            Self::Latin1 => u32::from(c) < 0x100,
            Self::Ascii => c.is_ascii(),
        }
    }

    /// The bytes of a text; what the encoding does not have is written by its number, as in libxml2.
    fn bytes(self, text: String) -> Vec<u8> {
        if self == Self::Unicode || text.is_ascii() {
            return text.into_bytes();
        }
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            match u8::try_from(u32::from(c)) {
                Ok(byte) if self.holds(c) => bytes.push(byte),
                _ => bytes.extend_from_slice(format!("&#{};", u32::from(c)).as_bytes()),
            }
        }
        bytes
    }
}

/// The document type declaration, if the output has one, and an element.
fn doctype(tree: &Tree, output: &Output, is_html: bool) -> Option<String> {
    let mut elements = tree
        .children(0)
        .filter_map(|id| tree.get(id).name.as_ref().filter(|_| tree.get(id).kind == Kind::Element));
    let name = elements.next().map(|name| if is_html { "html" } else { &*name.local })?;
    match (&output.public, &output.system) {
        (Some(public), Some(system)) => Some(format!("<!DOCTYPE {name} PUBLIC \"{public}\" \"{system}\">\n")),
        // HTML can do with the name alone.
        (Some(public), None) if is_html => Some(format!("<!DOCTYPE {name} PUBLIC \"{public}\">\n")),
        (None, None) if is_html && output.version.as_deref() == Some("5") => {
            Some("<!DOCTYPE html>\n".to_owned())
        }
        (None, Some(system)) => Some(format!("<!DOCTYPE {name} SYSTEM \"{system}\">\n")),
        _ => None,
    }
}

/// The namespaces that an element declares.
fn declarations(out: &mut Out<'_>, tree: &Tree, id: Id) {
    for (prefix, uri) in &tree.get(id).namespaces {
        out.text.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        out.text.push_str(prefix);
        out.text.push_str("=\"");
        xml::address(out, uri);
        out.text.push('"');
    }
}
