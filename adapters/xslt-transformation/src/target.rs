//! Transforms the data of each event, and answers with the result or hands it to the sink.

use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use common::{
    Adapter, Context, Error, Event, Field, Info, InvalidEvent, Kind, Reply, Role, Scaling, Target, Text,
    config::ConfigError, event,
};
use serde::Deserialize;
use tokio::{sync::Semaphore, task::spawn_blocking};
use xslt::{Failure, Limits, Stylesheet, Transformed};

use crate::{config::XsltConfig, sheets::Sheets};

/// The type of events that bring their own stylesheet.
const OWN: &str = "io.triggermesh.xslt.transform";
const XML: &str = "application/xml";
/// How the original began to say that a transformation failed.
const FAILED: &str = "error processing XML with XSLT";
/// The original's code for what it does not take.
const INVALID: &str = "request-validation";

/// Documents of at most so many bytes are first tried where the event is served: that is over before another thread has
/// begun, nearly always.
const GLANCE_BYTES: usize = 16 << 10;
/// How far that may go; what takes longer would hold up others.
const GLANCE: Limits = Limits { time: Duration::from_millis(1), memory: 4 << 20, depth: 300 };

/// The XSLT transformation.
pub struct Xslt {
    sheet: Option<Arc<Stylesheet>>,
    /// Those that events bring, when they may.
    sheets: Option<Arc<Sheets>>,
    limits: Limits,
    bridge: Option<String>,
    /// Transformations that run at once: one for each granted core.
    running: Semaphore,
}

/// The data of an event that brings its own stylesheet.
#[derive(Deserialize)]
struct Own<'d> {
    #[serde(borrow)]
    xml: Cow<'d, str>,
    #[serde(borrow, default)]
    xslt: Cow<'d, str>,
}

impl Adapter for Xslt {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "xslttransformation",
        resource_group: "xslttransformations.flow.triggermesh.io",
        images: &["xslttransformation-adapter"],
        emits: &[],
        accepts: &["*", OWN],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "flow.triggermesh.io",
            version: "v1alpha1",
            kind: "XSLTTransformation",
            constants: &[],
            fields: &[
                Field::new("xslt", "XSLTTRANSFORMATION_XSLT").secret(),
                Field::new("allowPerEventXSLT", "XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE").or("false"),
            ],
        }],
    };
    type Config = XsltConfig;

    fn new(config: XsltConfig) -> Result<Self, ConfigError> {
        let text = config.xslttransformation_xslt.as_deref();
        let sheet = text.map(|text| Stylesheet::compile(text.as_bytes())).transpose().map_err(|mistake| {
            ConfigError::new("XSLTTRANSFORMATION_XSLT", format_args!("is no stylesheet: {mistake}"))
        })?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            sheet: sheet.map(Arc::new),
            sheets: config.xslttransformation_allow_xslt_override.0.then(Arc::default),
            limits: config.limits(),
            bridge: config.events_bridge_identifier,
            running: Semaphore::new(cores),
        })
    }
}

impl Target for Xslt {
    async fn handle(&self, mut event: Event, context: &Context) -> Result<Reply, Error> {
        let result = self.transform(&event).await?;
        let made = |error: InvalidEvent| Error::permanent("making the event of the result").caused_by(error);
        if context.sink().is_none() {
            return self.answer(&event, result).map(Reply::Event).map_err(made);
        }
        event.set("type", format!("{}.response", event.event_type())).map_err(made)?;
        event.set_data(Text::from_static(XML), result).map_err(made)?;
        context.hand_on(event).await
    }
}

impl Xslt {
    async fn transform(&self, event: &Event) -> Result<Bytes, Error> {
        let data = event.data().cloned().unwrap_or_default();
        let limits = self.limits;
        if event.event_type() != OWN
            && let Some(result) = glance(self.stylesheet_for(event)?.as_ref(), &data, &limits)
        {
            return result;
        }
        // The semaphore is never closed.
        let _running = self.running.acquire().await;
        // Not on the thread that serves: it may take as long as the limit.
        let work = if event.event_type() == OWN {
            let sheets = self.sheets.clone().ok_or_else(|| {
                Error::permanent(
                    "events may not bring a stylesheet: XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE is not set",
                )
                .with_code(INVALID)
            })?;
            spawn_blocking(move || by_own(&sheets, &data, &limits))
        } else {
            let sheet = self.stylesheet_for(event)?;
            spawn_blocking(move || by(&sheet, &data, &limits))
        };
        work.await.map_err(|error| {
            // One that panicked, for a fault of the engine, does so again.
            let failed = if error.is_panic() { Error::permanent(FAILED) } else { Error::retryable(FAILED) };
            failed.caused_by(error)
        })?
    }

    fn stylesheet_for(&self, event: &Event) -> Result<Arc<Stylesheet>, Error> {
        let content_type = event.data_content_type().unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(XML) {
            let message = format!("the content type must be {XML}, not '{content_type}'");
            return Err(Error::permanent(message).with_code(INVALID));
        }
        let none = || {
            Error::permanent(
                "there is no stylesheet but those that events of type io.triggermesh.xslt.transform bring",
            )
            .with_code(INVALID)
        };
        self.sheet.clone().ok_or_else(none)
    }

    /// The answer of the original: another event, about the same.
    fn answer(&self, event: &Event, result: Bytes) -> Result<Event, InvalidEvent> {
        let event_type = format!("{}.response", event.event_type());
        let mut answer = Event::new(event::new_id(), Text::from_static(Self::INFO.component), event_type)?;
        answer.set("time", event::now())?;
        answer.set("category", Text::from_static("success"))?;
        if let Some(bridge) = &self.bridge {
            let known = |name| event.text(name).cloned();
            answer
                .set("statefulbridge", known("statefulbridge").unwrap_or_else(|| bridge.as_str().into()))?;
            answer.set("statefulid", known("statefulid").unwrap_or_else(event::new_id))?;
        }
        answer.set_data(Text::from_static(XML), result)?;
        Ok(answer)
    }
}

/// By the stylesheet that comes with the document.
fn by_own(sheets: &Sheets, data: &[u8], limits: &Limits) -> Result<Bytes, Error> {
    let own: Own<'_> = serde_json::from_slice(data).map_err(|error| {
        Error::permanent("reading 'xml' and 'xslt' of the data").caused_by(error).with_code("request-parsing")
    })?;
    if own.xslt.is_empty() {
        return Err(Error::permanent("the data have no 'xslt'").with_code(INVALID));
    }
    // What is wrong may hold a part of the stylesheet, which is the caller's: it is told, and not logged.
    let told = |mistake: xslt::Mistake| {
        Error::permanent("the stylesheet of the event is malformed")
            .with_detail(mistake.to_string().as_bytes())
    };
    let sheet = sheets.get(&own.xslt, limits).map_err(told)?;
    by(&sheet, own.xml.as_bytes(), limits)
}

/// What becomes of a small document in a moment; nothing where it takes longer.
fn glance(sheet: &Stylesheet, data: &[u8], limits: &Limits) -> Option<Result<Bytes, Error>> {
    if data.len() > GLANCE_BYTES {
        return None;
    }
    let limits = Limits {
        time: GLANCE.time.min(limits.time),
        memory: GLANCE.memory.min(limits.memory),
        depth: GLANCE.depth.min(limits.depth),
    };
    let done = sheet.transform(data, &limits);
    (!matches!(done, Err(Failure::Limit(_)))).then(|| told(done))
}

fn by(sheet: &Stylesheet, data: &[u8], limits: &Limits) -> Result<Bytes, Error> {
    told(sheet.transform(data, limits))
}

fn told(done: Result<Transformed, Failure>) -> Result<Bytes, Error> {
    // As above: a failure may hold a part of the document.
    let told = |failure: Failure| Error::permanent(FAILED).with_detail(failure.to_string().as_bytes());
    let transformed = done.map_err(told)?;
    if !transformed.messages.is_empty() {
        tracing::debug!(messages = transformed.messages.len(), "the stylesheet had something to say");
    }
    Ok(transformed.bytes.into())
}
