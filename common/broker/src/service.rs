//! A broker as the frame sees it: requests become events, the document is followed, and the end is a drain.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::routing::MethodRouter;
use common::{
    Answer, Context, Error, Event, Reply, Stop,
    config::ConfigError,
    http::{Client, Roots},
    worker,
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

/// What the adapters of all brokers do.
#[derive(Debug)]
pub struct Service<B: Backend> {
    engine: Arc<Engine<B>>,
    /// Taken by the one task that follows the document.
    source: Mutex<Option<Source>>,
}

impl<B: Backend> Service<B> {
    /// A broker with the document that the settings name, which holds so much in memory, in all and for one trigger.
    ///
    /// # Errors
    /// When the document cannot be read, is broken, or asks for what the backend cannot do.
    pub fn new(
        settings: &BrokerSettings,
        backend: B,
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

    /// Looks at the credentials of a request.
    ///
    /// # Errors
    /// The answer to one that has not the right ones.
    pub fn admit(&self, request: &Parts) -> Result<(), Answer> {
        if self.engine.admits(&request.headers) { Ok(()) } else { Err(unauthorized()) }
    }

    /// Takes an event in.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        let taken = self.engine.ingest(event, context.trace.clone()).await;
        taken.map(|()| Reply::Done).map_err(refused)
    }

    /// Takes the events of a batch in, all or none as far as what holds them can.
    ///
    /// # Errors
    /// When not all of them were taken.
    pub async fn handle_batch(&self, events: Vec<Event>, context: &Context) -> Result<(), Error> {
        self.engine.ingest_all(events, context.trace.clone()).await.map_err(refused)
    }

    /// The first contact.
    ///
    /// # Errors
    /// When there was none.
    pub async fn connect(&self) -> Result<(), Error> {
        B::connect(&self.engine).await
    }

    /// Whether what holds the events can be reached.
    pub fn is_ready(&self) -> bool {
        self.engine.backend.is_ready()
    }

    /// The pages of the dead letters, and of what becomes of the triggers.
    pub fn pages(&self) -> Vec<(&'static str, MethodRouter)> {
        dlq::pages(&self.engine)
    }

    /// Follows the document until the stop, then delivers what is left.
    ///
    /// # Errors
    /// When events were lost.
    pub async fn run(&self, stop: Stop) -> Result<(), Error> {
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
            B::upkeep(&self.engine).await;
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
