//! XML, with libxml2's escapes and layout (xmlsave.c).

use super::{Out, declarations, doctype, xhtml};
use crate::{
    Failure,
    style::Output,
    tree::{Id, Kind, Name, Tree},
};

pub fn document(tree: &Tree, output: &Output, mut out: Out<'_>) -> Result<String, Failure> {
    let text = &mut out.text;
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
    let (indent, xhtml) = (output.indent == Some(true), xhtml::is_wanted(output));
    let mut writer = Writer { tree, output, out, indent, xhtml };
    let kind = doctype(tree, output, false).unwrap_or_default();
    writer.out.text.push_str(if lines { &kind } else { kind.trim_end() });
    for id in tree.children(0) {
        let kind = tree.get(id).kind;
        writer.node(id, 0, writer.indent);
        if lines && kind == Kind::Comment && tree.next(id).is_some() {
            writer.out.text.push('\n');
        }
    }
    if lines && tree.first(0).is_some() {
        writer.out.text.push('\n');
    }
    writer.out.done()
}

struct Writer<'t, 'c> {
    tree: &'t Tree,
    output: &'t Output,
    out: Out<'c>,
    indent: bool,
    xhtml: bool,
}

impl Writer<'_, '_> {
    fn node(&mut self, id: Id, level: usize, laid_out: bool) {
        if !self.out.goes_on() {
            return;
        }
        let data = self.tree.get(id);
        let name = || data.name.as_ref().map(Name::qualified).unwrap_or_default();
        match data.kind {
            Kind::Element => {
                stacker::maybe_grow(64 << 10, 1 << 20, || self.element(id, &name(), level, laid_out))
            }
            Kind::Text => self.content(id, &data.value),
            Kind::Raw => self.out.text.push_str(&data.value),
            Kind::Comment => self.out.text.push_str(&format!("<!--{}-->", data.value)),
            Kind::Instruction => {
                let space = if data.value.is_empty() { "" } else { " " };
                self.out.text.push_str(&format!("<?{}{space}{}?>", name(), data.value));
            }
            Kind::Root | Kind::Attribute => {}
        }
    }

    fn element(&mut self, id: Id, name: &str, level: usize, laid_out: bool) {
        let tree = self.tree;
        self.out.text.push('<');
        self.out.text.push_str(name);
        declarations(&mut self.out, tree, id);
        if self.xhtml {
            xhtml::declaration(&mut self.out, tree, id);
        }
        let encoded = self.output.encoding.is_some();
        for data in tree.get(id).attributes.iter().map(|id| tree.get(*id)) {
            let Some(name) = &data.name else { continue };
            let flag = if self.xhtml { xhtml::flag(name, &data.value) } else { None };
            self.out.text.push_str(&format!(" {}=\"", name.qualified()));
            attribute(&mut self.out, flag.as_ref().unwrap_or(&data.value), encoded);
            self.out.text.push('"');
        }
        let mut meta = None;
        if self.xhtml {
            xhtml::twins(&mut self.out, tree, id, encoded);
            meta = xhtml::meta(tree, id, self.output);
        }
        if let Some(meta) = &meta {
            self.out.text.push('>');
            if laid_out {
                self.line(level + 1);
            }
            self.out.text.push_str(meta);
            if laid_out && tree.first(id).is_none() {
                self.out.text.push('\n');
            }
        }
        if tree.first(id).is_none() {
            let end = match (self.xhtml, &meta) {
                (_, Some(_)) => format!("</{name}>"),
                (true, None) if xhtml::is_empty(tree, id) => " />".to_owned(),
                (true, None) => format!("></{name}>"),
                (false, None) => "/>".to_owned(),
            };
            self.out.text.push_str(&end);
            return;
        }
        if meta.is_none() {
            self.out.text.push('>');
        }
        // An element that holds text is left as it is, with all that is in it.
        let holds_text = tree.children(id).any(|id| matches!(tree.get(id).kind, Kind::Text | Kind::Raw));
        let laid_out = laid_out && !holds_text;
        for child in tree.children(id) {
            if laid_out {
                // In XHTML, elements alone are moved in.
                let moved = !self.xhtml || tree.get(child).kind == Kind::Element;
                self.line(if moved { level + 1 } else { 0 });
            }
            self.node(child, level + 1, laid_out);
        }
        if laid_out {
            self.line(level);
        }
        self.out.text.push_str("</");
        self.out.text.push_str(name);
        self.out.text.push('>');
    }

    fn line(&mut self, level: usize) {
        self.out.text.push('\n');
        // libxml2 indents no further than 60 columns.
        self.out.text.extend(std::iter::repeat_n("  ", level.min(30)));
    }

    fn content(&mut self, id: Id, value: &str) {
        let parent = self.tree.parent(id).and_then(|parent| self.tree.get(parent).name.as_ref());
        if parent.is_some_and(|name| self.output.cdata.contains(name)) {
            self.out.text.push_str("<![CDATA[");
            self.out.text.push_str(&value.replace("]]>", "]]]]><![CDATA[>"));
            self.out.text.push_str("]]>");
            return;
        }
        self.out.escaped(value, |c| match c {
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '&' => Some("&amp;"),
            '\r' => Some("&#13;"),
            _ => None,
        });
    }
}

/// The value of an attribute. As in libxml2, where no encoding is given, what is beyond ASCII is written by its number, here
/// alone and in hexadecimal.
pub fn attribute(out: &mut Out<'_>, value: &str, encoded: bool) {
    if !encoded && !value.is_ascii() {
        let mut rest = value;
        while let Some(c) = rest.chars().next() {
            let plain = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
            attribute(out, &rest[..plain], true);
            rest = &rest[plain..];
            if plain == 0 {
                out.text.push_str(&format!("&#x{:X};", u32::from(c)));
                rest = &rest[c.len_utf8()..];
            }
        }
        return;
    }
    address(out, value);
}

/// The same for the address of a namespace, where that is not so.
pub fn address(out: &mut Out<'_>, value: &str) {
    out.escaped(value, |c| match c {
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '&' => Some("&amp;"),
        '"' => Some("&quot;"),
        '\n' => Some("&#10;"),
        '\t' => Some("&#9;"),
        '\r' => Some("&#13;"),
        _ => None,
    });
}
