//! A broker as the frame sees it, whatever keeps its events: requests become events, the document is followed, and the end
//! is a drain.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::routing::MethodRouter;
use common::{
    Adapter, Answer, Context, Error, Event, Info, Reply, Stop, Target,
    config::{Config, ConfigError},
    http::{Client, Roots},
    run, worker,
};
use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE, request::Parts};

use crate::{
    dlq,
    engine::{Backend, Engine, Refused},
    room::Amount,
    settings::BrokerSettings,
    source::{CheckBounds, Source},
};

/// How often what is to be done from time to time is done.
const UPKEEP: Duration = Duration::from_secs(1);

/// What tells one broker from another for the frame.
pub trait Broker: Sized + Send + Sync + 'static {
    /// What it is.
    const INFO: Info;
    /// Its environment.
    type Config: Config;
    /// Where its events are.
    type Backend: Backend;

    /// The broker that the settings ask for, made by [`Service::new`].
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn service(config: Self::Config) -> Result<Service<Self>, ConfigError>;
}

/// The `main` of a broker.
#[must_use]
pub fn main<B: Broker>() -> ExitCode {
    if B::Backend::KEEPS { run::durable_broker::<Service<B>>() } else { run::broker::<Service<B>>() }
}

/// What the adapters of all brokers do.
#[derive(Debug)]
pub struct Service<B: Broker> {
    engine: Arc<Engine<B::Backend>>,
    /// Taken by the one task that follows the document.
    source: Mutex<Option<Source>>,
}

impl<B: Broker> Service<B> {
    /// A broker with the document that the settings name, which holds so much in memory, in all and for one trigger.
    ///
    /// # Errors
    /// When the document cannot be read, is broken, or asks for what the backend cannot do.
    pub fn new(
        settings: &BrokerSettings,
        backend: B::Backend,
        (buffer, share): (Amount, Amount),
        bounds: CheckBounds,
    ) -> Result<Self, ConfigError> {
        for name in settings.without_effect() {
            tracing::warn!(name, "a setting of the old image has no effect");
        }
        let (variable, place) = settings.place();
        let mut source = Source::new(place, bounds);
        let document = source
            .first()
            .map_err(|error| ConfigError::new(variable, format_args!("is unusable: {error}")))?;
        let engine = Engine::new(backend, settings.engine(buffer, share), Client::new(Roots::Process));
        engine.load(document);
        Ok(Self { engine, source: Mutex::new(Some(source)) })
    }

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

    async fn keep_up(&self) {
        loop {
            worker::sleep(UPKEEP).await;
            self.engine.observe();
            B::Backend::upkeep(&self.engine).await;
        }
    }
}

impl<B: Broker> Adapter for Service<B> {
    const INFO: Info = B::INFO;
    type Config = B::Config;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        B::service(config)
    }

    async fn connect(&self) -> Result<(), Error> {
        B::Backend::connect(&self.engine).await
    }

    fn is_ready(&self) -> bool {
        self.engine.backend.is_ready()
    }

    /// The pages of the dead letters, and of what becomes of the triggers.
    fn pages(self: &Arc<Self>) -> Vec<(&'static str, MethodRouter)> {
        dlq::pages(&self.engine)
    }
}

impl<B: Broker> Target for Service<B> {
    /// The answer of the old brokers, which their clients may look for.
    const ACCEPTED: StatusCode = StatusCode::OK;
    /// What outlives the process is written as a whole.
    const TAKES_BATCHES: bool = B::Backend::KEEPS;

    /// Looks at the credentials of the document.
    fn admit(&self, request: &Parts) -> Result<(), Answer> {
        if self.engine.admits(&request.headers) { Ok(()) } else { Err(unauthorized()) }
    }

    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let taken = self.engine.ingest(event, context.trace.clone()).await;
        taken.map(|()| Reply::Done).map_err(refused)
    }

    async fn handle_batch(&self, events: Vec<Event>, context: &Context) -> Result<(), Error> {
        self.engine.ingest_all(events, context.trace.clone()).await.map_err(refused)
    }

    /// Follows the document until the stop, then delivers what is left; an error says that events were lost.
    async fn run(self: &Arc<Self>, stop: Stop) -> Result<(), Error> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        tokio::select! {
            () = stop.closed() => {}
            () = self.follow(source) => {}
            () = self.keep_up() => {}
        }
        let deadline = stop.deadline().unwrap_or_else(Instant::now);
        match self.engine.drain(deadline).await {
            0 => Ok(()),
            lost => Err(Error::permanent(format!("{lost} events were lost"))),
        }
    }
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Full => Error::retryable("taking the event in")
            .caused_by(refused)
            .with_status(StatusCode::TOO_MANY_REQUESTS),
        Refused::TooLarge => Error::permanent("taking the event in")
            .caused_by(refused)
            .with_status(StatusCode::PAYLOAD_TOO_LARGE),
        Refused::Unavailable(error) => error,
    }
}

/// The answer to a request without the right credentials.
pub(crate) fn unauthorized() -> Answer {
    let mut answer = common::adapter::text_answer(StatusCode::UNAUTHORIZED, "user and password are wanted");
    answer
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"broker\", charset=\"UTF-8\""));
    answer
}
