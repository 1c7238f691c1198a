//! What an aggregator is made of, and what can be wrong with that.

use crate::{
    Aggregator, Mistake,
    context::{self, CeContext},
    path::Path,
    splitter,
};

use super::{COMPLETE, COUNT};

/// How many parts make a group complete: so many, or as many as this attribute of each part says.
#[derive(Debug, Clone)]
pub(super) enum Count {
    Fixed(usize),
    Attribute(String),
}

/// What the elements of an aggregate are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Elements {
    /// The data of the parts: JSON as it was written, text as a string, `null` where there are none.
    #[default]
    Data,
    /// The parts themselves, in the JSON format of CloudEvents.
    Events,
}

/// What an aggregator is made of. What is not given is what numbered parts of a splitter have.
#[derive(Debug, Clone)]
pub struct Spec<'a> {
    /// Attributes that parts of a group have in common; where a path is given, none is needed.
    pub attributes: Option<&'a [String]>,
    /// Where in the data stands what they have in common; nowhere, where it is empty.
    pub path: &'a str,
    /// How many they are.
    pub count: Option<usize>,
    /// The attribute that says how many they are.
    pub count_attribute: Option<&'a str>,
    /// The attribute with a part's place in the order; parts without it have that in which they came.
    pub index: Option<&'a str>,
    /// What becomes of a part.
    pub elements: Elements,
    /// What aggregates have in common.
    pub context: CeContext<'a>,
}

/// Something wrong in a specification.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// Neither an attribute nor a path.
    NoGroup,
    /// Both a number and an attribute that holds it.
    TwoCounts,
    /// A text that is no attribute's name.
    Attribute(String),
    /// The path.
    Path(Mistake),
    /// What aggregates have in common.
    Context(context::Problem),
}

impl Problem {
    /// The field of the `spec` that is meant, and what is wrong with it.
    #[must_use]
    pub fn of_field(&self) -> (&'static str, String) {
        match self {
            Self::NoGroup => ("group", "it names neither attributes nor a path".to_owned()),
            Self::TwoCounts => ("count", "it excludes countAttribute".to_owned()),
            Self::Attribute(name) => ("group.attributes", format!("'{name}' is the name of no attribute")),
            Self::Path(mistake) => ("group.path", mistake.to_string()),
            Self::Context(problem) => ("ceContext", problem.of_field().1),
        }
    }
}

impl Aggregator {
    /// Compiles a specification.
    ///
    /// # Errors
    /// Every mistake.
    pub fn new(spec: &Spec<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let numbered = [splitter::SOURCE.to_owned(), splitter::ID.to_owned()];
        let default = if spec.path.is_empty() { &numbered[..] } else { &[] };
        let names = spec.attributes.unwrap_or(default).iter().map(|name| name.to_ascii_lowercase());
        let attributes: Vec<String> = names.collect();
        let lower = |name: Option<&str>, default: &str| name.unwrap_or(default).to_ascii_lowercase();
        let index = lower(spec.index, splitter::INDEX);
        let counted = lower(spec.count_attribute, splitter::COUNT);
        for name in attributes.iter().chain([&index, &counted]) {
            if !common::event::is_attribute_name(name) {
                problems.push(Problem::Attribute(name.clone()));
            }
        }
        if attributes.is_empty() && spec.path.is_empty() {
            problems.push(Problem::NoGroup);
        }
        if spec.count.is_some() && spec.count_attribute.is_some() {
            problems.push(Problem::TwoCounts);
        }
        let count = spec.count.map_or(Count::Attribute(counted), Count::Fixed);
        let path = (!spec.path.is_empty()).then(|| Path::compile(spec.path)).transpose();
        let path = path.unwrap_or_else(|mistake| {
            problems.push(Problem::Path(mistake));
            None
        });
        match spec.context.sample(&[COUNT, COMPLETE]) {
            Ok(sample) if problems.is_empty() => {
                Ok(Self { attributes, path, count, index, elements: spec.elements, sample })
            }
            sample => {
                problems.extend(sample.err().unwrap_or_default().into_iter().map(Problem::Context));
                Err(problems)
            }
        }
    }
}
