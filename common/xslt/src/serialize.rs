//! From a tree to text (XSLT 1.0, section 16), laid out as libxml2 does.

mod html;
mod xml;

use crate::{
    style::Output,
    tree::{Id, Kind, Tree},
    value::is_space,
};

/// Writes a result.
pub fn serialize(tree: &Tree, output: &Output) -> Vec<u8> {
    if tree.first(0).is_none() {
        return Vec::new();
    }
    let encoding = Encoding::of(output.encoding.as_deref());
    let text = match output.method.as_deref() {
        Some("text") => tree.text(0),
        Some("html") => html::document(tree, output, encoding),
        None if is_html(tree) => html::document(tree, output, encoding),
        _ => xml::document(tree, output, encoding),
    };
    encoding.bytes(&text)
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

    pub fn holds(self, c: char) -> bool {
        match self {
            Self::Unicode => true,
            Self::Latin1 => u32::from(c) < 0x100,
            Self::Ascii => c.is_ascii(),
        }
    }

    fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            _ => text.as_bytes().to_vec(),
        }
    }
}

/// Appends a letter, by its number where the encoding does not have it.
fn push(text: &mut String, c: char, encoding: Encoding) {
    if encoding.holds(c) {
        text.push(c);
    } else {
        text.push_str(&format!("&#{};", u32::from(c)));
    }
}

/// The document type declaration before the first element, if the output has one.
fn doctype(tree: &Tree, id: Id, output: &Output, is_html: bool) -> Option<String> {
    let name = tree.get(id).name.as_ref()?.qualified();
    match (&output.public, &output.system) {
        (Some(public), Some(system)) => Some(format!("<!DOCTYPE {name} PUBLIC \"{public}\" \"{system}\">\n")),
        // HTML can do with the name alone.
        (Some(public), None) if is_html => Some(format!("<!DOCTYPE {name} PUBLIC \"{public}\">\n")),
        (None, Some(system)) => Some(format!("<!DOCTYPE {name} SYSTEM \"{system}\">\n")),
        _ => None,
    }
}

/// The namespaces that an element declares.
fn declarations(text: &mut String, tree: &Tree, id: Id, encoding: Encoding) {
    for (prefix, uri) in &tree.get(id).namespaces {
        text.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        text.push_str(prefix);
        text.push_str("=\"");
        xml::attribute(text, uri, encoding);
        text.push('"');
    }
}
