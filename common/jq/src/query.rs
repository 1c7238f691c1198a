//! A query from its text to its last value.

use std::{
    io,
    sync::{Arc, mpsc},
    time::Duration,
};

use common::Event;
use jaq_core::{
    Compiler, Ctx, Filter, Vars,
    compile::Undefined,
    load::{self, Arena, File, Loader},
};

use crate::{
    budget::{self, Bounds, Ended, Exceeded, Limits},
    functions::{Engine, Terms, definitions, message, natives},
    read,
    value::{Object, Text, Value},
    write,
};

/// The longest query that is taken.
const MAX_QUERY: usize = 64 << 10;
/// The longest message about a mistake, in characters.
const MAX_MESSAGE: usize = 200;
/// Stack of the thread that compiles: what is nested in the text is nested there.
const COMPILER_STACK: usize = 256 << 20;
/// What is done where the caller stands: what takes longer would hold up others.
const GLANCE: Limits =
    Limits { steps: 4096, bounds: Bounds { time: Duration::from_secs(1), bytes: 4 << 20 }, stack: 512 << 10 };
/// Stack of a thread that evaluates. Memory is taken only for what is used of it.
const STACK: usize = 512 << 20;
/// How much of that calls may take; what they made may have to be dropped where they stand.
const CALLS: usize = 16 << 20;
/// The variable that holds the attributes of the event.
const CONTEXT: &str = "$ce";
/// The variable that holds the environment, of which a query sees nothing.
const ENVIRONMENT: &str = "$ENV";

/// A compiled query: cheap to run, shareable between threads.
pub struct Query {
    filter: Filter<Engine>,
    /// Whether the query looks at the attributes.
    wants_context: bool,
}

/// Where a query is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// Why an event has no result; another attempt has no other outcome, except after [`Exceeded::Together`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The data are no JSON by their content type.
    #[error("the content type of the event must be application/json, not '{0}'")]
    ContentType(String),
    /// The data are no JSON.
    #[error("the data of the event are no JSON: {0}")]
    Data(String),
    /// The query failed; the text may hold parts of the data.
    #[error("{0}")]
    Query(String),
    /// The query was ended.
    #[error("the query was ended: {0}")]
    Exceeded(Exceeded),
    /// The library behind the language has a fault.
    #[error("the query made the interpreter fail")]
    Interpreter,
}

impl Query {
    /// Compiles a query; an empty one gives what it gets.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn new(text: &str) -> Result<Self, Mistake> {
        if text.len() > MAX_QUERY {
            let message = format!("a query has at most {MAX_QUERY} bytes");
            return Err(Mistake { line: 1, column: 1, message });
        }
        let text = if text.trim().is_empty() { "." } else { text };
        std::thread::scope(|scope| {
            let compiler = std::thread::Builder::new().stack_size(COMPILER_STACK);
            let failed = |message: String| Mistake { line: 1, column: 1, message };
            match compiler.spawn_scoped(scope, || compile(text)) {
                Ok(thread) => {
                    thread.join().unwrap_or_else(|_| Err(failed("it cannot be compiled".to_owned())))
                }
                Err(error) => Err(failed(format!("there is no thread to compile it: {error}"))),
            }
        })
    }

    /// The last value that the query gives for the data of an event, as JSON; `null` when it gives none. `None` when that
    /// takes more than a moment: then it is to be run [aside](Self::run_aside).
    ///
    /// # Errors
    /// When the data are no JSON, or the query fails.
    pub fn glance(&self, event: &Event) -> Option<Result<Vec<u8>, Failure>> {
        Some(self.within(&GLANCE, event)).filter(|result| !matches!(result, Err(Failure::Exceeded(_))))
    }

    /// The same on a thread of its own, within these bounds; `done` is called there.
    ///
    /// # Errors
    /// When there is no such thread.
    pub fn run_aside(
        self: &Arc<Self>,
        event: Event,
        bounds: Bounds,
        done: impl FnOnce(Result<Vec<u8>, Failure>) + Send + 'static,
    ) -> io::Result<()> {
        let query = Arc::clone(self);
        let limits = Limits { steps: u64::MAX, bounds, stack: CALLS };
        let thread = std::thread::Builder::new().name("jq".to_owned()).stack_size(STACK);
        thread.spawn(move || done(query.within(&limits, &event))).map(drop)
    }

    /// Runs the query and waits for it.
    ///
    /// # Errors
    /// When the data are no JSON, the query fails or reaches a bound, or there is no thread for it.
    pub fn run(self: &Arc<Self>, event: &Event, bounds: Bounds) -> Result<Vec<u8>, Failure> {
        if let Some(result) = self.glance(event) {
            return result;
        }
        let (done, result) = mpsc::channel();
        let begun = self.run_aside(event.clone(), bounds, move |result| drop(done.send(result)));
        begun.ok().and_then(|()| result.recv().ok()).unwrap_or(Err(Failure::Interpreter))
    }

    fn within(&self, limits: &Limits, event: &Event) -> Result<Vec<u8>, Failure> {
        if let Some(content_type) = event.data_content_type().filter(|content_type| !is_json(content_type)) {
            return Err(Failure::ContentType(content_type.chars().take(80).collect()));
        }
        let result = budget::within(limits, || self.evaluate(event));
        result.unwrap_or_else(|ended| {
            Err(match ended {
                Ended::Exceeded(exceeded) => Failure::Exceeded(exceeded),
                Ended::Panicked => Failure::Interpreter,
            })
        })
    }

    fn evaluate(&self, event: &Event) -> Result<Vec<u8>, Failure> {
        let data = event.data().map(|data| &**data).unwrap_or_default();
        let input = match data {
            [] => Value::Null,
            data => read::value(data).map_err(|error| Failure::Data(error.to_string()))?,
        };
        let context = if self.wants_context { attributes(event) } else { Value::Null };
        let context = Ctx::<Engine>::new(
            Terms(&self.filter.lut),
            Vars::new([Value::object(Object::default()), context]),
        );
        let mut last = Value::Null;
        for output in self.filter.id.run((context, input)) {
            match output {
                Ok(value) => last = value,
                Err(exception) => match message(exception) {
                    Some(message) => return Err(Failure::Query(message)),
                    None => break,
                },
            }
        }
        Ok(write::to_json(&last))
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").finish_non_exhaustive()
    }
}

/// What the original read as JSON; it failed for other types, of which `…+json` are some.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "text/json"].iter().any(|json| media_type.eq_ignore_ascii_case(json))
}

fn attributes(event: &Event) -> Value {
    let mut object = Object::default();
    object.insert(Text::new("specversion".to_owned()), Value::text("1.0"));
    for (name, value) in event.attributes() {
        object.insert(Text::new(name.as_str().to_owned()), Value::text(value.as_str()));
    }
    Value::object(object)
}

fn compile(text: &str) -> Result<Query, Mistake> {
    let arena = Arena::default();
    let loader = Loader::new(definitions());
    let modules = loader.load(&arena, File { code: text, path: () }).map_err(|errors| {
        let error = errors.into_iter().next().map(|(_, error)| error);
        match error {
            Some(load::Error::Lex(errors)) => first(
                text,
                errors
                    .into_iter()
                    .map(|(expected, found)| (found, format!("expected {}", expected.as_str()))),
            ),
            Some(load::Error::Parse(errors)) => first(
                text,
                errors
                    .into_iter()
                    .map(|(expected, found)| (found, format!("expected {}", expected.as_str()))),
            ),
            Some(load::Error::Io(errors)) => first(text, errors),
            None => first(text, []),
        }
    })?;
    let compiler = Compiler::default().with_funs(natives()).with_global_vars([ENVIRONMENT, CONTEXT]);
    let filter = compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        first(text, errors.map(|(name, undefined)| (name, unknown(name, &undefined))))
    })?;
    Ok(Query { filter, wants_context: text.contains(CONTEXT) })
}

fn unknown(name: &str, undefined: &Undefined) -> String {
    match undefined {
        Undefined::Filter(arity) => format!("there is no function '{name}/{arity}'"),
        other => format!("there is no {} '{name}'", other.as_str()),
    }
}

/// The mistake that stands first in the text: jaq's places are parts of the text itself.
fn first<'a>(text: &str, errors: impl IntoIterator<Item = (&'a str, String)>) -> Mistake {
    let begin = text.as_ptr().addr();
    let offset = |part: &str| part.as_ptr().addr().wrapping_sub(begin).min(text.len());
    let mut errors: Vec<_> = errors.into_iter().map(|(part, message)| (offset(part), message)).collect();
    errors.sort();
    let (offset, message) = errors.into_iter().next().unwrap_or((0, "it cannot be read".to_owned()));
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let found = text.get(offset..).and_then(|rest| rest.split_whitespace().next());
    let message = match found {
        Some(found) if message.starts_with("expected") => {
            format!("{message}, found '{}'", found.chars().take(20).collect::<String>())
        }
        None if message.starts_with("expected") => format!("{message}, but the query ends here"),
        _ => message,
    };
    Mistake { line, column, message: shown(&message) }
}

/// A message on one line, whatever of the query it repeats.
fn shown(message: &str) -> String {
    let mut text = String::new();
    for c in message.chars().take(MAX_MESSAGE) {
        if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}
