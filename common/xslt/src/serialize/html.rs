//! HTML, laid out as libxml2 does (HTMLtree.c).

use super::{Out, declarations, doctype};
use crate::{
    Failure,
    style::Output,
    tree::{Id, Kind, Name, Tree},
};

/// Elements that have no end.
const EMPTY: [&str; 13] = [
    "area", "base", "basefont", "br", "col", "frame", "hr", "img", "input", "isindex", "link", "meta",
    "param",
];
/// Elements around which no line ends.
const INLINE: [&str; 39] = [
    "a", "abbr", "acronym", "applet", "b", "basefont", "bdo", "big", "br", "button", "cite", "code", "del",
    "dfn", "em", "embed", "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "map", "object", "q",
    "s", "samp", "script", "select", "small", "span", "strike", "strong", "sub", "sup", "textarea", "tt",
];
/// Other elements that HTML 4 knows.
const BLOCK: [&str; 53] = [
    "address",
    "area",
    "base",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "isindex",
    "legend",
    "li",
    "link",
    "menu",
    "meta",
    "noframes",
    "noscript",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "pre",
    "style",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "center",
    "dir",
];
/// Attributes that are there or not.
const FLAGS: [&str; 13] = [
    "checked", "compact", "declare", "defer", "disabled", "ismap", "multiple", "nohref", "noresize",
    "noshade", "nowrap", "readonly", "selected",
];

pub fn document(tree: &Tree, output: &Output, out: Out<'_>) -> Result<String, Failure> {
    let laid_out = output.indent != Some(false);
    let mut writer = Writer { tree, output, out, laid_out };
    writer.out.text.push_str(&doctype(tree, output, true).unwrap_or_default());
    for id in tree.children(0) {
        writer.node(id);
    }
    writer.out.text.push('\n');
    writer.out.done()
}

struct Writer<'t, 'c> {
    tree: &'t Tree,
    output: &'t Output,
    out: Out<'c>,
    laid_out: bool,
}

/// The name of an element of HTML, in lower case.
fn tag(tree: &Tree, id: Id) -> Option<String> {
    let data = tree.get(id);
    let name = data.name.as_ref().filter(|name| data.kind == Kind::Element && name.uri.is_empty())?;
    Some(name.local.to_ascii_lowercase())
}

fn is_text(tree: &Tree, id: Option<Id>) -> bool {
    id.is_some_and(|id| matches!(tree.get(id).kind, Kind::Text | Kind::Raw))
}

impl Writer<'_, '_> {
    fn node(&mut self, id: Id) {
        if !self.out.goes_on() {
            return;
        }
        let data = self.tree.get(id);
        match data.kind {
            Kind::Element => stacker::maybe_grow(64 << 10, 1 << 20, || self.element(id)),
            Kind::Text => {
                let parent = self.tree.parent(id).and_then(|parent| tag(self.tree, parent));
                if matches!(parent.as_deref(), Some("script" | "style")) {
                    self.out.text.push_str(&data.value);
                } else {
                    self.escaped(&data.value, false);
                }
            }
            Kind::Raw => self.out.text.push_str(&data.value),
            Kind::Comment => self.out.text.push_str(&format!("<!--{}-->", data.value)),
            Kind::Instruction => {
                let name = data.name.as_ref().map(Name::qualified).unwrap_or_default();
                let space = if data.value.is_empty() { "" } else { " " };
                self.out.text.push_str(&format!("<?{name}{space}{}>", data.value));
            }
            Kind::Root | Kind::Attribute => {}
        }
    }

    fn escaped(&mut self, value: &str, quotes: bool) {
        self.out.escaped(value, |c| match c {
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '&' => Some("&amp;"),
            '"' if quotes => Some("&quot;"),
            _ => None,
        });
    }

    fn element(&mut self, id: Id) {
        let tree = self.tree;
        let written = tree.get(id).name.as_ref().map(Name::qualified).unwrap_or_default();
        let tag = tag(tree, id).unwrap_or_default();
        let tag = tag.as_str();
        self.out.text.push('<');
        self.out.text.push_str(&written);
        declarations(&mut self.out, tree, id);
        for attribute in &tree.get(id).attributes {
            self.attribute(*attribute, tag);
        }
        self.out.text.push('>');
        let is_block = BLOCK.contains(&tag);
        let is_known = is_block || INLINE.contains(&tag);
        if EMPTY.contains(&tag) {
            self.line_after(id, is_block);
            return;
        }
        let meta = (tag == "head").then(|| self.meta(id)).flatten();
        if tree.first(id).is_none() && meta.is_none() {
            if tag != "li" || !is_known {
                self.out.text.push_str(&format!("</{written}>"));
            }
            self.line_after(id, is_block);
            return;
        }
        let several = tree.first(id) != tree.last(id) || (meta.is_some() && tree.first(id).is_some());
        let lines = self.laid_out && is_block && several && !written.starts_with('p');
        if lines && (meta.is_some() || !is_text(tree, tree.first(id))) {
            self.out.text.push('\n');
        }
        if let Some(meta) = meta {
            self.out.text.push_str(&meta);
            if self.laid_out && tree.first(id).is_some() && !is_text(tree, tree.first(id)) {
                self.out.text.push('\n');
            }
        }
        for child in tree.children(id) {
            self.node(child);
        }
        if lines && !is_text(tree, tree.last(id)) {
            self.out.text.push('\n');
        }
        self.out.text.push_str(&format!("</{written}>"));
        self.line_after(id, is_block);
    }

    fn line_after(&mut self, id: Id, is_block: bool) {
        let tree = self.tree;
        let next = tree.next(id);
        let parent = tree.parent(id).and_then(|parent| tree.get(parent).name.as_ref());
        let in_paragraph = parent.is_none_or(|name| name.local.starts_with('p'));
        if self.laid_out && is_block && next.is_some() && !is_text(tree, next) && !in_paragraph {
            self.out.text.push('\n');
        }
    }

    fn encoding(&self) -> &str {
        self.output.encoding.as_deref().unwrap_or("UTF-8")
    }

    fn says_encoding(&self, id: Id) -> bool {
        let kind = self.tree.attribute(id, "", "http-equiv");
        tag(self.tree, id).as_deref() == Some("meta")
            && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("content-type"))
    }

    /// What says the encoding, in a head that does not say it.
    fn meta(&self, head: Id) -> Option<String> {
        let known = self.tree.children(head).any(|id| self.says_encoding(id));
        let encoding = self.encoding();
        (!known)
            .then(|| format!("<meta http-equiv=\"Content-Type\" content=\"text/html; charset={encoding}\">"))
    }

    fn attribute(&mut self, id: Id, element: &str) {
        let data = self.tree.get(id);
        let Some(name) = &data.name else { return };
        self.out.text.push(' ');
        self.out.text.push_str(&name.qualified());
        let plain = name.local.to_ascii_lowercase();
        if name.uri.is_empty() && FLAGS.contains(&plain.as_str()) {
            return;
        }
        self.out.text.push_str("=\"");
        let owner = self.tree.parent(id).unwrap_or_default();
        let in_head = || {
            let parent = self.tree.parent(owner).and_then(|parent| tag(self.tree, parent));
            parent.as_deref() == Some("head")
        };
        if plain == "content" && name.uri.is_empty() && self.says_encoding(owner) && in_head() {
            // Whatever it was, this is the encoding now.
            let encoding = self.encoding().to_owned();
            self.out.text.push_str(&format!("text/html; charset={encoding}\""));
            return;
        }
        let is_address =
            matches!(plain.as_str(), "href" | "action" | "src") || (plain == "name" && element == "a");
        if is_address && name.uri.is_empty() {
            let escaped = address(data.value.trim_start());
            self.escaped(&escaped, true);
        } else {
            self.escaped(&data.value, true);
        }
        self.out.text.push('"');
    }
}

/// What an address cannot hold is escaped in it.
fn address(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()@/:=?;#%&,+".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
