//! The bridge under test: its components and triggers by name, with the code behind them.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::document::Document;
use broker::filter::Index;
use bumblebee::Transformation;
use common::Event;
use routing::{Aggregator, CeContext, Expression, Splitter, aggregator, splitter};
use serde_json::{Value as Json, json};

use crate::bridge::{Bridge, Component, Destination, Id, Setting, Trigger};
use crate::manifest::{TRIGGER, suggestion};

/// The adapter that makes JSON of XML.
const XML: &str = "xml-to-json-transformation";

/// Where events can be sent to, or arrive.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Component(Id),
    /// A trigger of the broker with that id.
    Trigger(Id, String),
    /// Outside of the bridge.
    Url(String),
    /// Back to whoever sent the event.
    Reply,
}

/// A component and what it does.
pub struct Part {
    pub component: Component,
    pub code: Code,
}

/// What makes other data of an event.
type Change = Box<dyn Fn(&Event) -> Result<Vec<u8>, String>>;

/// What can be done here as it is at run time.
pub enum Code {
    Broker(Index),
    Transformation(Transformation),
    Filter(Expression),
    Splitter(Splitter),
    Aggregator(Aggregator),
    /// Other data for the same event.
    Data(Change),
    Xslt(::xslt::Stylesheet),
    /// The extension by which a response finds its request.
    Synchronizer(String),
    /// It works with something outside.
    Other,
}

/// All components of a bridge.
pub struct Places {
    pub parts: Vec<Part>,
}

impl Places {
    /// Compiles what can be compiled.
    ///
    /// # Errors
    /// When a part of the bridge passes `trestle lint` and not the code behind it: a fault of this program.
    pub fn new(bridge: Bridge) -> Result<Places, String> {
        let part = |component: Component| {
            let code = code(&component).map_err(|why| format!("{}: {why}", component.id))?;
            Ok(Part { component, code })
        };
        Ok(Places { parts: bridge.components.into_iter().map(part).collect::<Result<_, String>>()? })
    }

    /// The part with that id.
    pub fn part(&self, id: &Id) -> Option<&Part> {
        self.parts.iter().find(|part| part.component.id == *id)
    }

    /// The place a name means: a component or a trigger by its name, with `Kind/` before it where two have the same.
    ///
    /// # Errors
    /// What is wrong with the name, as the end of a sentence.
    pub fn find(&self, name: &str) -> Result<Place, String> {
        let all = self.names();
        let mut found = all.iter().filter(|(known, _)| known.iter().any(|known| known == name));
        match (found.next(), found.next()) {
            (Some((_, place)), None) => Ok(place.clone()),
            (None, _) => {
                let known = all.iter().flat_map(|(names, _)| names.iter().map(String::as_str));
                Err(format!("no component and no trigger '{name}' in the bridge{}", suggestion(name, known)))
            }
            (Some((one, _)), Some((other, _))) => {
                let full = |names: &[String]| names.last().cloned().unwrap_or_default();
                Err(format!("'{name}' may be {} or {}", full(one), full(other)))
            }
        }
    }

    /// What people call a place.
    pub fn label(&self, place: &Place) -> String {
        match place {
            Place::Component(id) => {
                self.part(id).map_or_else(|| id.to_string(), |p| p.component.label.clone())
            }
            Place::Trigger(_, name) => name.clone(),
            Place::Url(url) => url.clone(),
            Place::Reply => super::case::REPLY.to_owned(),
        }
    }

    /// Each place with its names, the longest last.
    fn names(&self) -> Vec<(Vec<String>, Place)> {
        let mut all = Vec::new();
        for part in &self.parts {
            let id = &part.component.id;
            let mut names =
                vec![id.name.clone(), part.component.label.clone(), format!("{}/{}", id.kind, id.name)];
            names.dedup();
            all.push((names, Place::Component(id.clone())));
            for trigger in &part.component.triggers {
                let names = vec![trigger.name.clone(), format!("{TRIGGER}/{}", trigger.name)];
                all.push((names, Place::Trigger(id.clone(), trigger.name.clone())));
            }
        }
        all
    }
}

impl From<&Destination> for Place {
    fn from(destination: &Destination) -> Place {
        match destination {
            Destination::Url(url) => Place::Url(url.clone()),
            Destination::Component { id, .. } => Place::Component(id.clone()),
            Destination::Outside(object) => Place::Url(format!("{}{}", object.id, object.path)),
        }
    }
}

fn code(component: &Component) -> Result<Code, String> {
    if component.adapter == crate::manifest::TRANSFORMATION {
        let part = |name| match component.environment.get(name).and_then(Setting::text) {
            Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            None => Ok(Json::Null),
        };
        let (context, data) = (part("TRANSFORMATION_CONTEXT")?, part("TRANSFORMATION_DATA")?);
        let lines = |problems: Vec<bumblebee::Problem>| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        return Transformation::new(&context, &data).map(Code::Transformation).map_err(lines);
    }
    let text = |name| component.environment.get(name).and_then(Setting::text).unwrap_or_default();
    if component.adapter == crate::manifest::FILTER {
        let expression = Expression::new(text("FILTER_EXPRESSION"));
        return expression.map(Code::Filter).map_err(|mistakes| format!("{mistakes:?}"));
    }
    if component.adapter == crate::manifest::SPLITTER {
        let extensions = extensions(text("SPLITTER_CE_EXTENSIONS"))?;
        let splitter = Splitter::new(&splitter::Spec {
            path: text("SPLITTER_PATH"),
            context: CeContext {
                event_type: text("SPLITTER_CE_TYPE"),
                source: text("SPLITTER_CE_SOURCE"),
                extensions: &extensions,
            },
            numbered: text("SPLITTER_NUMBER_PARTS") == "true",
        });
        return splitter.map(Code::Splitter).map_err(|problems| format!("{problems:?}"));
    }
    if component.adapter == crate::manifest::AGGREGATOR {
        return gathered(&text).map(Code::Aggregator);
    }
    if component.adapter == crate::manifest::JQ {
        let query = Arc::new(jq::Query::new(text("JQ_QUERY")).map_err(|mistake| mistake.to_string())?);
        let run = move |event: &Event| {
            query.run(event, jq::Bounds::default()).map_err(|failure| failure.to_string())
        };
        return Ok(Code::Data(Box::new(run)));
    }
    if component.adapter == XML {
        let convert = |event: &Event| {
            let data = event.data().cloned().unwrap_or_default();
            xmljson::convert(&data).map_err(|invalid| invalid.to_string())
        };
        return Ok(Code::Data(Box::new(convert)));
    }
    if component.adapter == crate::manifest::XSLT {
        // One that is not known here stands in a Secret of the cluster, or comes with the events.
        let sheet = ::xslt::Stylesheet::compile(text("XSLTTRANSFORMATION_XSLT").as_bytes());
        return Ok(sheet.map_or(Code::Other, Code::Xslt));
    }
    if component.adapter == crate::manifest::SYNCHRONIZER {
        return Ok(Code::Synchronizer(text("CORRELATION_KEY").to_ascii_lowercase()));
    }
    if component.role == crate::catalogue::Role::Broker {
        let filters = component.triggers.iter().map(compile).collect::<Result<_, _>>()?;
        return Ok(Code::Broker(Index::new(filters)));
    }
    Ok(Code::Other)
}

fn gathered<'a>(text: &impl Fn(&'static str) -> &'a str) -> Result<Aggregator, String> {
    let given = |name| Some(text(name)).filter(|text| !text.is_empty());
    let extensions = extensions(text("AGGREGATOR_CE_EXTENSIONS"))?;
    let attributes: Option<Vec<String>> =
        given("AGGREGATOR_GROUP").map(|list| list.split(',').map(|name| name.trim().to_owned()).collect());
    let is_events = text("AGGREGATOR_ELEMENTS") == "events";
    let aggregator = Aggregator::new(&aggregator::Spec {
        attributes: attributes.as_deref(),
        path: text("AGGREGATOR_GROUP_PATH"),
        count: given("AGGREGATOR_COUNT").and_then(|count| count.parse().ok()),
        count_attribute: given("AGGREGATOR_COUNT_ATTRIBUTE"),
        index: given("AGGREGATOR_INDEX_ATTRIBUTE"),
        elements: if is_events { aggregator::Elements::Events } else { aggregator::Elements::Data },
        context: CeContext {
            event_type: text("AGGREGATOR_CE_TYPE"),
            source: text("AGGREGATOR_CE_SOURCE"),
            extensions: &extensions,
        },
    });
    aggregator.map_err(|problems| format!("{problems:?}"))
}

fn extensions(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn compile(trigger: &Trigger) -> Result<Vec<broker::filter::Filter>, String> {
    let document = json!({ "triggers": { &trigger.name: { "filters": trigger.filters } } });
    let document = Document::parse(&document.to_string()).map_err(|error| error.to_string())?;
    Ok(document.triggers.into_iter().flat_map(|trigger| trigger.filters).collect())
}
