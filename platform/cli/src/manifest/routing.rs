//! Has the languages of filters, splitters and aggregators look at what they are given, so that what passes here is what the adapters take.

use std::collections::BTreeMap;

use ::routing::{
    Aggregator, CeContext, Expression, Mistake, Splitter, aggregator, context::Problem, splitter,
};

use super::mistake::Mistakes;
use super::node::{Node, Value};

/// The adapter whose condition is an expression.
pub const FILTER: &str = "filter";
/// The adapter whose elements stand at a path.
pub const SPLITTER: &str = "splitter";
/// The adapter that makes one event of many.
pub const AGGREGATOR: &str = "aggregator";

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
        AGGREGATOR => aggregator(spec, mistakes),
        _ => {}
    }
}

fn splitter(spec: &Node, mistakes: &mut Mistakes) {
    let context = Context::read(spec, mistakes);
    let path = scalar(spec, "path");
    let numbered = scalar(spec, "numberParts").is_some_and(|text| text == "true");
    let path = path.as_deref().unwrap_or_default();
    let made = Splitter::new(&splitter::Spec { path, context: context.borrow(), numbered });
    for problem in made.err().unwrap_or_default() {
        match problem {
            splitter::Problem::Path(mistake) => at_path(spec, "path", &mistake, mistakes),
            splitter::Problem::Context(problem) => of_context(spec, &problem, mistakes),
        }
    }
}

fn aggregator(spec: &Node, mistakes: &mut Mistakes) {
    let context = Context::read(spec, mistakes);
    let attributes: Option<Vec<String>> = match spec.path("group.attributes").map(|node| &node.value) {
        Some(Value::List(names)) => Some(names.iter().filter_map(Node::scalar).collect()),
        _ => None,
    };
    let path = scalar(spec, "group.path");
    let (count, index) = (scalar(spec, "countAttribute"), scalar(spec, "indexAttribute"));
    let made = Aggregator::new(&aggregator::Spec {
        attributes: attributes.as_deref(),
        path: path.as_deref().unwrap_or_default(),
        count: scalar(spec, "count").and_then(|count| count.parse().ok()),
        count_attribute: count.as_deref(),
        index: index.as_deref(),
        elements: aggregator::Elements::Data,
        context: context.borrow(),
    });
    for problem in made.err().unwrap_or_default() {
        match problem {
            aggregator::Problem::Path(mistake) => at_path(spec, "group.path", &mistake, mistakes),
            aggregator::Problem::Context(problem) => of_context(spec, &problem, mistakes),
            problem => {
                let (path, why) = problem.of_field();
                mistakes.add(spec.nearest(path).at, format!("'spec.{path}': {why}"));
            }
        }
    }
}

/// The field `ceContext` as it stands in the file.
struct Context {
    event_type: Option<String>,
    source: Option<String>,
    extensions: BTreeMap<String, String>,
}

impl Context {
    fn read(spec: &Node, mistakes: &mut Mistakes) -> Self {
        // What is missing or no text is told by others.
        let given = spec.path("ceContext.extensions").filter(|node| node.scalar().is_none());
        let mut extensions = BTreeMap::new();
        for (key, value) in given.map(Node::entries).unwrap_or_default() {
            if let Some(text) = value.text() {
                extensions.insert(key.text.clone(), text.to_owned());
            } else {
                let path = format!("spec.ceContext.extensions.{}", key.text);
                mistakes.add(value.at, format!("'{path}' must be a string, not {}", value.noun()));
            }
        }
        let given = |path| scalar(spec, path).filter(|text| !text.is_empty());
        let (event_type, source) = (given("ceContext.type"), given("ceContext.source"));
        Self { event_type, source, extensions }
    }

    fn borrow(&self) -> CeContext<'_> {
        CeContext {
            event_type: self.event_type.as_deref().unwrap_or("type"),
            source: self.source.as_deref().unwrap_or("source"),
            extensions: &self.extensions,
        }
    }
}

fn of_context(spec: &Node, problem: &Problem, mistakes: &mut Mistakes) {
    let (path, why) = problem.of_field();
    mistakes.add(spec.nearest(&path).at, format!("'spec.{path}': {why}"));
}

fn at_path(spec: &Node, path: &str, mistake: &Mistake, mistakes: &mut Mistakes) {
    if let Some(node) = spec.path(path) {
        add(node, path, mistake, mistakes);
    }
}

fn scalar(spec: &Node, path: &str) -> Option<String> {
    spec.path(path).and_then(Node::scalar)
}

/// At its place in the file where that can be told, else at the beginning of the text, with the place in it.
fn add(node: &Node, path: &str, mistake: &Mistake, mistakes: &mut Mistakes) {
    let (at, prefix) = match node.place(mistake.position.line, mistake.position.column) {
        Some(at) => (at, String::new()),
        None => (node.at, format!("{}: ", mistake.position)),
    };
    mistakes.add(at, format!("'spec.{path}': {prefix}{}", mistake.message));
}
