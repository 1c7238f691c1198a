//! Reads the data of each event as XML, whatever their content type says, and answers with the event or hands it to the sink.

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target, config::ConfigError,
};

use crate::config::XmlConfig;

/// The type of the events that tell of failures.
const FAILED: &str = "io.triggermesh.xmltojsontransformation.error";

/// The transformation.
pub struct XmlToJson;

impl Adapter for XmlToJson {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Transformation,
        component: "xmltojsontransformation",
        resource_group: "xmltojsontransformations.flow.triggermesh.io",
        images: &["xmltojsontransformation-adapter"],
        emits: &[FAILED],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "flow.triggermesh.io",
            version: "v1alpha1",
            kind: "XMLToJSONTransformation",
            constants: &[],
            fields: &[Field::new("eventOptions.payloadPolicy", "EVENTS_PAYLOAD_POLICY")],
        }],
    };
    type Config = XmlConfig;

    fn new(_: XmlConfig) -> Result<Self, ConfigError> {
        Ok(Self)
    }
}

impl Target for XmlToJson {
    async fn handle(&self, event: Event, context: &Context) -> Result<Reply, Error> {
        context.hand_on(transformed(event)?).await.map_err(|failure| failure.told_as(FAILED))
    }
}

fn transformed(mut event: Event) -> Result<Event, Error> {
    let data = event.data().cloned().unwrap_or_default();
    let json = xmljson::convert(&data).map_err(|invalid| {
        // The reason may repeat a part of the document, which is the caller's: it is told, and not logged.
        Error::permanent("invalid XML")
            .with_detail(format!("{} at byte {}", invalid.reason, invalid.at).as_bytes())
            .told_as(FAILED)
            .with_code("request-validation")
    })?;
    event
        .set_data("application/json", json)
        .map_err(|error| Error::permanent("making the event").caused_by(error))?;
    Ok(event)
}
