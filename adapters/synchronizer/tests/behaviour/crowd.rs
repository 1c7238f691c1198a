//! Many at once: each caller gets its own answer, whatever the order, and nobody is kept for nothing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::net::TcpStream;

use kit::http::{connect, read_response};
use kit::{Failure, ensure};

use crate::bridge::{Bridge, Outcome, request, response};

/// Callers at once; each needs a connection here and one there.
const CROWD: usize = 400;
/// How often the crowd comes.
const ROUNDS: usize = 6;

/// The n-th caller, with its request sent and its answer to come.
fn caller(bridge: &Bridge, id: &str) -> Result<TcpStream, Failure> {
    let mut stream = connect(bridge.adapter.address).map_err(|error| error.to_string())?;
    stream.write_all(&request(id).to_bytes(bridge.adapter.address)).map_err(|error| error.to_string())?;
    Ok(stream)
}

#[test]
fn thousands_get_their_own_responses_in_any_order() -> Outcome {
    let bridge = Bridge::start(&[])?;
    let mut keys = HashSet::new();
    for round in 0..ROUNDS {
        bridge.sink.reset();
        let ids: Vec<String> = (0..CROWD).map(|number| format!("{round}-{number}")).collect();
        let callers = ids.iter().map(|id| Ok((id, caller(&bridge, id)?)));
        let callers: HashMap<_, _> = callers.collect::<Result<_, Failure>>()?;
        let mut waiting = Vec::new();
        for captured in bridge.sink.wait_for(CROWD)? {
            let event = captured.event()?;
            waiting.push((event.get("correlationid").to_owned(), event.get("id").to_owned()));
        }
        bridge.adapter.process.wait_for_metric(&format!("synchronizer_waiting_requests {CROWD}"))?;
        // A hasher's keys are random, and so is an order by its hashes.
        let random = RandomState::new();
        waiting.sort_by_key(|(key, _)| random.hash_one(key));
        kit::at_once(waiting.chunks(CROWD / 8), |part| {
            part.iter().try_for_each(|(key, id)| {
                let answer = bridge.send(&response(&format!("answer-to-{id}"), key))?;
                answer.expect_text(200, "")
            })
        })?;
        for (id, stream) in callers {
            let answer = read_response(&stream).map_err(|error| format!("{id}: {error}"))?;
            let event = answer.event()?;
            ensure(event.get("id") == format!("answer-to-{id}"), || format!("{id} got {event:?}"))?;
        }
        keys.extend(waiting.into_iter().map(|(key, _)| key));
    }
    ensure(keys.len() == CROWD * ROUNDS, || format!("{} keys", keys.len()))?;
    bridge.adapter.process.wait_for_metric("synchronizer_waiting_requests 0")
}

#[test]
fn a_caller_who_goes_frees_its_seat() -> Outcome {
    let bridge = Bridge::start(&[("MAX_WAITING", "1")])?;
    let gone = caller(&bridge, "1")?;
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    bridge.adapter.process.wait_for_metric("synchronizer_waiting_requests 1")?;
    let refused = bridge.send(&request("2"))?;
    refused.expect_text(503, "too many requests wait for their responses")?;
    let wait = refused.headers.get("retry-after").unwrap_or_default();
    ensure(wait.parse::<u64>().is_ok_and(|seconds| seconds > 0), || format!("{refused:?}"))?;
    drop(gone);
    bridge.adapter.process.wait_for_metric("synchronizer_waiting_requests 0")?;
    bridge.send(&response("a1", &key))?.expect_text(502, "client session does not exist")?;
    let next = request("3").send_later(bridge.adapter.address);
    let key = bridge.forwarded(2)?.get("correlationid").to_owned();
    bridge.send(&response("a3", &key))?;
    let answer = kit::answer(next)?;
    ensure(answer.headers.get("ce-id") == Some("a3"), || format!("{answer:?}"))
}

#[test]
fn requests_leave_room_for_responses() -> Outcome {
    let bridge = Bridge::start(&[("MAX_IN_FLIGHT_BYTES", "1000000")])?;
    let big = |mut request: kit::Request| {
        request.body = vec![b' '; 300_000];
        request
    };
    let first = big(request("1")).send_later(bridge.adapter.address);
    let key = bridge.forwarded(1)?.get("correlationid").to_owned();
    let refused = bridge.send(&big(request("2")))?;
    refused.expect_text(503, "too many requests wait for their responses")?;
    bridge.send(&big(response("a1", &key)))?.expect_text(200, "")?;
    let answer = kit::answer(first)?;
    ensure(answer.status == 200 && answer.body.len() == 300_000, || format!("{}", answer.status))?;
    let again = big(request("3")).send_later(bridge.adapter.address);
    let key = bridge.forwarded(2)?.get("correlationid").to_owned();
    bridge.send(&response("a3", &key))?;
    kit::answer(again).map(drop)
}
