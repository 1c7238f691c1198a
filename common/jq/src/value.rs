//! JSON values that count what they cost. Objects are sorted by name, as those of the original (gojq) were.

use std::{borrow::Borrow, cmp::Ordering, collections::BTreeMap, fmt, rc::Rc};

use jaq_json::Num;

use crate::{
    budget::{self, Charge, check_depth},
    write,
};

/// What a value itself takes in a list.
const ITEM: usize = 2 * size_of::<Value>();
/// What a member takes in an object beside its name.
const MEMBER: usize = 64;
/// What any allocation takes beside its content.
const NODE: usize = 64;

pub(crate) type Error = jaq_core::Error<Value>;
pub(crate) type ValR<T = Value> = Result<T, Error>;
pub(crate) type ValX<'a> = jaq_core::ValX<'a, Value>;

/// A JSON value.
#[derive(Clone)]
pub enum Value {
    /// `null`
    Null,
    /// `true` and `false`
    Bool(bool),
    /// A number; one that was read and is not whole keeps its text.
    Num(Num),
    /// A string.
    Text(Text),
    /// A list.
    List(Rc<List>),
    /// An object.
    Object(Rc<Object>),
}

/// A shared string.
#[derive(Clone)]
pub struct Text(Rc<(String, Charge)>);

/// The items of a list.
#[derive(Default)]
pub struct List {
    items: Vec<Value>,
    depth: u32,
    charge: Charge,
}

/// The members of an object.
#[derive(Default)]
pub struct Object {
    members: BTreeMap<Text, Value>,
    depth: u32,
    charge: Charge,
}

impl Text {
    pub(crate) fn new(text: String) -> Self {
        let charge = Charge::new(NODE + text.len());
        Self(Rc::new((text, charge)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.0
    }

    /// The string with another behind it; in its place where nobody else has it.
    pub(crate) fn with(mut self, other: &str) -> Self {
        match Rc::get_mut(&mut self.0) {
            Some((text, charge)) => {
                // Room grows by doubling.
                charge.grow(2 * other.len());
                text.push_str(other);
                self
            }
            None => {
                let charge = Charge::new(NODE + self.as_str().len() + other.len());
                Self(Rc::new(([self.as_str(), other].concat(), charge)))
            }
        }
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl List {
    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(crate) fn into_items(self) -> Vec<Value> {
        self.items
    }

    pub(crate) fn push(&mut self, value: Value) {
        budget::step();
        self.charge.grow(ITEM);
        self.depth = self.depth.max(value.depth());
        self.items.push(value);
    }

    /// Puts values in the place of others; none of them is deeper than `depth`.
    pub(crate) fn splice(&mut self, range: std::ops::Range<usize>, values: &[Value], depth: u32) {
        self.charge.grow(ITEM * (values.len() + self.items.len()) / 2);
        self.depth = self.depth.max(depth);
        self.items.splice(range, values.iter().cloned());
    }

    pub(crate) fn remove(&mut self, index: usize) {
        budget::steps((self.items.len() / 64) as u64);
        self.items.remove(index);
    }

    /// Takes a value out, for another to be put there.
    pub(crate) fn take(&mut self, index: usize) -> Option<Value> {
        self.items.get_mut(index).map(|place| std::mem::replace(place, Value::Null))
    }

    pub(crate) fn put(&mut self, index: usize, value: Value) {
        self.depth = self.depth.max(value.depth());
        if let Some(place) = self.items.get_mut(index) {
            *place = value;
        }
    }

    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Value) -> bool) {
        self.items.retain(is_kept);
    }
}

impl Clone for List {
    fn clone(&self) -> Self {
        let charge = self.charge.again();
        Self { items: self.items.clone(), depth: self.depth, charge }
    }
}

impl Object {
    pub(crate) fn members(&self) -> &BTreeMap<Text, Value> {
        &self.members
    }

    pub(crate) fn into_members(self) -> BTreeMap<Text, Value> {
        self.members
    }

    pub(crate) fn insert(&mut self, name: Text, value: Value) {
        budget::step();
        self.charge.grow(MEMBER);
        self.depth = self.depth.max(value.depth());
        self.members.insert(name, value);
    }

    /// Takes a value out, for another to be put there.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.get_mut(name).map(|place| std::mem::replace(place, Value::Null))
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.members.remove(name);
    }

    /// Merges the other object into this one, objects in it member by member.
    pub(crate) fn merge(&mut self, other: &Object) {
        for (name, value) in other.members() {
            match (self.members.get_mut(name), value) {
                (Some(Value::Object(mine)), Value::Object(theirs)) => {
                    budget::step();
                    let mine = Rc::make_mut(mine);
                    mine.merge(theirs);
                    self.depth = self.depth.max(mine.depth + 1);
                }
                _ => self.insert(name.clone(), value.clone()),
            }
        }
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        let charge = self.charge.again();
        Self { members: self.members.clone(), depth: self.depth, charge }
    }
}

impl Value {
    /// How many lists and objects are within one another, at most.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::List(list) => check_depth(list.depth + 1),
            Self::Object(object) => check_depth(object.depth + 1),
            _ => 0,
        }
    }

    pub(crate) fn list(list: List) -> Self {
        check_depth(list.depth + 1);
        Self::List(Rc::new(list))
    }

    pub(crate) fn object(object: Object) -> Self {
        check_depth(object.depth + 1);
        Self::Object(Rc::new(object))
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::new(text.into()))
    }

    /// The order of the types, and their names.
    pub(crate) fn rank(&self) -> (u8, &'static str) {
        match self {
            Self::Null => (0, "null"),
            Self::Bool(_) => (1, "boolean"),
            Self::Num(_) => (2, "number"),
            Self::Text(_) => (3, "string"),
            Self::List(_) => (4, "array"),
            Self::Object(_) => (5, "object"),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        budget::step();
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Num(left), Self::Num(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::List(left), Self::List(right)) => left.items.cmp(&right.items),
            (Self::Object(left), Self::Object(right)) => {
                let names = left.members.keys().cmp(right.members.keys());
                names.then_with(|| left.members.values().cmp(right.members.values()))
            }
            _ => self.rank().0.cmp(&other.rank().0),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Value {
    /// The kind of the value and the beginning of it, as errors tell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            _ => write!(f, "{} ({})", self.rank().1, write::beginning(self)),
        }
    }
}
