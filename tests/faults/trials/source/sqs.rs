//! `aws-sqs-source` on ElasticMQ, a standard queue and a FIFO one.

use std::ops::Range;
use std::time::Duration;

use kit::{Captured, Failure};
use peers::Queue;
use serde_json::{Value, json};

use super::{IN_FLIGHT, KEYS, Subject, Upstream};

/// Messages that one call acknowledges.
const BATCH: usize = 10;

pub fn standard() -> Subject {
    Subject {
        name: "aws-sqs-source",
        adapter: "aws-sqs-source",
        ordered: false,
        for_each_kill: IN_FLIGHT + BATCH,
        for_each_theft: 0,
        past: Duration::from_secs(7),
        start: || {
            Ok(Box::new(Sqs { queue: Queue::standard(&json!({"VisibilityTimeout": "3"}))?, groups: false }))
        },
    }
}

pub fn fifo() -> Subject {
    Subject {
        name: "aws-sqs-source, FIFO",
        ordered: true,
        start: || Ok(Box::new(Sqs { queue: Queue::fifo(&json!({"VisibilityTimeout": "2"}))?, groups: true })),
        ..standard()
    }
}

struct Sqs {
    queue: Queue,
    groups: bool,
}

impl Upstream for Sqs {
    fn environment(&self) -> Vec<(&'static str, String)> {
        self.queue.settings(format!("http://{}", self.queue.address()))
    }

    fn feed(&self, numbers: Range<usize>) -> Result<(), Failure> {
        let entry = |number: usize| {
            let mut entry = json!({"Id": number.to_string(), "MessageBody": number.to_string()});
            if self.groups {
                entry["MessageGroupId"] = (number % KEYS).to_string().into();
                entry["MessageDeduplicationId"] = number.to_string().into();
            }
            entry
        };
        let entries: Vec<_> = numbers.map(entry).collect();
        entries
            .chunks(BATCH)
            .try_for_each(|batch| self.queue.sqs().send_entries(self.queue.url(), &json!(batch)))
    }

    fn number(&self, request: &Captured) -> Result<usize, Failure> {
        let data: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
        let number = data["Body"].as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("no number in {data}"))
    }

    fn left(&self) -> Result<usize, Failure> {
        self.queue.depth()
    }
}
