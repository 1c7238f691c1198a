//! The stream as the engine sees it.

mod append;
mod bounds;
mod client;
mod group;
mod id;
mod letters;
mod metrics;
mod reader;
mod reply;
mod tls;
mod trim;

use std::{sync::Arc, time::Duration};

use broker::{
    document::Bounds,
    engine::Stored,
    log::{Batch, Log},
};
use common::{Error, Text};

use append::Appender;
use client::Client;
use id::Id;
use letters::Letters;
use reader::Reader;

pub use bounds::check;
pub use client::Servers;
pub use tls::Tls;
pub use trim::Trim;

/// The names in Redis.
#[derive(Clone, Debug)]
pub struct Names {
    /// The key of the stream.
    pub stream: String,
    /// What the groups' names begin with.
    pub prefix: String,
    /// Who we are in the groups.
    pub consumer: String,
}

impl Names {
    /// The group of a trigger.
    pub fn group(&self, trigger: &str) -> String {
        format!("{}.{trigger}", self.prefix)
    }

    /// The key of the dead letters, in the same slot of a cluster as the stream; `None` where no key could be.
    pub fn letters(&self) -> Option<String> {
        let hashed = match self.stream.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            // What stands in the first braces alone is hashed, unless that is nothing.
            Some((tag, _)) if !tag.is_empty() => self.stream.clone(),
            _ if self.stream.contains('}') => return None,
            _ => format!("{{{}}}", self.stream),
        };
        Some(format!("{hashed}.{}.dlq", self.prefix))
    }
}

/// What the stream does beside keeping events.
#[derive(Debug)]
pub struct Options {
    pub claim_idle: Duration,
    pub tells_id: bool,
}

/// The stream.
#[derive(Debug)]
pub struct Stream {
    servers: Arc<Servers>,
    client: Arc<Client>,
    names: Names,
    options: Options,
    appender: Arc<Appender>,
    letters: Letters,
    trim: Trim,
}

impl Stream {
    pub fn new(servers: Arc<Servers>, names: Names, letters: &str, options: Options, trim: Trim) -> Self {
        let client = Arc::new(Client::new(&servers));
        Self {
            appender: Appender::new(&client, &names.stream),
            letters: Letters::new(&client, letters),
            servers,
            client,
            names,
            options,
            trim,
        }
    }
}

impl Log for Stream {
    type Position = Id;
    type Reader = Reader;
    type Dead = Letters;

    fn dead(&self) -> &Letters {
        &self.letters
    }

    async fn connect(&self) -> Result<(), Error> {
        self.trim.look(&self.client, &self.names).await
    }

    fn is_ready(&self) -> bool {
        self.servers.is_ready()
    }

    fn trouble(&self) -> Option<String> {
        self.servers.trouble()
    }

    async fn append(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        self.appender.append(std::slice::from_ref(stored)).await
    }

    async fn append_all(&self, stored: &[Arc<Stored>]) -> Result<(), Error> {
        self.appender.append(stored).await
    }

    fn reader(&self, trigger: &str, bounds: Option<&Bounds>) -> Reader {
        Reader::new(&self.servers, &self.names, trigger, bounds, self.options.claim_idle)
    }

    fn set_ordered(&self, reader: &Reader, ordered: bool) {
        reader.set_ordered(ordered);
    }

    async fn subscribe(&self, reader: &Reader) -> Result<(), Error> {
        reader.subscribe(&self.client).await
    }

    async fn read(&self, reader: &Reader, most: usize) -> Result<Batch<Id>, Error> {
        reader.read(&self.client, most).await
    }

    async fn acknowledge(&self, reader: &Reader, positions: &[Id]) -> Result<(), Error> {
        reader.acknowledge(&self.client, positions).await
    }

    fn take_lost(&self, reader: &Reader) -> u64 {
        reader.take_lost()
    }

    async fn upkeep(&self, readers: &[Arc<Reader>]) {
        for reader in readers {
            if let Err(error) = reader.hold(&self.client).await {
                tracing::warn!(
                    group = reader.group,
                    reason = error.chain(),
                    "entries that take long may be taken over"
                );
            }
        }
        self.trim.upkeep(&self.client, &self.names, &self.letters.key, &self.servers, readers).await;
    }

    async fn leave(&self, reader: &Reader, forget: bool) {
        if forget && let Err(error) = reader.forget(&self.client).await {
            tracing::warn!(group = reader.group, reason = error.chain(), "a consumer group stays behind");
        }
    }

    fn text(&self, position: &Id) -> Text {
        Text::from(position.to_string())
    }

    fn tells_position(&self) -> bool {
        self.options.tells_id
    }

    fn name(&self) -> &str {
        &self.names.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_in_the_slot_of_the_stream() {
        let table = [
            ("triggermesh", Some("{triggermesh}.default.dlq")),
            ("ns.name", Some("{ns.name}.default.dlq")),
            ("{orders}.events", Some("{orders}.events.default.dlq")),
            ("a{b", Some("{a{b}.default.dlq")),
            ("a}b", None),
            ("{}a", None),
        ];
        for (stream, letters) in table {
            let names = Names { stream: stream.to_owned(), prefix: "default".into(), consumer: "me".into() };
            assert_eq!(names.letters().as_deref(), letters, "{stream}");
            assert_eq!(names.group("t"), "default.t");
        }
    }
}
