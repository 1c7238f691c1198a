//! The dead letters that a broker keeps itself, those of triggers without a `deadLetterURL`, and the pages by which they
//! are listed, shown, delivered again and removed; beside them the status of the triggers. The format of the pages is in this
//! crate's README.

use std::{future::Future, sync::Arc};

use axum::{
    extract::{Path, RawQuery, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use common::{Error, Event, Text, event::json};
use serde_json::{Map, Value, json};

use crate::{
    death,
    engine::{Backend, Engine, NotReplayed},
};

/// Entries of a page where nothing is said, and at most.
const LIMITS: (usize, usize) = (100, 1000);

/// A dead letter: the event with what is said of its failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// Its place among the dead letters, in the order of which they are listed.
    pub id: Text,
    /// The event.
    pub event: Event,
}

/// Where a backend keeps the dead letters.
pub trait DeadLetters: Send + Sync + 'static {
    /// Keeps one more; it is safe on `Ok`.
    fn put(&self, event: Event) -> impl Future<Output = Result<(), Error>> + Send;

    /// Those behind an id, or the first, in the order of ids. None at all means that there are no more.
    ///
    /// An id that could not be one is a permanent error.
    fn page(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Dead>, Error>> + Send;

    /// One of them.
    fn get(&self, id: &str) -> impl Future<Output = Result<Option<Dead>, Error>> + Send;

    /// Removes one; false when it was not there.
    fn remove(&self, id: &str) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// A broker without dead letters of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDeadLetters;

impl DeadLetters for NoDeadLetters {
    async fn put(&self, _: Event) -> Result<(), Error> {
        Err(Error::permanent("this broker keeps no dead letters"))
    }

    async fn page(&self, _: Option<&str>, _: usize) -> Result<Vec<Dead>, Error> {
        Ok(Vec::new())
    }

    async fn get(&self, _: &str) -> Result<Option<Dead>, Error> {
        Ok(None)
    }

    async fn remove(&self, _: &str) -> Result<bool, Error> {
        Ok(false)
    }
}

/// The pages of a broker, for who has the credentials of its document.
pub fn pages<B: Backend>(engine: &Arc<Engine<B>>) -> Vec<(&'static str, MethodRouter)> {
    let pages: [(&'static str, MethodRouter<Arc<Engine<B>>>); 4] = [
        ("/status", get(status::<B>)),
        ("/dlq", get(list::<B>)),
        ("/dlq/{id}", get(show::<B>).delete(remove::<B>)),
        ("/dlq/{id}/replay", post(replay::<B>)),
    ];
    let guarded = |page: MethodRouter<Arc<Engine<B>>>| {
        page.layer(from_fn_with_state(Arc::clone(engine), guard::<B>)).with_state(Arc::clone(engine))
    };
    pages.into_iter().map(|(path, page)| (path, guarded(page))).collect()
}

async fn guard<B: Backend>(State(engine): State<Arc<Engine<B>>>, request: Request, next: Next) -> Response {
    if engine.admits(request.headers()) {
        return next.run(request).await;
    }
    crate::service::unauthorized().map(axum::body::Body::from)
}

async fn status<B: Backend>(State(engine): State<Arc<Engine<B>>>) -> Response {
    with_type("application/json", engine.status().to_string())
}

async fn list<B: Backend>(State(engine): State<Arc<Engine<B>>>, RawQuery(query): RawQuery) -> Response {
    let query = match Query::read(query.as_deref().unwrap_or_default()) {
        Ok(query) => query,
        Err(problem) => return text(StatusCode::BAD_REQUEST, problem),
    };
    match query.answer(engine.backend.dead()).await {
        Ok(listing) => with_type("application/json", listing.to_string()),
        Err(error) => unavailable(&error),
    }
}

async fn show<B: Backend>(State(engine): State<Arc<Engine<B>>>, Path(id): Path<String>) -> Response {
    match engine.backend.dead().get(&id).await {
        Ok(Some(dead)) => with_type("application/cloudevents+json", json::to_vec(&dead.event)),
        Ok(None) => text(StatusCode::NOT_FOUND, NotReplayed::Unknown.to_string()),
        Err(error) => unavailable(&error),
    }
}

async fn remove<B: Backend>(State(engine): State<Arc<Engine<B>>>, Path(id): Path<String>) -> Response {
    match engine.backend.dead().remove(&id).await {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => text(StatusCode::NOT_FOUND, NotReplayed::Unknown.to_string()),
        Err(error) => unavailable(&error),
    }
}

async fn replay<B: Backend>(State(engine): State<Arc<Engine<B>>>, Path(id): Path<String>) -> Response {
    let reason = match engine.replay(&id).await {
        Ok(()) => return StatusCode::OK.into_response(),
        Err(NotReplayed::Store(error)) => return unavailable(&error),
        Err(reason) => reason,
    };
    let status = match &reason {
        NotReplayed::Unknown => StatusCode::NOT_FOUND,
        NotReplayed::NoEvent | NotReplayed::NoTrigger(_) => StatusCode::CONFLICT,
        NotReplayed::Failed(_) | NotReplayed::Store(_) => StatusCode::BAD_GATEWAY,
    };
    text(status, reason.to_string())
}

/// What is to be listed.
#[derive(Debug, Default)]
struct Query {
    after: Option<String>,
    trigger: Option<String>,
    limit: usize,
}

impl Query {
    fn read(query: &str) -> Result<Self, String> {
        let mut read = Self { limit: LIMITS.0, ..Self::default() };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_encoding::percent_decode_str(value)
                .decode_utf8()
                .map_err(|_| format!("{name} is not UTF-8"))?;
            match name {
                "after" => read.after = Some(value.into_owned()).filter(|id| !id.is_empty()),
                "trigger" => read.trigger = Some(value.into_owned()).filter(|name| !name.is_empty()),
                "limit" => match value.parse() {
                    Ok(limit) if (1..=LIMITS.1).contains(&limit) => read.limit = limit,
                    _ => return Err(format!("limit must be a whole number from 1 to {}", LIMITS.1)),
                },
                _ => return Err("after, limit and trigger can be asked for, and nothing else".to_owned()),
            }
        }
        Ok(read)
    }

    /// Looks on until the page is full or there are no more.
    async fn answer(&self, letters: &impl DeadLetters) -> Result<Value, Error> {
        let mut entries = Vec::new();
        let mut after = self.after.clone();
        loop {
            let found = letters.page(after.as_deref(), self.limit).await?;
            let Some(last) = found.last().map(|dead| dead.id.to_string()) else {
                return Ok(json!({"entries": entries, "next": null}));
            };
            for dead in found {
                let wanted = |trigger: &String| dead.event.get(death::TRIGGER) == Some(trigger.as_str());
                if self.trigger.as_ref().is_none_or(wanted) {
                    entries.push(entry(&dead));
                }
                if entries.len() == self.limit {
                    return Ok(json!({"entries": entries, "next": &*dead.id}));
                }
            }
            after = Some(last);
        }
    }
}

fn entry(dead: &Dead) -> Value {
    let text = |name: &str| dead.event.get(name).map(str::to_owned);
    let number = |name: &str| dead.event.get(name).and_then(|value| value.parse::<u32>().ok());
    json!({
        "id": &*dead.id,
        "trigger": text(death::TRIGGER),
        "time": text(death::FAILED_AT),
        "attempts": number(death::ATTEMPTS),
        "code": number(death::CODE),
        "error": death::error(&dead.event),
        "hops": number(death::HOPS),
        "event": context(&dead.event),
    })
}

/// The original event without its data.
fn context(event: &Event) -> Value {
    let original = death::revive(event.clone()).event;
    let mut members = Map::from_iter([("specversion".to_owned(), json!(common::event::SPEC_VERSION))]);
    members.extend(original.attributes().map(|(name, value)| (name.to_string(), json!(&**value))));
    Value::Object(members)
}

fn text(status: StatusCode, text: impl Into<String>) -> Response {
    common::adapter::text_answer(status, text).map(axum::body::Body::from)
}

fn with_type(content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn unavailable(error: &Error) -> Response {
    if error.is_permanent() {
        return text(StatusCode::BAD_REQUEST, error.chain());
    }
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, error.chain());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

#[cfg(test)]
mod tests;
