//! XML, with libxml2's escapes and layout (xmlsave.c).

use super::{Encoding, declarations, doctype, push};
use crate::{
    style::Output,
    tree::{Id, Kind, Name, Tree},
};

pub fn document(tree: &Tree, output: &Output, encoding: Encoding) -> String {
    let mut text = String::new();
    if !output.omit_declaration.unwrap_or(false) {
        text.push_str("<?xml version=\"");
        text.push_str(output.version.as_deref().unwrap_or("1.0"));
        text.push('"');
        if let Some(encoding) = &output.encoding {
            text.push_str(&format!(" encoding=\"{encoding}\""));
        }
        if let Some(standalone) = output.standalone {
            text.push_str(if standalone { " standalone=\"yes\"" } else { " standalone=\"no\"" });
        }
        text.push_str("?>\n");
    }
    let lines = output.indent != Some(false);
    let mut writer = Writer { tree, output, encoding, text, indent: output.indent == Some(true) };
    let mut has_type = false;
    for id in tree.children(0) {
        let kind = tree.get(id).kind;
        if kind == Kind::Element && !has_type {
            has_type = true;
            writer.text.push_str(&doctype(tree, id, output, false).unwrap_or_default());
        }
        writer.node(id, 0, writer.indent);
        if lines && kind == Kind::Comment && tree.next(id).is_some() {
            writer.text.push('\n');
        }
    }
    if lines && tree.first(0).is_some() {
        writer.text.push('\n');
    }
    writer.text
}

struct Writer<'t> {
    tree: &'t Tree,
    output: &'t Output,
    encoding: Encoding,
    text: String,
    indent: bool,
}

impl Writer<'_> {
    fn node(&mut self, id: Id, level: usize, laid_out: bool) {
        let data = self.tree.get(id);
        let name = || data.name.as_ref().map(Name::qualified).unwrap_or_default();
        match data.kind {
            Kind::Element => {
                stacker::maybe_grow(64 << 10, 1 << 20, || self.element(id, &name(), level, laid_out))
            }
            Kind::Text => self.content(id, &data.value),
            Kind::Raw => self.text.push_str(&data.value),
            Kind::Comment => self.text.push_str(&format!("<!--{}-->", data.value)),
            Kind::Instruction => {
                let space = if data.value.is_empty() { "" } else { " " };
                self.text.push_str(&format!("<?{}{space}{}?>", name(), data.value));
            }
            Kind::Root | Kind::Attribute => {}
        }
    }

    fn element(&mut self, id: Id, name: &str, level: usize, laid_out: bool) {
        let tree = self.tree;
        self.text.push('<');
        self.text.push_str(name);
        declarations(&mut self.text, tree, id, self.encoding);
        for attribute in &tree.get(id).attributes {
            let data = tree.get(*attribute);
            let name = data.name.as_ref().map(Name::qualified).unwrap_or_default();
            self.text.push_str(&format!(" {name}=\""));
            self::attribute(&mut self.text, &data.value, self.encoding);
            self.text.push('"');
        }
        if tree.first(id).is_none() {
            self.text.push_str("/>");
            return;
        }
        // An element that holds text is left as it is, with all that is in it.
        let holds_text = tree.children(id).any(|id| matches!(tree.get(id).kind, Kind::Text | Kind::Raw));
        let laid_out = laid_out && !holds_text;
        self.text.push('>');
        for child in tree.children(id) {
            if laid_out {
                self.line(level + 1);
            }
            self.node(child, level + 1, laid_out);
        }
        if laid_out {
            self.line(level);
        }
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn line(&mut self, level: usize) {
        self.text.push('\n');
        // libxml2 indents no further than 60 columns.
        self.text.extend(std::iter::repeat_n("  ", level.min(30)));
    }

    fn content(&mut self, id: Id, value: &str) {
        let parent = self.tree.parent(id).and_then(|parent| self.tree.get(parent).name.as_ref());
        if parent.is_some_and(|name| self.output.cdata.contains(name)) {
            self.text.push_str("<![CDATA[");
            self.text.push_str(&value.replace("]]>", "]]]]><![CDATA[>"));
            self.text.push_str("]]>");
            return;
        }
        for c in value.chars() {
            match c {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                '\r' => self.text.push_str("&#13;"),
                c => push(&mut self.text, c, self.encoding),
            }
        }
    }
}

/// The value of an attribute.
pub fn attribute(text: &mut String, value: &str, encoding: Encoding) {
    for c in value.chars() {
        match c {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            '\n' => text.push_str("&#10;"),
            '\t' => text.push_str("&#9;"),
            '\r' => text.push_str("&#13;"),
            c => push(text, c, encoding),
        }
    }
}
