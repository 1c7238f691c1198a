//! The configuration document of a broker: who may send, and the triggers with their filters, targets and options.
//!
//! Facts: the TriggerMesh brokers' document, YAML or JSON. Unknown keys are ignored and empty members are absent ones,
//! but a mistake anywhere makes the whole document a broken one, named by trigger and field: half of a configuration
//! could send events where they must not go.

mod bounds;
pub mod ids;
mod node;

#[cfg(test)]
mod tests;

use std::{collections::HashSet, time::Duration};

use common::config::Parse as _;
use indexmap::IndexMap;

pub use bounds::{Bounds, Span};
pub(crate) use node::{Node, Problems};

use crate::{
    credentials::Credentials,
    filter::{self, Filter},
    policy::{Backoff, Options},
};

/// A document without a mistake.
#[derive(Debug, Default)]
pub struct Document {
    /// Who may send events; `None` lets everybody.
    pub ingest: Option<Credentials>,
    /// The triggers in the order they stand in.
    pub triggers: Vec<TriggerSpec>,
    /// What is odd but harmless, one line each.
    pub warnings: Vec<String>,
}

/// One trigger as the document has it.
#[derive(Debug)]
pub struct TriggerSpec {
    /// The name, unique in the document.
    pub name: String,
    /// All of them must pass; none at all lets every event pass.
    pub filters: Vec<Filter>,
    /// Where to, and how.
    pub options: Options,
    /// Which part of the past, and of the future, it gets; `None` = all events from now on.
    pub bounds: Option<Bounds>,
    /// Whether its place in what is kept goes with it, as somebody's who looks on for a while.
    pub ephemeral: bool,
}

/// Why a document cannot be used: one line for each mistake, with the path to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct BrokenDocument(pub Vec<String>);

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, BrokenDocument> {
        let node = Node::parse(text).map_err(|problem| BrokenDocument(vec![problem]))?;
        let mut problems = Problems::default();
        let document = Self::read(&node, &mut problems);
        match document {
            Some(document) if problems.0.is_empty() => Ok(document),
            _ => Err(BrokenDocument(problems.0)),
        }
    }

    /// Asks whether a broker can do what the bounds of the triggers ask for.
    ///
    /// # Errors
    /// Every one that it cannot.
    pub fn check_bounds(&self, check: fn(&Bounds) -> Result<(), String>) -> Result<(), BrokenDocument> {
        let problem = |trigger: &TriggerSpec| {
            let problem = check(trigger.bounds.as_ref()?).err()?;
            Some(format!("{}.bounds: {problem}", path_of(&trigger.name)))
        };
        let problems: Vec<String> = self.triggers.iter().filter_map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(BrokenDocument(problems)) }
    }

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let root = node.map("document", problems)?;
        let mut document = Self::default();
        if let Some(node) = root.get("ingest") {
            document.ingest = credentials(node, problems);
        }
        let triggers = root.get("triggers").unwrap_or(&Node::Null).map("triggers", problems)?;
        let mut names = HashSet::new();
        for (name, node) in triggers {
            let path = path_of(name);
            if name.is_empty() || !names.insert(name) {
                problems.add::<()>(&path, "a trigger needs a name of its own");
            }
            document.triggers.extend(trigger(name, node, &path, problems, &mut document.warnings));
        }
        Some(document)
    }
}

fn path_of(trigger: &str) -> String {
    format!("triggers.{}", trigger.escape_default())
}

fn credentials(node: &Node, problems: &mut Problems) -> Option<Credentials> {
    let map = node.map("ingest", problems)?;
    let user = Node::text(map, "user", "ingest", problems);
    let password = Node::text(map, "password", "ingest", problems);
    match (user, password) {
        (None, None) => None,
        (None, Some(_)) => problems.add("ingest.user", "a password needs a user"),
        (Some(user), _) if user.contains(':') => problems.add("ingest.user", "a user must not hold a colon"),
        (Some(user), password) => Some(Credentials::new(user, password.unwrap_or_default())),
    }
}

fn trigger(
    name: &str,
    node: &Node,
    path: &str,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<TriggerSpec> {
    let map = node.map(path, problems)?;
    let mut filters = Vec::new();
    match map.get("filters") {
        Some(Node::List(list)) => {
            for (position, node) in list.iter().enumerate() {
                filters.extend(filter::read(
                    node,
                    &format!("{path}.filters[{position}]"),
                    problems,
                    warnings,
                ));
            }
        }
        None | Some(Node::Null) => {}
        Some(other) => {
            return problems
                .add(&format!("{path}.filters"), format_args!("expected a list, found {}", other.kind()));
        }
    }
    let bounds = map.get("bounds").and_then(|node| bounds::read(node, &format!("{path}.bounds"), problems));
    let ephemeral = match map.get("ephemeral") {
        Some(Node::Scalar(text)) if text == "true" || text == "false" => text == "true",
        None | Some(Node::Null) => false,
        Some(_) => {
            problems.add::<()>(&format!("{path}.ephemeral"), "expected true or false");
            false
        }
    };
    let target_path = format!("{path}.target");
    let target = map.get("target").unwrap_or(&Node::Null).map(&target_path, problems)?;
    let url = url(target, "url", &target_path, problems);
    let (place, options) = match map.get("deliveryOptions") {
        Some(node @ Node::Map(_)) => (path, node),
        None | Some(Node::Null) => {
            (target_path.as_str(), target.get("deliveryOptions").unwrap_or(&Node::Null))
        }
        Some(other) => (path, other),
    };
    let options = options_of(options, &format!("{place}.deliveryOptions"), url, problems)?;
    Some(TriggerSpec { name: name.to_owned(), filters, options, bounds, ephemeral })
}

fn options_of(node: &Node, path: &str, url: Option<String>, problems: &mut Problems) -> Option<Options> {
    let map = node.map(path, problems)?;
    let defaults = Options::default();
    let backoff = match Node::text(map, "backoffPolicy", path, problems) {
        None => None,
        Some("constant") => Some(Backoff::Constant),
        Some("linear") => Some(Backoff::Linear),
        Some("exponential") => Some(Backoff::Exponential),
        Some(_) => {
            problems.add(&format!("{path}.backoffPolicy"), "expected one of constant, linear, exponential")
        }
    };
    let order_by = Node::text(map, "orderBy", path, problems);
    if order_by.is_some_and(|name| !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())) {
        problems
            .add::<()>(&format!("{path}.orderBy"), "not an attribute name: lower-case letters and digits");
    }
    Some(Options {
        url,
        dead_letter_url: self::url(map, "deadLetterURL", path, problems),
        retry: Node::integer(map, "retry", 0..=1_000_000, path, problems).unwrap_or(defaults.retry),
        backoff: backoff.unwrap_or(defaults.backoff),
        delay: period(map, "backoffDelay", path, problems).unwrap_or(defaults.delay),
        timeout: period(map, "timeout", path, problems).filter(|timeout| !timeout.is_zero()),
        concurrency: Node::integer(map, "concurrency", 1..=1_000, path, problems)
            .map_or(defaults.concurrency, |number| number as usize),
        order_by: order_by.map(str::to_owned),
    })
}

fn url(map: &IndexMap<String, Node>, key: &str, path: &str, problems: &mut Problems) -> Option<String> {
    let text = Node::text(map, key, path, problems)?;
    let valid = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !valid {
        return problems.add(&format!("{path}.{key}"), "expected an absolute http or https URL");
    }
    Some(text.to_owned())
}

fn period(map: &IndexMap<String, Node>, key: &str, path: &str, problems: &mut Problems) -> Option<Duration> {
    let text = Node::text(map, key, path, problems)?;
    match common::config::Duration::parse(text) {
        Ok(period) => Some(*period),
        Err(error) => problems.add(&format!("{path}.{key}"), error),
    }
}
