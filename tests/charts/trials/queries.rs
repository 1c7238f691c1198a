//! Queries of Prometheus, as far as the names in them go.

/// Words that are no metrics.
const WORDS: [&str; 12] = [
    "by",
    "on",
    "without",
    "ignoring",
    "or",
    "and",
    "unless",
    "offset",
    "bool",
    "group_left",
    "group_right",
    "inf",
];

/// The metrics that a query names: by their name, or by the pattern of `__name__`.
pub fn metrics(query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = query;
    let mut grouping = false;
    while let Some(first) = rest.chars().next() {
        if first == '{' {
            let (selector, after) = rest[1..].split_once('}').unwrap_or((&rest[1..], ""));
            if let Some((_, pattern)) = selector.split_once("__name__=~\"") {
                found.extend(pattern.split('"').next().map(|pattern| format!("{{__name__=~\"{pattern}\"}}")));
            }
            rest = after;
        } else if first == '"' || first == '[' {
            let end = if first == '"' { '"' } else { ']' };
            rest = rest[1..].split_once(end).map_or("", |(_, after)| after);
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let (word, after) = rest.split_at(length);
            rest = after.trim_start();
            if grouping {
                continue;
            }
            if ["by", "on", "without", "ignoring"].contains(&word) {
                grouping = true;
            } else if !WORDS.contains(&word) && !rest.starts_with('(') && !is_function(word, rest) {
                found.push(word.to_owned());
            }
        } else {
            grouping &= first != ')';
            rest = &rest[first.len_utf8()..];
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a word is an aggregation whose grouping comes first, as in `sum by (name) (…)`.
fn is_function(word: &str, rest: &str) -> bool {
    ["sum", "min", "max", "count", "avg", "topk"].contains(&word)
        && (rest.starts_with("by") || rest.starts_with("without"))
}
