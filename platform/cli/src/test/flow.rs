//! What becomes of an event: where it arrives, and as what.

use common::Event;
use routing::{Aggregator, aggregator::Part as Gathered};

use super::case::Case;
use super::place::{Code, Part, Place, Places};
use crate::bridge::{Component, Destination, Id, Setting, Trigger};

/// More hops than any sensible bridge has.
const MAX_HOPS: usize = 64;

/// What a synchronizer's random key is here.
const KEY: &str = "key";

/// An event that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub place: Place,
    /// What people call the place.
    pub label: String,
    /// The trigger that brought it there.
    pub trigger: Option<String>,
    pub event: Event,
    /// Where a reply would go to.
    origin: Option<Id>,
    /// Where it goes when it cannot be delivered.
    dead_letter: Option<Place>,
    hops: usize,
}

/// All that happened.
#[derive(Default)]
pub struct Flow {
    pub arrivals: Vec<Arrival>,
    /// What else is worth telling when something is not as expected.
    pub notes: Vec<String>,
    /// Parts that wait for the rest of their groups, in aggregators.
    gathering: Vec<(Id, Gathered)>,
}

/// Sends the event of a test.
pub fn run(places: &Places, case: &Case) -> Flow {
    let mut flow = Flow::default();
    let first = Arrival {
        place: case.to.clone(),
        label: places.label(&case.to),
        trigger: None,
        event: case.event.clone(),
        origin: None,
        dead_letter: None,
        hops: 0,
    };
    let mut waiting = hop(places, case, first, &mut flow);
    while !waiting.is_empty() {
        let arrived = waiting.remove(0);
        let goes_on = case.follow && arrived.place != Place::Reply;
        if !goes_on {
            flow.arrivals.push(arrived);
        } else if arrived.hops >= MAX_HOPS {
            flow.notes.push(format!("after {MAX_HOPS} hops the event still goes round: given up"));
            break;
        } else {
            waiting.extend(hop(places, case, arrived, &mut flow));
        }
    }
    for (id, part) in std::mem::take(&mut flow.gathering) {
        let label = places.label(&Place::Component(id));
        flow.notes
            .push(format!("{label}: '{}' waits for the rest of its group of {}", part.event.1, part.count));
    }
    flow
}

/// What a place does with an event; where nothing goes on from, it has arrived.
fn hop(places: &Places, case: &Case, arrived: Arrival, flow: &mut Flow) -> Vec<Arrival> {
    if case.failing.contains(&arrived.place) {
        return dead_letter(arrived, places, flow, "fails in this test");
    }
    if let Some((_, answer)) = case.replies.iter().find(|(place, _)| *place == arrived.place) {
        let reply = next(places, &arrived, reply_to(&arrived), answer.clone());
        flow.arrivals.push(arrived);
        return vec![reply];
    }
    let part = match &arrived.place {
        Place::Component(id) | Place::Trigger(id, _) => places.part(id),
        Place::Url(_) | Place::Reply => None,
    };
    match part {
        Some(Part { component, code: Code::Broker(index) }) => {
            let selected = index.select(&arrived.event);
            let wanted = |position: usize, trigger: &Trigger| {
                let is_one = match &arrived.place {
                    Place::Trigger(_, name) => *name == trigger.name,
                    _ => true,
                };
                is_one && selected.contains(&(position as u32))
            };
            let triggers = component.triggers.iter().enumerate();
            let triggers = triggers.filter(|(position, trigger)| wanted(*position, trigger));
            triggers.filter_map(|(_, trigger)| by_trigger(places, &arrived, &component.id, trigger)).collect()
        }
        Some(Part { component, code: Code::Transformation(transformation) }) => {
            let label = &component.label;
            let mut unapplied = Vec::new();
            let result = transformation.apply_observed(arrived.event.clone(), |step, reason| {
                unapplied.push(format!("{label}: {step} had no effect: {reason}"));
            });
            flow.notes.append(&mut unapplied);
            match result {
                Ok(event) => vec![next(places, &arrived, sink(component, &arrived), event)],
                Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
            }
        }
        Some(Part { component, code: Code::Filter(expression) }) => match expression.passes(&arrived.event) {
            Ok(true) => {
                let passed = next(places, &arrived, sink(component, &arrived), arrived.event.clone());
                // What the sink says goes to whoever asked the filter.
                vec![Arrival { origin: arrived.origin, dead_letter: arrived.dead_letter, ..passed }]
            }
            Ok(false) => {
                flow.notes.push(format!("{} drops the event: {}", component.label, expression.text()));
                Vec::new()
            }
            Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
        },
        Some(Part { component, code: Code::Splitter(splitter) }) => {
            let parts = splitter.split(&arrived.event).and_then(|parts| parts.collect::<Result<Vec<_>, _>>());
            match parts {
                Ok(parts) => {
                    if parts.is_empty() {
                        flow.notes.push(format!("{}: the event has no parts", component.label));
                    }
                    let to = sink(component, &arrived);
                    parts.into_iter().map(|part| next(places, &arrived, to.clone(), part)).collect()
                }
                Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
            }
        }
        Some(Part { component, code: Code::Aggregator(aggregator) }) => {
            match gather(aggregator, &component.id, &arrived.event, flow) {
                Ok(Some(event)) => vec![next(places, &arrived, sink(component, &arrived), event)],
                Ok(None) => Vec::new(),
                Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
            }
        }
        Some(Part { component, code: Code::Data(change) }) => {
            let mut event = arrived.event.clone();
            let changed = change(&event)
                .and_then(|data| event.set_data("application/json", data).map_err(|error| error.to_string()));
            match changed {
                Ok(()) => vec![next(places, &arrived, sink(component, &arrived), event)],
                Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
            }
        }
        Some(Part { component, code: Code::Xslt(sheet) }) => match transformed(sheet, &arrived.event) {
            Ok(event) => vec![next(places, &arrived, sink(component, &arrived), event)],
            Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
        },
        Some(Part { component, code: Code::Synchronizer(key) }) => {
            let mut event = arrived.event.clone();
            if event.get(key).is_some() {
                // Whoever sent the request gets it.
                return vec![next(places, &arrived, Place::Reply, event)];
            }
            match event.set(key, KEY) {
                Ok(()) => vec![next(places, &arrived, sink(component, &arrived), event)],
                Err(error) => dead_letter(arrived, places, flow, &format!("refuses the event: {error}")),
            }
        }
        Some(Part { code: Code::Other, .. }) | None => {
            flow.arrivals.push(arrived);
            Vec::new()
        }
    }
}

/// What an aggregator makes of the parts that came so far, once they are all.
fn gather(aggregator: &Aggregator, id: &Id, event: &Event, flow: &mut Flow) -> Result<Option<Event>, String> {
    let part = aggregator.part(event).map_err(|refusal| refusal.to_string())?;
    let (group, count) = (part.group.clone(), part.count);
    let is_same =
        |of: &Id, other: &Gathered| of == id && other.group == part.group && other.mark == part.mark;
    if !flow.gathering.iter().any(|(of, other)| is_same(of, other)) {
        flow.gathering.push((id.clone(), part));
    }
    let of_group = |(of, other): &(Id, Gathered)| of == id && other.group == group;
    if flow.gathering.iter().filter(|part| of_group(part)).count() < count {
        return Ok(None);
    }
    let all = flow.gathering.extract_if(.., |part| of_group(part));
    let mut parts: Vec<Gathered> = all.map(|(_, part)| part).collect();
    aggregator.aggregate(&group, &mut parts, true).map(Some).map_err(|error| error.to_string())
}

/// What a stylesheet makes of an event, as it goes to a sink.
fn transformed(sheet: &::xslt::Stylesheet, event: &Event) -> Result<Event, String> {
    let data = event.data().cloned().unwrap_or_default();
    let made = sheet.transform(&data, &::xslt::Limits::default()).map_err(|failure| failure.to_string())?;
    let mut event = event.clone();
    let event_type = format!("{}.response", event.event_type());
    let typed = event.set("type", event_type).and_then(|()| event.set_data("application/xml", made.bytes));
    typed.map_err(|error| error.to_string())?;
    Ok(event)
}

/// Where a transformation sends to.
fn sink(component: &Component, arrived: &Arrival) -> Place {
    match component.environment.get("K_SINK") {
        Some(Setting::Address(destination)) => destination.into(),
        Some(setting) => setting.text().map_or_else(|| reply_to(arrived), |url| Place::Url(url.to_owned())),
        None => reply_to(arrived),
    }
}

fn by_trigger(places: &Places, before: &Arrival, broker: &Id, trigger: &Trigger) -> Option<Arrival> {
    let target: &Destination = trigger.target.as_ref()?;
    let mut arrival = next(places, before, target.into(), before.event.clone());
    arrival.trigger = Some(trigger.name.clone());
    arrival.origin = Some(broker.clone());
    arrival.dead_letter = trigger.dead_letter.as_ref().map(Place::from);
    Some(arrival)
}

/// An event that cannot be delivered. What brokers add to it is known at run time only.
fn dead_letter(arrived: Arrival, places: &Places, flow: &mut Flow, why: &str) -> Vec<Arrival> {
    flow.notes.push(format!("{} {why}", arrived.label));
    match &arrived.dead_letter {
        Some(place) => vec![next(places, &arrived, place.clone(), arrived.event.clone())],
        None => Vec::new(),
    }
}

fn reply_to(arrived: &Arrival) -> Place {
    arrived.origin.clone().map_or(Place::Reply, Place::Component)
}

fn next(places: &Places, before: &Arrival, place: Place, event: Event) -> Arrival {
    let label = places.label(&place);
    let hops = before.hops + 1;
    Arrival { place, label, trigger: None, event, origin: None, dead_letter: None, hops }
}
