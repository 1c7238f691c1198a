//! The broker as the frame sees it: requests become events in memory, and the rest is delivery beside them.
//!
//! Facts: TriggerMesh's brokers, their ingest, settings and configuration document.

use std::sync::{Arc, Mutex, PoisonError};

use broker::{
    memory::{Engine, Refused, Settings},
    source::Source,
};
use common::{
    Adapter, Answer, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Stop, Target,
    config::ConfigError,
    http::{Client, Roots},
    send::SenderOptions,
    worker,
};
use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE, request::Parts};

use crate::config::MemoryConfig;

/// How often the numbers that only change over time are brought up to date.
const OBSERVE: std::time::Duration = std::time::Duration::from_secs(1);

/// A broker that keeps its events in memory.
pub struct Memory {
    engine: Arc<Engine>,
    /// Taken by the one task that follows the document.
    source: Mutex<Option<Source>>,
}

impl Adapter for Memory {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Broker,
        component: "memorybroker",
        resource_group: "memorybrokers.eventing.triggermesh.io",
        images: &["memory-broker"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Single,
        kinds: &[Kind {
            group: "eventing.triggermesh.io",
            version: "v1alpha1",
            kind: "MemoryBroker",
            constants: &[],
            fields: &[
                Field::new("memory.bufferSize", "MEMORY_BUFFER_SIZE"),
                Field::new("memory.bufferBytes", "MEMORY_BUFFER_BYTES"),
                Field::new("memory.produceTimeout", "MEMORY_PRODUCE_TIMEOUT"),
                Field::new("broker.name", "BROKER_NAME").or("{name}"),
            ],
        }],
    };
    type Config = MemoryConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        for name in config.without_effect() {
            tracing::warn!(name, "a setting of the old image has no effect");
        }
        let (variable, place) = config.place();
        let mut source = Source::new(place);
        let document = source
            .first()
            .map_err(|error| ConfigError::new(variable, format_args!("is unusable: {error}")))?;
        let client = Client::new(Roots::Process);
        let settings = Settings {
            buffer: config.buffer(),
            produce_timeout: *config.memory_produce_timeout,
            max_hops: config.broker_max_hops,
            retry_after_max: *config.broker_retry_after_max,
            sending: SenderOptions { timeout: *config.broker_delivery_timeout, ..SenderOptions::default() },
            name: config.broker_name.unwrap_or_else(host_name),
        };
        let engine = Engine::new(settings, client);
        engine.load(document);
        Ok(Self { engine, source: Mutex::new(Some(source)) })
    }
}

impl Target for Memory {
    /// The answer of the old brokers, which their clients may look for.
    const ACCEPTED: StatusCode = StatusCode::OK;

    fn admit(&self, request: &Parts) -> Result<(), Answer> {
        if self.engine.admits(&request.headers) {
            return Ok(());
        }
        let mut answer =
            common::adapter::text_answer(StatusCode::UNAUTHORIZED, "user and password are wanted");
        answer
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"broker\", charset=\"UTF-8\""));
        Err(answer)
    }

    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        match self.engine.ingest(event, context.trace.clone()).await {
            Ok(()) => Ok(Reply::Done),
            Err(error @ Refused::Full) => Err(Error::retryable("taking the event in")
                .caused_by(error)
                .with_status(StatusCode::TOO_MANY_REQUESTS)),
            Err(error @ Refused::TooLarge) => Err(Error::permanent("taking the event in")
                .caused_by(error)
                .with_status(StatusCode::PAYLOAD_TOO_LARGE)),
        }
    }

    async fn run(self: &Arc<Self>, stop: Stop) -> Result<(), Error> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        tokio::select! {
            () = stop.closed() => {}
            () = self.follow(source) => {}
            () = self.observe() => {}
        }
        let deadline = stop.deadline().unwrap_or_else(std::time::Instant::now);
        match self.engine.drain(deadline).await {
            0 => Ok(()),
            lost => Err(Error::permanent(format!("{lost} events were lost"))),
        }
    }
}

impl Memory {
    /// Puts each new document into force, for ever.
    async fn follow(&self, source: Option<Source>) {
        let Some((mut source, pause)) = source.and_then(|source| source.pause().map(|pause| (source, pause)))
        else {
            return std::future::pending().await;
        };
        loop {
            worker::sleep(pause).await;
            match source.changed() {
                Ok(None) => {}
                Ok(Some(document)) => self.engine.load(document),
                Err(error) => {
                    tracing::error!(reason = %error, "the configuration document is unusable: the last good one stays");
                }
            }
        }
    }

    async fn observe(&self) {
        loop {
            worker::sleep(OBSERVE).await;
            self.engine.observe();
        }
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { env!("CARGO_PKG_NAME").to_owned() } else { name.trim().to_owned() }
}
