//! Ticks and a sink that fails: the real binary.

use std::time::Duration;

use kit::{Event, Failure, Process, Reply, Sink, ensure};

type Outcome = Result<(), Failure>;

fn start(sink: &Sink, settings: &[(&str, &str)]) -> Result<Process, Failure> {
    let base = [
        ("K_SINK", &*sink.url("/")),
        ("PING_SCHEDULE", "* * * * * *"),
        ("NAMESPACE", "demo"),
        ("NAME", "clock"),
    ];
    Process::start("ping-source", &[], &[&base, settings].concat())
}

/// Seconds since the beginning of the day that an event was due at.
fn due(event: &Event) -> Result<u32, Failure> {
    let time = event.get("time");
    let digits = time.get(11..19).ok_or_else(|| format!("time {time:?}"))?;
    let parts: Vec<u32> = digits.split(':').filter_map(|part| part.parse().ok()).collect();
    let [hour, minute, second] = parts.try_into().map_err(|_| format!("time {time:?}"))?;
    Ok(hour * 3600 + minute * 60 + second)
}

#[test]
fn ticks_wait_in_order_while_the_sink_fails() -> Outcome {
    let sink = Sink::start()?;
    sink.script((0..4).map(|_| Reply::status(503)));
    let mut process = start(&sink, &[("PING_DATA", "tick"), ("PING_CONTENT_TYPE", "text/plain")])?;
    let events = sink.events(9)?;
    let (failed, delivered) = events.split_at(4);
    for event in failed {
        ensure(event.get("id") == delivered[0].get("id"), || format!("tried meanwhile: {event:?}"))?;
    }
    for pair in delivered.windows(2) {
        let (one, next) = (due(&pair[0])?, due(&pair[1])?);
        ensure(next == (one + 1) % 86_400, || {
            format!("{} and then {}", pair[0].get("time"), pair[1].get("time"))
        })?;
    }
    let event = &delivered[0];
    let found = [event.get("type"), event.get("source"), event.get("datacontenttype")];
    let expected = ["dev.knative.sources.ping", "/apis/v1/namespaces/demo/pingsources/clock", "text/plain"];
    ensure(found == expected && event.data == b"tick", || format!("{event:?}"))?;
    process.terminate()?;
    ensure(process.wait()? == 0, || process.output())
}

#[test]
fn two_replicas_give_a_tick_the_same_id() -> Outcome {
    let (one, other) = (Sink::start()?, Sink::start()?);
    let _processes = (start(&one, &[])?, start(&other, &[])?);
    let ids = |sink: &Sink| {
        sink.requests().iter().filter_map(|r| Some(r.event().ok()?.get("id").to_owned())).collect()
    };
    kit::eventually("a tick that both have sent", || {
        let (one, other): (Vec<String>, Vec<String>) = (ids(&one), ids(&other));
        one.iter().any(|id| other.contains(id)).then_some(())
    })
}

#[test]
fn what_waits_at_the_end_is_told() -> Outcome {
    let sink = Sink::start()?;
    sink.always(Reply::status(503));
    let mut process = start(&sink, &[])?;
    // By the fifth attempt more than one tick waits.
    sink.wait_for(5)?;
    process.terminate()?;
    let code = process.wait_within(Duration::from_secs(60))?;
    ensure(code == 0, || format!("exit code {code}: {}", process.output()))?;
    let lost = process.log().iter().filter(|line| line.json["lost"] == true).count();
    ensure(lost >= 2, || format!("{lost} lost: {}", process.output()))
}
