//! From the configuration document to a compiled filter.

use indexmap::IndexMap;

use super::{Filter, Pairs};
use crate::document::{Node, Problems};

/// In the order in which the old brokers looked for them: the first that is not empty counts.
const DIALECTS: [&str; 7] = ["exact", "prefix", "suffix", "all", "any", "not", "cesql"];

/// How deep filters may stand in one another.
const MAX_DEPTH: usize = 32;

/// Reads one filter object. `None` when it is empty, which is no filter, or when something is wrong with it, which
/// `problems` then says. What is odd but harmless goes to `warnings`.
pub(crate) fn read(
    node: &Node,
    path: &str,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Option<Filter> {
    Reader { problems, warnings }.filter(node, path, 0)
}

struct Reader<'a> {
    problems: &'a mut Problems,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn filter(&mut self, node: &Node, path: &str, depth: usize) -> Option<Filter> {
        if depth > MAX_DEPTH {
            return self.problems.add(path, format_args!("filters nested deeper than {MAX_DEPTH}"));
        }
        let map = node.map(path, self.problems)?;
        let present = |name: &&&str| map.get(**name).is_some_and(|node| !node.is_empty());
        let mut dialects = DIALECTS.iter().filter(present);
        let unknown = || map.keys().find(|key| !DIALECTS.contains(&key.as_str()));
        let Some(dialect) = dialects.next() else {
            return match unknown() {
                Some(name) => self.problems.add(
                    path,
                    format_args!(
                        "unknown dialect '{}': it must be one of {}",
                        short(name),
                        DIALECTS.join(", ")
                    ),
                ),
                None if depth > 0 => self.problems.add(path, "the filter is empty"),
                None => None,
            };
        };
        if let Some(other) = dialects.next().copied().or_else(|| unknown().map(String::as_str)) {
            let other = short(other);
            self.warnings.push(format!("{path}: only '{dialect}' counts, '{other}' beside it is ignored"));
        }
        self.dialect(dialect, map.get(*dialect)?, &format!("{path}.{dialect}"), depth)
    }

    fn dialect(&mut self, dialect: &str, node: &Node, path: &str, depth: usize) -> Option<Filter> {
        Some(match dialect {
            "exact" => Filter::Exact(self.pairs(node, path)?),
            "prefix" => Filter::Prefix(self.pairs(node, path)?),
            "suffix" => Filter::Suffix(self.pairs(node, path)?),
            "all" => Filter::All(self.list(node, path, depth)?),
            "any" => Filter::Any(self.list(node, path, depth)?),
            "not" if matches!(node, Node::Map(_)) => Filter::Not(vec![self.filter(node, path, depth + 1)?]),
            "not" => Filter::Not(self.list(node, path, depth)?),
            _ => Filter::Cesql(Box::new(self.expression(node, path)?)),
        })
    }

    fn list(&mut self, node: &Node, path: &str, depth: usize) -> Option<Vec<Filter>> {
        let Node::List(list) = node else {
            return self.problems.add(path, format_args!("expected a list, found {}", node.kind()));
        };
        let mut filters = Vec::with_capacity(list.len());
        for (position, node) in list.iter().enumerate() {
            filters.push(self.filter(node, &format!("{path}[{position}]"), depth + 1)?);
        }
        Some(filters)
    }

    fn pairs(&mut self, node: &Node, path: &str) -> Option<Pairs> {
        let map: &IndexMap<String, Node> = node.map(path, self.problems)?;
        let mut pairs = Pairs::new();
        for (name, value) in map {
            let path = format!("{path}.{}", short(name));
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
                return self.problems.add(&path, "not an attribute name: lower-case letters and digits");
            }
            match value {
                Node::Text(text) if !text.is_empty() => pairs.push((name.clone(), text.clone())),
                Node::Text(_) | Node::Null => return self.problems.add(&path, "the value is empty"),
                other => return self.problems.add(&path, other.not_text()),
            }
        }
        Some(pairs)
    }

    fn expression(&mut self, node: &Node, path: &str) -> Option<cesql::Expression> {
        let Node::Text(text) = node else { return self.problems.add(path, node.not_text()) };
        match cesql::Expression::parse(text) {
            Ok(expression) => {
                self.warnings
                    .extend(expression.warnings().iter().map(|warning| format!("{path}: {warning}")));
                Some(expression)
            }
            Err(error) => self.problems.add(path, error),
        }
    }
}

/// A name out of the document, safe to print.
fn short(name: &str) -> String {
    name.chars().take(60).flat_map(char::escape_default).collect()
}
