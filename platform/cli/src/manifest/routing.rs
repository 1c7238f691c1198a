//! Has the languages of filters and splitters look at what they are given, so that what passes here is what the adapters take.

use std::collections::BTreeMap;

use ::routing::{
    Expression, Mistake, Splitter,
    splitter::{Problem, Spec},
};

use super::mistake::Mistakes;
use super::node::Node;

/// The adapter whose condition is an expression.
pub const FILTER: &str = "filter";
/// The adapter whose elements stand at a path.
pub const SPLITTER: &str = "splitter";

/// Adds the mistakes in the `spec` of one of these adapters; those of any other are none of its business.
pub fn check(adapter: &str, spec: &Node, mistakes: &mut Mistakes) {
    match adapter {
        FILTER => {
            if let Some(node) = spec.get("expression")
                && let Some(text) = node.text()
            {
                for mistake in Expression::new(text).err().unwrap_or_default() {
                    add(node, "expression", &mistake, mistakes);
                }
            }
        }
        SPLITTER => splitter(spec, mistakes),
        _ => {}
    }
}

fn splitter(spec: &Node, mistakes: &mut Mistakes) {
    let text = |path: &str| spec.path(path).and_then(Node::scalar);
    // What is missing or no text is told by others.
    let given = text("ceContext.extensions").is_none().then(|| spec.path("ceContext.extensions")).flatten();
    let extensions: BTreeMap<String, String> = given
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|(key, value)| match value.text() {
            Some(text) => Some((key.text.clone(), text.to_owned())),
            None => {
                let path = format!("spec.ceContext.extensions.{}", key.text);
                mistakes.add(value.at, format!("'{path}' must be a string, not {}", value.noun()));
                None
            }
        })
        .collect();
    let (path, event_type, source) = (text("path"), text("ceContext.type"), text("ceContext.source"));
    let made = Splitter::new(&Spec {
        path: path.as_deref().unwrap_or_default(),
        event_type: event_type.as_deref().unwrap_or("type"),
        source: source.as_deref().unwrap_or("source"),
        extensions: &extensions,
    });
    for problem in made.err().unwrap_or_default() {
        let (path, why) = match problem {
            Problem::Path(mistake) => {
                if let Some(node) = spec.get("path") {
                    add(node, "path", &mistake, mistakes);
                }
                continue;
            }
            Problem::Type(error) => ("ceContext.type".to_owned(), error.to_string()),
            Problem::Source(error) => ("ceContext.source".to_owned(), error.to_string()),
            Problem::Extension(name, why) => (format!("ceContext.extensions.{name}"), why),
        };
        mistakes.add(spec.nearest(&path).at, format!("'spec.{path}': {why}"));
    }
}

/// At its place in the file where that can be told, else at the beginning of the text, with the place in it.
fn add(node: &Node, path: &str, mistake: &Mistake, mistakes: &mut Mistakes) {
    let (at, prefix) = match node.place(mistake.position.line, mistake.position.column) {
        Some(at) => (at, String::new()),
        None => (node.at, format!("{}: ", mistake.position)),
    };
    mistakes.add(at, format!("'spec.{path}': {prefix}{}", mistake.message));
}
