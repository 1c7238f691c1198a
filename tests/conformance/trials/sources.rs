//! S: what a source sends, and to whom.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kit::{
    Authority, Captured, Event, Failure, Harness, Running, Shape, Sink, World, ensure, eventually, within,
};

use crate::config::names_all;

/// Provokes so many events and gives what the sink got for them.
pub fn deliver(running: &Running, count: u64) -> Result<Vec<Captured>, Failure> {
    let before = running.sink.count();
    for number in 0..count {
        if let Some(answer) = running.provoke(number)? {
            ensure(answer.is_success(), || {
                format!("the webhook was answered {} {}", answer.status, answer.text())
            })?;
        }
    }
    let all = running.sink.wait_for(before + usize::try_from(count).unwrap_or_default())?;
    Ok(all[before..].to_vec())
}

fn deliver_one(running: &Running) -> Result<(Captured, Event), Failure> {
    let captured = deliver(running, 1)?.into_iter().next().ok_or("nothing arrived")?;
    let event = captured.event()?;
    Ok((captured, event))
}

/// S1.
pub fn verbatim(harness: &Arc<Harness>) -> Result<(), Failure> {
    for path in ["/a/b?x=1", "/ns/broker%20one/?y=%2F&z=", "?q"] {
        let mut world = World::new(harness)?;
        let url = world.sink.url(path);
        world.set("K_SINK", url);
        let (captured, _) = deliver_one(&world.start()?)?;
        let expected = if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
        ensure(captured.method == "POST", || captured.method.clone())?;
        ensure(captured.path == expected, || format!("{} instead of {expected}", captured.path))?;
        ensure(captured.headers.get("prefer").is_none(), || "a source does not take replies".to_owned())?;
    }
    Ok(())
}

/// S2.
pub fn valid_events(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    // A source that ticks gives one a second at best.
    let count = if harness.shape == Shape::Webhook { 300 } else { 3 };
    let mut ids = BTreeSet::new();
    for captured in deliver(&running, count)? {
        let event = captured.event()?;
        let id = (event.get("source").to_owned(), event.get("id").to_owned());
        ensure(ids.insert(id), || format!("the id {} came twice", event.get("id")))?;
    }
    Ok(())
}

/// S3.
pub fn overrides(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    world.set("K_CE_OVERRIDES", r#"{"extensions":{"foo":"bar","sequence":"1","text":"a b"}}"#);
    let (_, event) = deliver_one(&world.start()?)?;
    for (name, value) in [("foo", "bar"), ("sequence", "1"), ("text", "a b")] {
        ensure(event.get(name) == value, || format!("{name} is {:?}", event.get(name)))?;
    }
    for none in ["", "{}", "null", r#"{"extensions":{}}"#, r#"{"extensions":null}"#] {
        let mut world = World::new(harness)?;
        world.set("K_CE_OVERRIDES", none);
        let (_, event) = deliver_one(&world.start()?).map_err(|error| format!("with {none:?}: {error}"))?;
        ensure(event.get("foo").is_empty(), || "an extension from nowhere".to_owned())?;
    }
    for bad in ["{", "7", r#"{"extensions":7}"#, r#"{"extensions":{"Not-A-Name":"x"}}"#] {
        let mut world = World::new(harness)?;
        world.set("K_CE_OVERRIDES", bad);
        names_all(&mut world.launch()?, &["K_CE_OVERRIDES".to_owned()])
            .map_err(|error| format!("with {bad}: {error}"))?;
    }
    Ok(())
}

/// S4.
pub fn private_authority(harness: &Arc<Harness>) -> Result<(), Failure> {
    let authority = Authority::new()?;
    let world = |trust: &dyn Fn(&mut World) -> Result<(), Failure>| -> Result<World, Failure> {
        let mut world = World::new(harness)?;
        world.sink = Sink::start_tls(&authority)?;
        let empty = world.folder().join("none").to_string_lossy().into_owned();
        world.set("TRUST_BUNDLE_DIR", empty);
        trust(&mut world)?;
        Ok(world)
    };
    let by_text = world(&|world| {
        world.set("K_CA_CERTS", authority.pem());
        Ok(())
    })?;
    deliver_one(&by_text.start()?).map_err(|error| format!("K_CA_CERTS: {error}"))?;

    let by_folder = world(&|world| {
        world.file("bundle.pem", authority.pem())?;
        let folder = world.folder().to_string_lossy().into_owned();
        world.set("TRUST_BUNDLE_DIR", folder);
        Ok(())
    })?;
    deliver_one(&by_folder.start()?).map_err(|error| format!("TRUST_BUNDLE_DIR: {error}"))?;

    let other = Authority::new()?;
    let by_nobody = world(&|world| {
        world.set("K_CA_CERTS", other.pem()).set("DELIVERY_DEADLINE", "2s");
        Ok(())
    })?;
    let running = by_nobody.start_unready()?;
    if let Some(answer) = running.provoke(1)? {
        ensure(answer.status == 503, || {
            format!("an unknown authority: the webhook was answered {}", answer.status)
        })?;
    }
    eventually("the refusal of an unknown authority", || {
        (running.sink.failed_handshakes() > 0).then_some(())
    })?;
    ensure(running.sink.count() == 0, || "an event went to an unknown authority".to_owned())?;

    // A bundle that comes later is taken without a restart, also while attempts follow one another.
    let late = world(&|world| {
        let folder = world.folder().to_string_lossy().into_owned();
        world.set("TRUST_BUNDLE_DIR", folder).set("DELIVERY_DEADLINE", "2s");
        Ok(())
    })?;
    let running = late.start_unready()?;
    running.provoke(1)?;
    eventually("a refusal", || (running.sink.failed_handshakes() > 0).then_some(()))?;
    running.file("bundle.pem", authority.pem())?;
    let mut number = 1;
    within(Duration::from_secs(90), "an event by the late trust bundle", || {
        number += 1;
        if harness.shape == Shape::Webhook {
            running.provoke(number).ok()?;
        }
        (running.sink.count() > 0).then_some(())
    })
}

/// S5.
pub fn token(harness: &Arc<Harness>) -> Result<(), Failure> {
    let mut world = World::new(harness)?;
    let path = world.file("token", "first-token\n")?;
    let dead_letters = world.dead_letters.url("/");
    world.set("OIDC_TOKEN_FILE", &path).set("DEAD_LETTER_SINK", dead_letters);
    let running = world.start()?;
    let (captured, _) = deliver_one(&running)?;
    let sent = |captured: &Captured| captured.headers.get("authorization").map(str::to_owned);
    ensure(sent(&captured).as_deref() == Some("Bearer first-token"), || format!("{:?}", sent(&captured)))?;

    running.sink.script([kit::Reply::status(400)]);
    running.provoke(2)?;
    let dead = running.dead_letters.wait_for(1)?;
    ensure(sent(&dead[0]).is_none(), || "the token was shown to the dead-letter sink".to_owned())?;

    // Replaced whole, as kubelet does it, so that no half of a token is ever read.
    let next = running.file("token.next", "second-token")?;
    std::fs::rename(next, &path).map_err(|error| error.to_string())?;
    within(Duration::from_secs(90), "the new token", || {
        let captured = deliver(&running, 1).ok()?.pop()?;
        (sent(&captured).as_deref() == Some("Bearer second-token")).then_some(())
    })?;

    let mut world = World::new(harness)?;
    let missing = world.folder().join("missing").to_string_lossy().into_owned();
    world.set("OIDC_TOKEN_FILE", missing);
    let (captured, _) = deliver_one(&world.start()?)?;
    ensure(sent(&captured).is_none(), || format!("without a file: {:?}", sent(&captured)))
}

/// S10.
pub fn trace(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    if harness.shape == Shape::Webhook {
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        running.send(&running.genuine(1)?.header("traceparent", &parent).header("tracestate", "vendor=1"))?;
    } else {
        running.provoke(1)?;
    }
    let captured = running.sink.wait_for(1)?;
    let sent = captured[0].headers.get("traceparent").unwrap_or_default().to_owned();
    let parts: Vec<_> = sent.split('-').collect();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let [version, id, span, flags] = parts.as_slice() else { return Err(format!("traceparent: {sent:?}")) };
    let sound = *version == "00" && hex(id, 32) && hex(span, 16) && hex(flags, 2);
    ensure(sound && span.contains(|digit| digit != '0'), || format!("traceparent: {sent:?}"))?;
    if harness.shape == Shape::Webhook {
        ensure(*id == trace && *span != "00f067aa0ba902b7", || format!("traceparent: {sent:?}"))?;
        let state = captured[0].headers.get("tracestate");
        ensure(state == Some("vendor=1"), || format!("tracestate: {state:?}"))?;
    }
    Ok(())
}
