//! An event for each element of an array in the data of another.

use bytes::Bytes;
use common::{Event, InvalidEvent, Text};

use crate::{
    Mistake,
    context::{self, CeContext},
    path::{Found, NotJson, Path},
};

/// The extension with the id of the event that a part is of, where parts are numbered.
pub const ID: &str = "splitid";
/// That with its source: an id is unique for one source only.
pub const SOURCE: &str = "splitsource";
/// That with the number of the part, from 0.
pub const INDEX: &str = "splitindex";
/// That with how many parts there are.
pub const COUNT: &str = "splitcount";

/// A compiled splitter: cheap to apply, shareable between threads.
#[derive(Debug, Clone)]
pub struct Splitter {
    path: Path,
    /// All that the parts have in common.
    sample: Event,
    numbered: bool,
    max_parts: usize,
}

/// Why an event cannot be split; the event is to blame, and another attempt has no other outcome.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is nothing to look into.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// Too many elements.
    #[error("the event has {0} parts, more than {1}")]
    TooMany(usize, usize),
    /// An attribute that no event can have.
    #[error("a part would be invalid: {0}")]
    Attribute(InvalidEvent),
}

/// What a splitter is made of.
#[derive(Debug, Clone, Copy)]
pub struct Spec<'a> {
    /// Where the array stands; all of the data where it is empty.
    pub path: &'a str,
    /// What the parts have in common.
    pub context: CeContext<'a>,
    /// Whether each part says which it is, of how many, and of what.
    pub numbered: bool,
}

/// Something wrong in a specification.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The path.
    Path(Mistake),
    /// What the parts have in common.
    Context(context::Problem),
}

impl Splitter {
    /// Compiles a specification.
    ///
    /// # Errors
    /// Every mistake.
    pub fn new(spec: &Spec<'_>) -> Result<Self, Vec<Problem>> {
        let path = Path::compile(spec.path).map_err(Problem::Path);
        let sample = spec.context.sample(if spec.numbered { &[ID, SOURCE, INDEX, COUNT] } else { &[] });
        let (numbered, max_parts) = (spec.numbered, usize::MAX);
        match (path, sample) {
            (Ok(path), Ok(sample)) => Ok(Self { path, sample, numbered, max_parts }),
            (path, sample) => {
                let problems = sample.err().unwrap_or_default().into_iter().map(Problem::Context);
                Err(path.err().into_iter().chain(problems).collect())
            }
        }
    }

    /// The same for events of at most so many parts.
    #[must_use]
    pub fn with_max_parts(mut self, max_parts: usize) -> Self {
        self.max_parts = max_parts;
        self
    }

    /// The parts of an event in their order: none where nothing stands at the path, one for what is no array. Their data
    /// are slices of the event's.
    ///
    /// # Errors
    /// When the data is not JSON, or has too many parts.
    pub fn split(&self, event: &Event) -> Result<Parts<'_>, Error> {
        let data = event.data().cloned().unwrap_or_default();
        let text = std::str::from_utf8(&data).map_err(|_| NotJson)?;
        // Where there is no data there is nothing at any path.
        let found = if data.is_empty() { None } else { self.path.find(text)? };
        let elements = found.map(Found::elements).unwrap_or_default();
        if elements.len() > self.max_parts {
            return Err(Error::TooMany(elements.len(), self.max_parts));
        }
        let elements: Vec<Bytes> = elements
            .iter()
            .map(|element| match element {
                Found::Json(text) => data.slice_ref(text.as_bytes()),
                other => Bytes::from(other.text().into_owned()),
            })
            .collect();
        let numbers = self.numbered.then(|| Numbers {
            source: event.source().into(),
            count: Text::from(elements.len().to_string()),
        });
        let elements = elements.into_iter().enumerate();
        Ok(Parts { splitter: self, id: event.id().into(), numbers, elements })
    }
}

/// What the parts say of the whole, beside its id.
#[derive(Debug)]
struct Numbers {
    source: Text,
    count: Text,
}

/// The parts of an event, made one by one.
#[derive(Debug)]
pub struct Parts<'a> {
    splitter: &'a Splitter,
    id: Text,
    numbers: Option<Numbers>,
    elements: std::iter::Enumerate<std::vec::IntoIter<Bytes>>,
}

impl Iterator for Parts<'_> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (number, data) = self.elements.next()?;
        Some(self.part(number, data).map_err(Error::Attribute))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.elements.size_hint()
    }
}

impl ExactSizeIterator for Parts<'_> {}

impl Parts<'_> {
    fn part(&self, number: usize, data: Bytes) -> Result<Event, InvalidEvent> {
        let mut event = self.splitter.sample.clone();
        event.set("id", format!("{}-{number}", self.id))?;
        if let Some(Numbers { source, count }) = &self.numbers {
            event.set(ID, self.id.clone())?;
            event.set(SOURCE, source.clone())?;
            event.set(INDEX, number.to_string())?;
            event.set(COUNT, count.clone())?;
        }
        event.replace_data(Some(data));
        Ok(event)
    }
}
