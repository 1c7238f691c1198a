//! `google-cloud-pubsub-source` on Google's fake, a subscription without and one with order.

use std::ops::Range;
use std::time::Duration;

use kit::{Captured, Failure};
use peers::Pstest;
use serde_json::{Value, json};

use super::{IN_FLIGHT, KEYS, Subject, Upstream};

pub fn plain() -> Subject {
    Subject {
        name: "google-cloud-pubsub-source",
        adapter: "google-cloud-pubsub-source",
        ordered: false,
        // The service sends no more until something is acknowledged, whatever the client still has to say.
        for_each_kill: IN_FLIGHT,
        for_each_theft: 0,
        // 10 s are the shortest deadline that the client library asks for.
        past: Duration::from_secs(12),
        start: || start(false),
    }
}

pub fn ordered() -> Subject {
    Subject { name: "google-cloud-pubsub-source, ordered", ordered: true, start: || start(true), ..plain() }
}

struct PubSub {
    server: Pstest,
    ordered: bool,
}

fn start(ordered: bool) -> Result<Box<dyn Upstream>, Failure> {
    let server = Pstest::start()?;
    server.topic(Pstest::TOPIC)?;
    server.subscribe(Pstest::SUBSCRIPTION, Pstest::TOPIC, &json!({ "ordering": ordered }))?;
    // As with a deadline of two seconds for those that were killed; the client library asks for none below ten.
    server.abandon_after(2000)?;
    Ok(Box::new(PubSub { server, ordered }))
}

impl Upstream for PubSub {
    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GCLOUD_PUBSUB_SUBSCRIPTION", Pstest::SUBSCRIPTION.to_owned()),
            ("PUBSUB_EMULATOR_HOST", self.server.emulator()),
            ("GCLOUD_PUBSUB_ACK_DEADLINE", "10s".to_owned()),
        ]
    }

    fn feed(&self, mut numbers: Range<usize>) -> Result<(), Failure> {
        numbers.try_for_each(|number| {
            let key = if self.ordered { (number % KEYS).to_string() } else { String::new() };
            self.server.publish(number.to_string().as_bytes(), &json!({}), &key).map(drop)
        })
    }

    fn number(&self, request: &Captured) -> Result<usize, Failure> {
        let data: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
        let number = data["Data"].as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("no number in {data}"))
    }

    fn left(&self) -> Result<usize, Failure> {
        Ok(self.server.messages()?.iter().filter(|message| message.acks == 0).count())
    }
}
