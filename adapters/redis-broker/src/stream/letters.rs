//! The dead letters: a stream beside the events, in the same slot of a cluster.

use std::sync::Arc;

use broker::dlq::{Dead, DeadLetters};
use common::{Error, Event, Text, event::json};
use redis::{Cmd, Value, cmd};

use super::{
    client::{Client, failure},
    id::Id,
    reply::{self, Found},
};

/// The dead letters of a group.
#[derive(Debug)]
pub struct Letters {
    client: Arc<Client>,
    pub key: String,
}

impl Letters {
    pub fn new(client: &Arc<Client>, key: &str) -> Self {
        Self { client: Arc::clone(client), key: key.to_owned() }
    }

    async fn ask<T: redis::FromRedisValue>(&self, what: &str, command: Cmd) -> Result<T, Error> {
        let answer =
            self.client.ask(|mut connection| async move { command.query_async(&mut connection).await });
        answer.await.map_err(|error| failure(what, &error))
    }

    async fn range(&self, from: String, to: &str, limit: usize) -> Result<Vec<Dead>, Error> {
        let mut range = cmd("XRANGE");
        range.arg(&self.key).arg(from).arg(to).arg("COUNT").arg(limit);
        let found: Value = self.ask("listing dead letters", range).await?;
        Ok(reply::entries(found).into_iter().filter_map(dead).collect())
    }
}

impl DeadLetters for Letters {
    async fn put(&self, event: Event) -> Result<(), Error> {
        let mut add = cmd("XADD");
        add.arg(&self.key).arg("*").arg(reply::EVENT).arg(json::to_vec(&event));
        self.ask::<Value>("keeping a dead letter", add).await.map(drop)
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Dead>, Error> {
        let from = match after {
            None => "-".to_owned(),
            Some(after) => read(after)?.next().to_string(),
        };
        self.range(from, "+", limit).await
    }

    async fn get(&self, id: &str) -> Result<Option<Dead>, Error> {
        let id = read(id)?.to_string();
        Ok(self.range(id.clone(), &id, 1).await?.pop())
    }

    async fn remove(&self, id: &str) -> Result<bool, Error> {
        let mut delete = cmd("XDEL");
        delete.arg(&self.key).arg(read(id)?.to_string());
        self.ask::<u64>("removing a dead letter", delete).await.map(|removed| removed > 0)
    }
}

fn read(id: &str) -> Result<Id, Error> {
    id.parse().map_err(|problem: String| Error::permanent(format!("reading the id: {problem}")))
}

fn dead(Found { id, fields }: Found) -> Option<Dead> {
    let entry = reply::incoming(id, fields?);
    // What is none of ours is not listed.
    let event = json::from_slice(entry.value).ok()?;
    Some(Dead { id: Text::from(id.to_string()), event })
}
