//! What libxml2 writes otherwise where the document type is one of XHTML 1.0 (xmlsave.c, after appendix C of XHTML 1.0).

use super::{Out, xml};
use crate::{
    style::Output,
    tree::{Id, Kind, Name, Tree},
};

const XHTML: &str = "http://www.w3.org/1999/xhtml";
const TYPES: [(&str, &str); 3] =
    [("Strict", "strict"), ("Transitional", "transitional"), ("Frameset", "frameset")];
/// Elements that have no end.
const EMPTY: [&str; 12] =
    ["area", "base", "basefont", "br", "col", "frame", "hr", "img", "input", "isindex", "link", "meta"];
/// Elements whose name is their id as well.
const NAMED: [&str; 9] = ["a", "applet", "div", "form", "frame", "iframe", "img", "map", "p"];
/// Attributes that are there or not.
const FLAGS: [&str; 13] = [
    "checked", "compact", "declare", "defer", "disabled", "ismap", "multiple", "nohref", "noresize",
    "noshade", "nowrap", "readonly", "selected",
];

/// Whether the document type is one of XHTML.
pub fn is_wanted(output: &Output) -> bool {
    TYPES.iter().any(|(name, file)| {
        let public = format!("-//W3C//DTD XHTML 1.0 {name}//EN");
        let system = format!("http://www.w3.org/TR/xhtml1/DTD/xhtml1-{file}.dtd");
        output.public.as_ref() == Some(&public) || output.system.as_ref() == Some(&system)
    })
}

fn local(tree: &Tree, id: Id) -> &str {
    tree.get(id).name.as_ref().map_or("", |name| &name.local)
}

/// Whether an element without children ends at once.
pub fn is_empty(tree: &Tree, id: Id) -> bool {
    let Some(name) = &tree.get(id).name else { return false };
    let is_known = name.uri.is_empty() || &*name.uri == XHTML;
    is_known && name.prefix.is_empty() && (EMPTY.contains(&&*name.local) || &*name.local == "param")
}

/// The namespace that the first element has, whether it says so or not.
pub fn declaration(out: &mut Out<'_>, tree: &Tree, id: Id) {
    let data = tree.get(id);
    let is_plain = data.name.as_ref().is_some_and(|name| name.is("", "html"));
    if is_plain && data.namespaces.is_empty() {
        out.text.push_str(&format!(" xmlns=\"{XHTML}\""));
    }
}

/// What a flag says that says nothing.
pub fn flag(name: &Name, value: &str) -> Option<String> {
    let is_flag = value.is_empty() && name.uri.is_empty() && FLAGS.contains(&&*name.local);
    is_flag.then(|| name.local.to_string())
}

/// Attributes that say the same by another name.
pub fn twins(out: &mut Out<'_>, tree: &Tree, id: Id, encoded: bool) {
    let (name, has_id) = (tree.attribute(id, "", "name"), tree.attribute(id, "", "id").is_some());
    let lang = (tree.attribute(id, "", "lang"), tree.attribute(id, crate::tree::XML, "lang"));
    let mut add = |name: &str, value: &str| {
        out.text.push_str(&format!(" {name}=\""));
        xml::attribute(out, value, encoded);
        out.text.push('"');
    };
    if let Some(name) = name.filter(|_| !has_id && NAMED.contains(&local(tree, id))) {
        add("id", name);
    }
    match lang {
        (Some(lang), None) => add("xml:lang", lang),
        (None, Some(lang)) => add("lang", lang),
        _ => {}
    }
}

/// What says the encoding, in a head that does not say it.
pub fn meta(tree: &Tree, id: Id, output: &Output) -> Option<String> {
    let parent = tree.parent(id).filter(|parent| tree.parent(*parent) == Some(0))?;
    let says = |id: Id| {
        let kind = tree.attribute(id, "", "http-equiv");
        tree.get(id).kind == Kind::Element
            && local(tree, id) == "meta"
            && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("content-type"))
    };
    let is_head = local(tree, id) == "head" && local(tree, parent) == "html";
    let encoding = output.encoding.as_deref().unwrap_or("UTF-8");
    (is_head && !tree.children(id).any(says))
        .then(|| format!("<meta http-equiv=\"Content-Type\" content=\"text/html; charset={encoding}\" />"))
}
