//! Holds the caller of each part until the aggregate with it was accepted.

use std::{path::Path, time::Duration};

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Rule, Scaling, Target,
    config::ConfigError,
    metrics::{self, Counters, Gauge},
};
use futures_util::future::join_all;
use routing::Aggregator;
use tokio::time::timeout_at;

use crate::{
    config::{AggregatorConfig, Incomplete},
    delivered::Delivered,
    table::{Bounds, NotTaken, Sealed, Seat, Table, Word},
};

/// The aggregator.
pub struct Gather {
    aggregator: Aggregator,
    incomplete: Incomplete,
    table: Table,
    waiting: Gauge,
    /// By what became of them.
    groups: Counters,
    parts: Counters,
}

impl Adapter for Gather {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "aggregator",
        resource_group: "aggregators.routing.triggermesh.io",
        images: &[],
        emits: &["{AGGREGATOR_CE_TYPE}"],
        accepts: &["*"],
        scaling: Scaling::Single,
        // Ours: TriggerMesh had no such kind.
        kinds: &[Kind {
            group: "routing.triggermesh.io",
            version: "v1alpha1",
            kind: "Aggregator",
            constants: &[],
            fields: &[
                Field::new("group.attributes", "AGGREGATOR_GROUP").rule(Rule::Join(",")),
                Field::new("group.path", "AGGREGATOR_GROUP_PATH"),
                Field::new("count", "AGGREGATOR_COUNT"),
                Field::new("countAttribute", "AGGREGATOR_COUNT_ATTRIBUTE"),
                Field::new("indexAttribute", "AGGREGATOR_INDEX_ATTRIBUTE"),
                Field::new("timeout", "AGGREGATOR_TIMEOUT"),
                Field::new("incomplete", "AGGREGATOR_INCOMPLETE"),
                Field::new("elements", "AGGREGATOR_ELEMENTS"),
                Field::new("ceContext.type", "AGGREGATOR_CE_TYPE"),
                Field::new("ceContext.source", "AGGREGATOR_CE_SOURCE"),
                Field::new("ceContext.extensions", "AGGREGATOR_CE_EXTENSIONS").rule(Rule::Json),
                Field::new("limits.parts", "AGGREGATOR_MAX_PARTS"),
                Field::new("limits.bytes", "AGGREGATOR_MAX_BYTES"),
                Field::new("limits.groups", "AGGREGATOR_MAX_GROUPS"),
                Field::new("limits.waiting", "AGGREGATOR_MAX_WAITING"),
                Field::new("keep", "AGGREGATOR_KEEP"),
                Field::new("remembered", "AGGREGATOR_REMEMBERED"),
            ],
        }],
    };
    type Config = AggregatorConfig;

    fn new(config: AggregatorConfig) -> Result<Self, ConfigError> {
        let named = |(variable, problem)| format!("{variable} {problem}");
        let aggregator = config
            .aggregator()
            .map_err(|problems| ConfigError { problems: problems.into_iter().map(named).collect() })?;
        let bounds = Bounds {
            timeout: *config.aggregator_timeout,
            keep: *config.aggregator_keep,
            waiting: config.waiting(),
            groups: config.aggregator_max_groups,
            parts: config.aggregator_max_parts,
            group_bytes: config.group_bytes(),
            bytes: config.bytes(),
        };
        let file = config.aggregator_remembered_file.as_deref().map(Path::new);
        let delivered = Delivered::open(config.aggregator_remembered, file).map_err(|error| {
            ConfigError::new(
                "AGGREGATOR_REMEMBERED_FILE",
                format_args!("cannot be read and written: {error}"),
            )
        })?;
        let waiting = metrics::gauges(
            "aggregator_waiting_parts",
            "Number of parts whose callers wait for the rest of their groups",
            &[],
            &[],
        );
        let groups = metrics::counters(
            "aggregator_groups_total",
            "Number of groups, by what became of them: complete or incomplete, and not accepted",
            &["outcome"],
            &[],
        );
        let parts = metrics::counters(
            "aggregator_parts_total",
            "Number of parts, by what their callers were told",
            &["outcome"],
            &[],
        );
        let (incomplete, table) = (config.aggregator_incomplete, Table::new(&bounds, delivered));
        Ok(Self { aggregator, incomplete, table, waiting: waiting.with(&[]), groups, parts })
    }

    /// What is being sent comes to its end with the requests; what is not complete is handed back to those who hold it.
    async fn settled(&self, _patience: Duration) {
        let groups = self.table.close();
        tracing::info!(groups, "groups that are not complete are given up before the end");
    }
}

impl Target for Gather {
    /// One after the other, the first would wait for those behind it.
    const TAKES_BATCHES: bool = true;

    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let Some(seat) = self.join(&event)? else { return Ok(Reply::Done) };
        drop(event);
        self.wait(seat, context).await.map(|()| Reply::Done)
    }

    async fn handle_batch(&self, events: Vec<Event>, context: &Context) -> Result<(), Error> {
        let seats = events.iter().filter_map(|event| self.join(event).transpose());
        let seats = seats.collect::<Result<Vec<_>, _>>()?;
        drop(events);
        // What was delivered of a batch that fails is known when it comes again.
        join_all(seats.into_iter().map(|seat| self.wait(seat, context))).await.into_iter().collect()
    }
}

fn late((parts, count): (usize, usize)) -> Error {
    Error::retryable(format!("the group was not complete in time: {parts} of {count} parts are here"))
}

impl Gather {
    /// Takes an event into its group; without a seat where it was delivered before.
    fn join(&self, event: &Event) -> Result<Option<Seat<'_>>, Error> {
        let part = self.aggregator.part(event).map_err(|refusal| {
            self.told("refused");
            Error::permanent("gathering the event").caused_by(refusal)
        })?;
        let seat = self.table.join(part).map_err(|none| self.not_taken(&none))?;
        if seat.is_none() {
            self.told("delivered before");
        }
        Ok(seat)
    }

    /// Waits for the group, and for what becomes of it.
    async fn wait(&self, mut seat: Seat<'_>, context: &Context) -> Result<(), Error> {
        let _counted = self.waiting.count();
        let word = match timeout_at(seat.deadline, seat.told()).await {
            Ok(word) => word,
            Err(_) if self.incomplete == Incomplete::Send => seat.seal(),
            Err(_) => {
                self.told("not complete in time");
                return Err(late(seat.progress()));
            }
        };
        let result = self.outcome(word, &seat, context).await;
        self.told(if result.is_ok() { "delivered" } else { "not delivered" });
        result
    }

    /// What becomes of the group: one of those who wait sends it, the others hear of it. When that one goes away, the next
    /// sends.
    async fn outcome(&self, word: Word, seat: &Seat<'_>, context: &Context) -> Result<(), Error> {
        let (Word::Send, Some(sealed)) = (word, seat.sealed()) else {
            return Err(Error::retryable("the process ends before the group is complete"));
        };
        let _turn = match seat.turn().await {
            Ok(turn) => turn,
            Err(outcome) => return outcome,
        };
        let result = self.send(sealed, context).await;
        seat.sent(result.clone());
        result
    }

    async fn send(&self, sealed: &Sealed, context: &Context) -> Result<(), Error> {
        let sink = context.sink().ok_or_else(|| Error::retryable("there is no sink"))?;
        let mut parts = sealed.parts.clone();
        let event = self.aggregator.aggregate(&sealed.group, &mut parts, sealed.is_complete);
        let mut event = event.map_err(|error| Error::permanent("making the aggregate").caused_by(error))?;
        drop(parts);
        // What the dead-letter sink took is delivered.
        let result = sink.attempt(&mut event, &context.trace).await;
        self.groups.count(&[match (&result, sealed.is_complete) {
            (Err(_), _) => "not accepted",
            (Ok(_), true) => "complete",
            (Ok(_), false) => "incomplete",
        }]);
        result.map(drop).map_err(Error::from)
    }

    fn not_taken(&self, none: &NotTaken) -> Error {
        let (outcome, error) = if none.is_transient() {
            ("no room", Error::retryable(none.to_string()))
        } else {
            ("refused", Error::permanent(none.to_string()))
        };
        self.told(outcome);
        error
    }

    fn told(&self, outcome: &str) {
        self.parts.count(&[outcome]);
    }
}
