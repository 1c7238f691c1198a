//! What callers see of the Event Hubs target, and what is in the hub: the real binary before a double of Event Hubs.

mod identity;

use std::thread;

use kit::{Adapter, Event, Example, Failure, Response, ensure};
use peers::{EventHubs, eventhubs::Answer};
use serde_json::{Value, json};

type Outcome = Result<(), Failure>;

struct Target {
    adapter: Adapter,
    hub: EventHubs,
}

impl Target {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let hub = EventHubs::start(2)?;
        let connection = EventHubs::connection_string(false);
        let mut target =
            Self::before(hub, &[&[("EVENTHUB_CONNECTION_STRING", connection.as_str())], settings].concat())?;
        target.adapter.process.wait_for_status("/health", 200)?;
        Ok(target)
    }

    /// One that may never be able to send.
    fn before(hub: EventHubs, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let (id, endpoint) = (EventHubs::resource_id(), hub.endpoint());
        let least = [("EVENTHUB_RESOURCE_ID", id.as_str()), ("EVENTHUB_ENDPOINT", endpoint.as_str())];
        Ok(Self { adapter: Adapter::listening("azure-eventhubs-target", &[&least, settings].concat())?, hub })
    }

    fn send(&self, example: &Example, number: u64) -> Result<Response, Failure> {
        self.adapter.send(&example.binary(number))
    }

    /// So many at once, each with its number as data.
    fn send_all(&self, count: usize) -> Result<Vec<Response>, Failure> {
        let note = |number: usize| note(number.to_string()).binary(number as u64);
        let sent: Vec<_> = (0..count).map(|number| note(number).send_later(self.adapter.address)).collect();
        sent.into_iter().map(kit::answer).collect()
    }

    fn bodies(&self) -> Vec<String> {
        self.hub.events().iter().map(|event| String::from_utf8_lossy(&event.body()).into_owned()).collect()
    }
}

fn note(text: impl Into<Vec<u8>>) -> Example {
    Example::new("com.example.note", "text/plain", text)
}

#[test]
fn an_event_is_one_data_section_and_its_caller_hears_of_it_when_that_is_wanted() -> Outcome {
    let target = Target::start(&[("EVENTS_PAYLOAD_POLICY", "always")])?;
    let answer = target.send(&Example::json("com.example.order", &json!({ "order": 1 })), 7)?;
    let reply = answer.event()?;
    let found = (answer.status, reply.get("type"), reply.get("source"), reply.get("category"), answer.text());
    let wanted = (
        200,
        "io.triggermesh.azure.eventhubs.put.response",
        "azureeventhubstarget",
        "success",
        "\"ok\"".to_owned(),
    );
    ensure(found == wanted, || format!("{found:?}"))?;
    let stored = target.hub.events();
    let [stored] = &stored[..] else { return Err(format!("{stored:?}")) };
    let event: Value = serde_json::from_slice(&stored.body()).map_err(|error| error.to_string())?;
    let event = Event::from_json(&event)?;
    let found = (event.get("id"), event.get("type"), event.json());
    ensure(found == ("kit-7", "com.example.order", json!({ "order": 1 })), || format!("{event:?}"))?;
    ensure(stored.annotation("x-opt-partition-key").is_none(), || format!("{stored:?}"))?;

    let target = Target::start(&[("DISCARD_CE_CONTEXT", "true")])?;
    let answer = target.send(&note("plain"), 1)?;
    ensure((answer.status, answer.text()) == (202, String::new()), || format!("{answer:?}"))?;
    ensure(target.bodies() == ["plain"], || format!("{:?}", target.bodies()))
}

#[test]
fn every_form_of_a_shared_access_signature_is_taken() -> Outcome {
    let hub_string = EventHubs::connection_string(true);
    let (name, key) = (EventHubs::KEY_NAME, EventHubs::KEY);
    for settings in [
        &[("EVENTHUB_CONNECTION_STRING", hub_string.as_str())][..],
        &[("EVENTHUB_KEY_NAME", name), ("EVENTHUB_KEY_VALUE", key)],
        // The pair wins.
        &[
            ("EVENTHUB_KEY_NAME", name),
            ("EVENTHUB_KEY_VALUE", key),
            ("EVENTHUB_CONNECTION_STRING", "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=k"),
        ],
    ] {
        let mut target = Target::before(EventHubs::start(1)?, settings)?;
        target.adapter.process.wait_for_status("/health", 200)?;
        let answer = target.send(&note("x"), 1)?;
        ensure(answer.status == 202, || {
            format!("{settings:?}: {answer:?}, {}", target.adapter.process.output())
        })?;
    }
    Ok(())
}

#[test]
fn events_leave_together_and_those_of_one_key_stay_in_their_order() -> Outcome {
    let target =
        Target::start(&[("DISCARD_CE_CONTEXT", "true"), ("EVENTHUB_PARTITION_KEY_ATTRIBUTE", "subject")])?;
    let answers = target.send_all(200)?;
    ensure(answers.iter().all(|answer| answer.status == 202), || format!("{answers:?}"))?;
    let (mut bodies, sends) = (target.bodies(), target.hub.sends());
    bodies.sort_unstable_by_key(|body| body.parse::<usize>().ok());
    ensure(bodies == (0..200).map(|number| number.to_string()).collect::<Vec<_>>(), || {
        format!("{bodies:?}")
    })?;
    ensure(sends < 200, || format!("{sends} calls for 200 events at once"))?;

    for number in 0..20_u64 {
        let key = format!("key-{}", number % 3);
        let request = note(format!("{key} {number:02}")).binary(number).header("ce-subject", &key);
        let answer = target.adapter.send(&request)?;
        answer.expect(202)?;
    }
    for key in ["key-0", "key-1", "key-2"] {
        let with_key: Vec<_> = target
            .hub
            .events()
            .into_iter()
            .filter(|event| event.annotation("x-opt-partition-key").as_deref() == Some(key))
            .collect();
        let bodies: Vec<_> =
            with_key.iter().map(|event| String::from_utf8_lossy(&event.body()).into_owned()).collect();
        let same = with_key.windows(2).all(|pair| pair[0].partition == pair[1].partition);
        ensure(same && bodies.len() >= 6 && bodies.is_sorted(), || format!("{key}: {bodies:?}"))?;
    }
    let long = target.adapter.send(&note("x").binary(1).header("ce-subject", &"k".repeat(129)))?;
    long.expect(422)
}

#[test]
fn one_that_is_refused_fails_alone() -> Outcome {
    let target = Target::start(&[("DISCARD_CE_CONTEXT", "true")])?;
    target.hub.answers(|bodies| {
        let is_poison = |body: &Vec<u8>| body.starts_with(b"1");
        if bodies.iter().any(is_poison) {
            Answer::Reject("com.microsoft:argument-error")
        } else {
            Answer::Accept
        }
    });
    let answers = target.send_all(40)?;
    for (number, answer) in answers.iter().enumerate() {
        let wanted = if number.to_string().starts_with('1') { 422 } else { 202 };
        ensure(answer.status == wanted, || format!("{number}: {answer:?}"))?;
    }
    ensure(target.bodies().len() == 29, || format!("{:?}", target.bodies()))
}

#[test]
fn an_event_larger_than_the_hub_takes_is_refused_for_good_and_others_are_not() -> Outcome {
    let target = Target::start(&[("DISCARD_CE_CONTEXT", "true")])?;
    let half = EventHubs::MAX_MESSAGE as usize / 2;
    let callers: Vec<_> = [half, half, half, EventHubs::MAX_MESSAGE as usize + 1, 10]
        .into_iter()
        .map(|size| (size, note(vec![b'x'; size]).binary(size as u64).send_later(target.adapter.address)))
        .collect();
    for (size, caller) in callers {
        let answer = kit::answer(caller)?;
        let wanted = if size > EventHubs::MAX_MESSAGE as usize { 413 } else { 202 };
        ensure(answer.status == wanted, || format!("{size}: {answer:?}"))?;
    }
    ensure(target.hub.events().len() == 4, || format!("{}", target.hub.events().len()))
}

#[test]
fn nothing_is_confirmed_that_is_not_there() -> Outcome {
    let target = Target::start(&[("DISCARD_CE_CONTEXT", "true")])?;
    for (answer, wanted) in [
        (Answer::Reject("com.microsoft:server-busy"), 503),
        (Answer::Reject("com.microsoft:timeout"), 503),
        (Answer::Reject("amqp:internal-error"), 503),
        (Answer::CutBefore, 503),
        (Answer::CutAfter, 503),
        (Answer::Accept, 202),
    ] {
        target.hub.answers(move |_| answer);
        let found = target.send(&note(format!("{answer:?}")), 1)?;
        ensure(found.status == wanted, || format!("{answer:?}: {found:?}"))?;
        if wanted == 503 {
            ensure(found.headers.get("retry-after").is_some(), || format!("{answer:?}: {found:?}"))?;
        }
        let confirmed = found.is_success();
        let is_there = target.bodies().contains(&format!("{answer:?}"));
        ensure(!confirmed || is_there, || format!("{answer:?} was confirmed and is not there"))?;
    }
    // The connection that the hub closed is made again by the next event.
    target.hub.answers(|_| Answer::Accept);
    target.hub.cut();
    let sent: Vec<_> = (0..2).map(|number| target.send(&note("again"), number)).collect::<Result<_, _>>()?;
    ensure(sent.iter().any(|answer| answer.status == 202), || format!("{sent:?}"))
}

#[test]
fn what_is_wrong_names_the_setting_and_goes_when_it_is_right() -> Outcome {
    let good = EventHubs::connection_string(false);
    let bad = good.replace(EventHubs::KEY, "d3Jvbmc=");
    let mut target = Target::before(EventHubs::start(1)?, &[("EVENTHUB_CONNECTION_STRING", &bad)])?;
    let answer = target.send(&note("x"), 1)?;
    let text = answer.text();
    ensure(answer.status == 503 && text.contains("check EVENTHUB_CONNECTION_STRING"), || {
        format!("{answer:?} {text}")
    })?;
    ensure(!target.adapter.process.output().contains("d3Jvbmc="), || target.adapter.process.output())?;

    target = Target::start(&[])?;
    target.hub.faults(|faults| faults.missing = true);
    target.hub.cut();
    let text = target.send(&note("x"), 2)?.text();
    let text = text + &target.send(&note("x"), 3)?.text();
    ensure(text.contains("check EVENTHUB_RESOURCE_ID"), || text)?;

    target.hub.faults(|faults| *faults = Default::default());
    target.hub.expire_tokens();
    // The links are detached for their tokens, and the next connection has new ones.
    thread::scope(|scope| {
        let sends = scope
            .spawn(|| (0..5).map(|number| target.send(&note("y"), number)).collect::<Result<Vec<_>, _>>());
        sends.join().map_err(|_| "panicked".to_owned())?
    })
    .and_then(|answers| {
        ensure(answers.iter().any(|answer| answer.status == 202), || format!("{answers:?}"))
    })?;

    target.hub.close();
    let answer = target.send(&note("z"), 9)?;
    answer.expect(503)?;
    target.adapter.process.wait_for_status("/readyz", 200)?;
    target.hub.open();
    kit::eventually("an event after the outage", || {
        target.send(&note("z"), 10).ok().filter(|answer| answer.status == 202)
    })?;
    Ok(())
}
