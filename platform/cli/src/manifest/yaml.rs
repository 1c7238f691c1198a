//! Reads YAML into nodes with positions. What breaks one document hides nothing of the others: reading goes on at the
//! next `---`.

use std::collections::{HashMap, HashSet};

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::mistake::{Mistakes, Position};
use super::node::{Key, Node, Value};

/// Deeper than any Kubernetes object; it bounds recursion.
const MAX_DEPTH: usize = 64;
/// Nodes that aliases may expand to in one text.
const MAX_ALIASED: usize = 20_000;

/// What a text holds.
#[derive(Default)]
pub struct Yaml {
    /// The documents that could be read, empty ones left out.
    pub documents: Vec<Node>,
    /// The names that stand in documents that could not be read: what refers to them is not to be called unknown.
    pub unread: HashSet<String>,
}

/// Reads all documents. Each one that is no YAML is one mistake; a repeated key is one too, and its mapping is kept.
pub fn read(text: &str, mistakes: &mut Mistakes) -> Yaml {
    let mut yaml = Yaml::default();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut from, mut offset) = (0, 0);
    while from < lines.len() {
        let mut reader = Reader { before: from, ..Reader::new(mistakes) };
        let fault = reader.run(text.get(offset..).unwrap_or_default());
        let begun = reader.document;
        yaml.documents.append(&mut reader.documents);
        let Err((at, message)) = fault else { break };
        mistakes.add(at, message);
        // Never back to where this document began.
        let earliest = at.line.saturating_sub(1).max(begun).max(from + 1);
        let is_next = |line: &&str| line.starts_with("---");
        let next = lines.iter().skip(earliest).position(is_next).map_or(lines.len(), |skip| earliest + skip);
        let lost = lines.get(begun.saturating_sub(1)..next).unwrap_or_default();
        yaml.unread.extend(lost.iter().flat_map(|line| names(line)));
        offset += lines.get(from..next).unwrap_or_default().iter().map(|line| line.len()).sum::<usize>();
        from = next;
    }
    yaml.documents.retain(|node| node.value != Value::Null);
    yaml
}

/// What stands behind `name:` in a line.
fn names(line: &str) -> impl Iterator<Item = String> {
    let values = line.split("name:").skip(1).filter_map(|rest| {
        rest.trim_start_matches([' ', '"', '\'']).split([' ', '"', '\'', ',', '}', '\n', '\r']).next()
    });
    values.filter(|name| !name.is_empty()).map(str::to_owned)
}

type Fault = (Position, String);

/// A collection that is not complete yet.
struct Open {
    at: Position,
    anchor: usize,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<(Key, Node)>,
    /// The line of each key; 0 while its value is to come.
    lines: HashMap<String, usize>,
    /// A key whose value comes next.
    pending: Option<Key>,
}

struct Reader<'m> {
    /// Lines before the text.
    before: usize,
    /// The line in which the last document began.
    document: usize,
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    mistakes: &'m mut Mistakes,
}

impl Reader<'_> {
    fn new(mistakes: &mut Mistakes) -> Reader<'_> {
        Reader {
            before: 0,
            document: 0,
            documents: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            mistakes,
        }
    }

    fn run(&mut self, text: &str) -> Result<(), Fault> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let at =
                    Position { line: error.marker().line() + self.before, column: error.marker().col() + 1 };
                (at, format!("not valid YAML: {}", error.info()))
            })?;
            if event == Event::StreamEnd {
                break;
            }
            self.take(event, span)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let at = Position { line: span.start.line() + self.before, column: span.start.col() + 1 };
        match event {
            Event::DocumentStart(_) => {
                self.document = at.line;
                self.anchors.clear();
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Items::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.open(at, anchor, Items::Map(Mapping::default()))?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { at, anchor, items }) = self.open.pop() {
                    let value = match items {
                        Items::List(nodes) => Value::List(nodes),
                        Items::Map(mapping) => Value::Map(mapping.entries),
                    };
                    self.add(Node { at, value, text_at: None }, anchor)?;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let text_at = text_at(&text, style, span, at);
                let value = match Scalar::parse_from_cow_and_metadata(text.clone(), style, tag.as_ref()) {
                    Some(scalar) => from_scalar(scalar, &text),
                    None => Value::Text(text.into_owned()),
                };
                self.add(Node { at, value, text_at }, anchor)?;
            }
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned().ok_or_else(|| {
                    (at, "not valid YAML: an alias to another document, or to what it stands in".to_owned())
                })?;
                self.aliased += size(&node);
                if self.aliased > MAX_ALIASED {
                    return Err((at, format!("aliases that stand for more than {MAX_ALIASED} values")));
                }
                self.add(node, 0)?;
            }
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
        }
        Ok(())
    }

    fn open(&mut self, at: Position, anchor: usize, items: Items) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err((at, format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.open.push(Open { at, anchor, items });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let is_root = self.open.len() == 1;
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open { items: Items::List(nodes), .. }) => nodes.push(node),
            Some(Open { at, items: Items::Map(mapping), .. }) => match mapping.pending.take() {
                // The first of two keys counts, and what stands behind the other is not looked at.
                Some(key) => {
                    if mapping.lines.get(&key.text) == Some(&0) {
                        mapping.lines.insert(key.text.clone(), key.at.line);
                        mapping.entries.push((key, node));
                    }
                }
                None => {
                    let Some(text) = node.scalar() else {
                        return Err((node.at, format!("a key must be a string, not {}", node.noun())));
                    };
                    if let Some(first) = mapping.lines.get(&text) {
                        let first_key = mapping.entries.first().map(|(key, _)| &key.text);
                        let is_object = is_root && first_key == Some(&text);
                        let hint = if is_object { "; is '---' missing above it?" } else { "" };
                        self.mistakes.add(node.at, format!("'{text}' is already in line {first}{hint}"));
                        if is_object {
                            let value = Value::Map(std::mem::take(mapping).entries);
                            self.documents.push(Node { at: *at, value, text_at: None });
                            *at = node.at;
                        }
                    }
                    mapping.lines.entry(text.clone()).or_insert(0);
                    mapping.pending = Some(Key { at: node.at, text });
                }
            },
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(nodes) => 1 + nodes.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, node)| size(node)).sum::<usize>(),
        _ => 1,
    }
}

/// Where the text itself begins, when it stands in the file as it is.
fn text_at(text: &str, style: ScalarStyle, span: Span, at: Position) -> Option<Position> {
    let quotes = match style {
        ScalarStyle::Plain => 0,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
        ScalarStyle::Literal => {
            // It begins at its first character that is no white space.
            let blank = text.len() - text.trim_start_matches('\n').len();
            let body = text.trim_start_matches('\n');
            let indent = body.len() - body.trim_start_matches(' ').len();
            let (line, column) = (at.line.checked_sub(blank)?, at.column.checked_sub(indent)?);
            return Some(Position { line, column });
        }
        ScalarStyle::Folded => return None,
    };
    let is_plain = span.start.line() == span.end.line() && span.len() == text.chars().count() + 2 * quotes;
    is_plain.then_some(Position { line: at.line, column: at.column + quotes })
}

fn from_scalar(scalar: Scalar<'_>, text: &str) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(value),
        Scalar::Integer(value) => Value::Number(value.into()),
        // Beyond 63 bits, or infinite and NaN, which have no JSON form.
        Scalar::FloatingPoint(value) => match text.parse::<u64>() {
            Ok(number) => Value::Number(number.into()),
            Err(_) => serde_json::Number::from_f64(value.into_inner())
                .map_or_else(|| Value::Text(text.to_owned()), Value::Number),
        },
        Scalar::String(value) => Value::Text(value.into_owned()),
    }
}
