//! Many callers at once: few calls, and each caller's own answer.

use std::thread;

use kit::{Captured, Example, Failure, Gate, Reply, Sink, ensure};
use peers::Queue;
use serde_json::{Value, json};

use crate::{Outcome, Target, order, told};

const ARN: &str = "arn:aws:sqs:us-west-2:123456789012:orders";

/// Sends these at once and gives the statuses, in order.
fn at_once(target: &Target, examples: &[Example]) -> Result<Vec<u16>, Failure> {
    let answers = kit::at_once((0..).zip(examples), |(number, example)| target.send(example, number))?;
    Ok(answers.iter().map(|answer| answer.status).collect())
}

fn entries(request: &Captured) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    body["Entries"].as_array().cloned().unwrap_or_default()
}

/// An SQS that judges entries by what is in them.
fn judge(request: &Captured) -> Reply {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries(request) {
        let body = entry["MessageBody"].as_str().unwrap_or_default();
        let refusal = |code: &str, fault: bool| json!({"Id": entry["Id"], "Code": code, "SenderFault": fault, "Message": "told"});
        if body.contains("malformed") {
            failed.push(refusal("InvalidMessageContents", true));
        } else if body.contains("unlucky") {
            failed.push(refusal("InternalError", false));
        } else if body.contains("throttled") {
            failed.push(refusal("RequestThrottled", true));
        } else if !body.contains("forgotten") {
            successful.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"}));
        }
    }
    Reply::json(&json!({"Successful": successful, "Failed": failed}))
}

#[test]
fn sixty_four_callers_need_few_calls() -> Outcome {
    const CALLERS: u64 = 64;
    const EACH: u64 = 10;
    let queue = Queue::standard(&json!({}))?;
    let target = Target::start(&queue, &[])?;
    kit::at_once(0..CALLERS, |caller| {
        (0..EACH).try_for_each(|number| told(&target.send(&order(number), caller * EACH + number)?).map(drop))
    })?;
    let events = usize::try_from(CALLERS * EACH).map_err(|error| error.to_string())?;
    let calls = target.sqs.count();
    ensure(calls * 5 <= events, || format!("{calls} calls for {events} events"))?;
    let arrived = queue.take()?.len();
    ensure(arrived == events, || format!("{arrived} messages of {events}"))
}

#[test]
fn each_entry_has_its_own_result() -> Outcome {
    let sqs = Sink::start()?;
    let target = Target::before(sqs, ARN, &[])?;
    let gate = Gate::new();
    // Both calls are out while the others collect.
    target.sqs.script([Reply::status(503).held(&gate), Reply::status(503).held(&gate)]);
    let kinds = [("fine", 200), ("malformed", 422), ("unlucky", 503), ("throttled", 503), ("forgotten", 503)];
    let answers = thread::scope(|scope| {
        let first: Vec<_> = (0..2)
            .map(|number| {
                let target = &target;
                let sent = scope.spawn(move || target.send(&order(number), number));
                target.sqs.wait_for(usize::try_from(number + 1).unwrap_or_default()).map(|_| sent)
            })
            .collect();
        let collected: Vec<_> = (0..10)
            .map(|number| {
                let (kind, expected) = kinds[number % kinds.len()];
                let target = &target;
                let example = Example::new("com.example.note", "text/plain", kind);
                (expected, kind, scope.spawn(move || target.send(&example, number as u64 + 10)))
            })
            .collect();
        // All are in the queue of the target when the gate opens: nothing else tells but that they were taken in.
        kit::eventually("ten requests in work", || {
            (target.adapter.process.figure("trestle_in_flight").ok()? == 12).then_some(())
        })?;
        target.sqs.route(|request| (entries(request).len() > 1).then(|| judge(request)));
        gate.open();
        for sent in first {
            drop(sent?.join());
        }
        collected
            .into_iter()
            .map(|(expected, kind, sent)| Ok((expected, kind, sent.join().map_err(|_| "a panic")??.status)))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    for (expected, kind, found) in answers {
        ensure(found == expected, || format!("{kind}: {found} in place of {expected}"))?;
    }
    Ok(())
}

#[test]
fn a_batch_that_is_too_much_is_sent_one_by_one() -> Outcome {
    // ElasticMQ takes 256 KiB with one call, as AWS did until August 2025.
    let queue = Queue::standard(&json!({}))?;
    let target = Target::start(&queue, &[])?;
    let large = Example::json("com.example.order", &json!("x".repeat(100 << 10)));
    let statuses = at_once(&target, &vec![large; 20])?;
    ensure(statuses.iter().all(|status| *status == 200), || format!("{statuses:?}"))?;
    let arrived = queue.take()?.len();
    ensure(arrived == 20, || format!("{arrived} messages"))?;
    let too_large = Example::json("com.example.order", &json!("x".repeat(300 << 10)));
    let statuses = at_once(&target, &[order(1), too_large, order(2)])?;
    ensure(statuses[0] == 200 && statuses[2] == 200, || format!("{statuses:?}"))?;
    ensure(matches!(statuses[1], 400 | 413 | 422), || format!("{statuses:?}"))
}
