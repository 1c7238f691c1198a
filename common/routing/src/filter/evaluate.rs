//! One event, one answer.

use std::sync::OnceLock;

use cel::{
    Context, ExecutionError, Value as Owned,
    common::{
        types::{CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use common::Event;

use super::bound::Budget;
use super::prepare::Name;
use super::translate::{Type, Variable};
use super::value::{self, Attributes, Value};
use super::{ENVIRONMENT, Error, Expression};
use crate::path::{Found, Path};

/// Whether an event passes an expression.
pub fn passes(expression: &Expression, event: &Event) -> Result<bool, Error> {
    let run = Run::new(expression, event);
    let mut context = Context::with_env(std::sync::Arc::clone(&ENVIRONMENT));
    context.set_variable_resolver(&run);
    let result = Owned::resolve_val(&expression.expression, &context);
    // Whoever was cut short may have come to an answer all the same.
    if run.budget.is_late() {
        return Err(Error::Late);
    }
    if run.budget.is_spent() {
        return Err(Error::Event("the data is too large for this expression".to_owned()));
    }
    if let (Some(reason), Err(_)) = (run.unreadable.get(), &result) {
        return Err(Error::Event((*reason).to_owned()));
    }
    match result {
        Ok(value) => match value.downcast_ref::<CelBool>() {
            Some(answer) => Ok(*answer.inner()),
            None => Err(Error::Event(format!("the result is no bool but {}", value.get_type().name()))),
        },
        Err(error) => Err(Error::Event(reason(expression, &error))),
    }
}

/// What an evaluation looks names up in. Each is read when it is asked for first.
struct Run<'a> {
    expression: &'a Expression,
    event: &'a Event,
    attributes: Attributes<'a>,
    budget: Budget,
    /// The data as text, when it is.
    text: Option<&'a str>,
    variables: Vec<OnceLock<Option<Value<'a>>>>,
    places: Vec<OnceLock<Option<Value<'a>>>>,
    data: OnceLock<Option<Value<'a>>>,
    /// Why the data cannot be read.
    unreadable: OnceLock<&'static str>,
}

impl<'a> Run<'a> {
    fn new(expression: &'a Expression, event: &'a Event) -> Self {
        let cells = |count: usize| (0..count).map(|_| OnceLock::new()).collect();
        Self {
            expression,
            event,
            attributes: Attributes(event),
            budget: Budget::new(),
            text: std::str::from_utf8(event.data().map(|data| &**data).unwrap_or_default()).ok(),
            variables: cells(expression.variables.len()),
            places: cells(expression.prepared.places.len()),
            data: OnceLock::new(),
            unreadable: OnceLock::new(),
        }
    }

    /// The value of a typed variable: the zero value where nothing is, and where the data does not even claim to be JSON.
    fn variable(&self, variable: &Variable) -> Option<Value<'a>> {
        let found = match self.text.map(|text| variable.path.find(text)) {
            Some(Ok(found)) => found,
            Some(Err(_)) | None if self.claims_json() => return self.fail("the data is no JSON"),
            Some(Err(_)) | None => None,
        };
        let found = found.unwrap_or(Found::Json("null"));
        Some(match variable.kind {
            Type::Bool => Box::new(CelBool::from(found.bool())),
            Type::Int => Box::new(CelInt::from(found.int())),
            Type::Uint => Box::new(CelUInt::from(found.uint())),
            Type::Double => Box::new(CelDouble::from(found.double())),
            Type::String => Box::new(CelString::from(found.string())),
        })
    }

    /// The value at a place in the data; `None` where there is none.
    fn place(&self, path: &Path) -> Option<Value<'a>> {
        let text = self.json()?;
        match path.find(text) {
            Ok(found) => self.read(value::found(&found?)),
            Err(_) => self.fail("the data is no JSON"),
        }
    }

    fn all(&self) -> Option<Value<'a>> {
        let Some(data) = self.event.data().filter(|data| !data.is_empty()) else {
            return Some(Box::new(CelNull));
        };
        if !self.event.is_json() {
            return Some(value::raw(data));
        }
        self.read(value::json(self.json()?))
    }

    fn read(&self, value: Result<Value<'a>, serde_json::Error>) -> Option<Value<'a>> {
        match value {
            Ok(value) => Some(value),
            // The one error that JSON has which is no mistake in it.
            Err(error) if error.to_string().starts_with("recursion limit") => {
                self.fail("the data is nested deeper than 127 levels")
            }
            Err(_) => self.fail("the data is no JSON"),
        }
    }

    /// The JSON text that `data` reads; there are no members in anything else.
    fn json(&self) -> Option<&'a str> {
        if !self.event.is_json() {
            return self.fail("the data is no JSON by its content type");
        }
        match self.text {
            Some(text) => Some(text),
            None => self.fail("the data is no JSON"),
        }
    }

    fn claims_json(&self) -> bool {
        self.event.data_content_type().is_some() && self.event.is_json() && self.event.data().is_some()
    }

    fn fail<T>(&self, reason: &'static str) -> Option<T> {
        self.unreadable.get_or_init(|| reason);
        None
    }
}

impl VariableResolver for Run<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let prepared = &self.expression.prepared;
        let value: &'b (dyn Val + 'b) = match Name::read(name)? {
            Name::Budget => &self.budget,
            Name::Attributes => &self.attributes,
            Name::Pattern(number) => prepared.patterns.get(number)?,
            Name::Data => self.data.get_or_init(|| self.all()).as_deref()?,
            Name::Variable(number) => {
                let variable = self.expression.variables.get(number)?;
                self.variables.get(number)?.get_or_init(|| self.variable(variable)).as_deref()?
            }
            Name::Place(number) => {
                let (_, path) = prepared.places.get(number)?;
                self.places.get(number)?.get_or_init(|| self.place(path)).as_deref()?
            }
        };
        Some(CowVal::Borrowed(value))
    }
}

/// An error in our words: those of the crate show values, which belong in no log.
fn reason(expression: &Expression, error: &ExecutionError) -> String {
    let place = |name: &str| match Name::read(name) {
        Some(Name::Place(number)) => expression.prepared.places.get(number).map(|(text, _)| text.as_str()),
        _ => None,
    };
    match error {
        ExecutionError::UndeclaredReference(name) => match place(name) {
            Some(text) => format!("the event has no {text}"),
            None => "the expression names something that is not there".to_owned(),
        },
        ExecutionError::NoSuchKey(key) if expression.text.contains(key.as_str()) => {
            format!("the event has nothing under the name '{key}'")
        }
        ExecutionError::NoSuchKey(_) => "a name that was asked for is not there".to_owned(),
        // Names of functions and types, and nothing else.
        ExecutionError::NoSuchOverload(overload) => {
            format!(
                "'{}' does not take ({})",
                overload.function().trim_matches(['_', '@']),
                overload.argument_types().join(", ")
            )
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "an index is beyond the end of its list".to_owned(),
        ExecutionError::DuplicateKey(_) => "a map would have the same key twice".to_owned(),
        ExecutionError::FunctionError { function, .. } => format!("{function}() does not take this value"),
        _ => "the values in the event are not of the types that the expression wants".to_owned(),
    }
}
