//! What a broker does with events, seen from outside: the real binary between a sender and scripted receivers.

mod delivery;
mod end;
mod reload;
mod replies;
mod room;

use kit::Failure;
use kit::broker::{Broker, answer_by_path, event, expect, first_event, ids, numbered, trigger, wait_for_ids};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

/// One that is ready.
fn start(triggers: Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    start_with(&json!({"triggers": triggers}), settings)
}

fn start_with(document: &Value, settings: &[(&str, &str)]) -> Result<Broker, Failure> {
    Broker::ready("memory-broker", document, settings)
}
