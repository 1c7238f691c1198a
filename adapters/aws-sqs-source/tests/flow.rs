//! How messages flow: few calls, groups in order, hidden while the sink is slow, handed back at the end, in little memory.

use std::collections::BTreeMap;
use std::time::Duration;

use kit::{Gate, Reply, Sink, ensure, eventually, within};
use peers::Queue;
use serde_json::{Value, json};

use crate::{Outcome, Source, body, emptied};

/// Best of three: how full a batch to delete becomes is a matter of time, 10 ms for each, which a busy machine may not have.
#[test]
fn a_full_queue_needs_few_calls() -> Outcome {
    kit::best_of_three(few_calls)
}

fn few_calls() -> Outcome {
    const MESSAGES: usize = 1000;
    let queue = Queue::standard(&json!({}))?;
    let bodies: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    queue.send(&bodies)?;
    let source = Source::start(&queue, &[])?;
    source.sink.wait_for(MESSAGES)?;
    emptied(&queue)?;
    let calls = source.sqs.count();
    let told = format!(
        "{calls} calls for {MESSAGES} messages: {} to receive, {} to delete, {} to hide",
        source.calls("ReceiveMessage"),
        source.calls("DeleteMessageBatch"),
        source.calls("ChangeMessageVisibilityBatch"),
    );
    ensure(source.sink.count() == MESSAGES, || format!("{} events; {told}", source.sink.count()))?;
    ensure(calls * 4 <= MESSAGES, || told)
}

#[test]
fn groups_keep_their_order_while_the_sink_fails() -> Outcome {
    const GROUPS: usize = 5;
    const EACH: usize = 12;
    let queue = Queue::fifo(&json!({"VisibilityTimeout": "30"}))?;
    for number in 0..EACH {
        let entries: Vec<_> = (0..GROUPS)
            .map(|group| {
                let body = format!("{group}-{number}");
                json!({"Id": group.to_string(), "MessageBody": body, "MessageGroupId": format!("g{group}"), "MessageDeduplicationId": body})
            })
            .collect();
        queue.sqs().send_entries(queue.url(), &json!(entries))?;
    }
    let sink = Sink::start()?;
    // Every third request fails, one of them by silence.
    let failures = (0..GROUPS * EACH / 2).map(|number| match number % 3 {
        0 if number == 9 => Reply::hang(),
        0 => Reply::status(503),
        _ => Reply::status(202),
    });
    sink.script(failures);
    let source = Source::start_between(&queue, sink, &[("K_SINK_TIMEOUT", "1")])?;
    emptied(&queue)?;
    let mut firsts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for request in source.sink.requests() {
        let body = body(&request.event()?);
        let (group, number) = body.split_once('-').ok_or_else(|| body.clone())?;
        let number = number.parse().map_err(|_| body.clone())?;
        let seen = firsts.entry(group.to_owned()).or_default();
        // The same one again is a new attempt.
        if seen.last() != Some(&number) {
            seen.push(number);
        }
    }
    let expected: Vec<usize> = (0..EACH).collect();
    ensure(firsts.len() == GROUPS && firsts.values().all(|seen| *seen == expected), || format!("{firsts:?}"))
}

#[test]
fn a_slow_sink_gets_a_message_once() -> Outcome {
    let queue = Queue::standard(&json!({"VisibilityTimeout": "9"}))?;
    let sink = Sink::start()?;
    let gate = Gate::new();
    sink.always(Reply::status(202).held(&gate));
    let source = Source::start_between(&queue, sink, &[])?;
    queue.send(&["slow".to_owned()])?;
    source.sink.wait_for(1)?;
    // Each comes when a third of the lease is over: the fourth is later than the whole of it.
    eventually("prolonged visibility", || (source.calls("ChangeMessageVisibilityBatch") >= 4).then_some(()))?;
    gate.open();
    emptied(&queue)?;
    ensure(source.sink.count() == 1, || format!("{} deliveries", source.sink.count()))
}

#[test]
fn what_is_not_delivered_is_visible_again_when_it_stops() -> Outcome {
    const MESSAGES: usize = 30;
    for fifo in [false, true] {
        let hidden = json!({"VisibilityTimeout": "600"});
        let queue = if fifo { Queue::fifo(&hidden)? } else { Queue::standard(&hidden)? };
        let bodies: Vec<String> = (0..MESSAGES).map(|number| format!("{number:02}")).collect();
        if fifo {
            for part in bodies.chunks(10) {
                let entries: Vec<_> = part
                    .iter()
                    .map(|body| json!({"Id": body, "MessageBody": body, "MessageGroupId": "g", "MessageDeduplicationId": body}))
                    .collect();
                queue.sqs().send_entries(queue.url(), &json!(entries))?;
            }
        } else {
            queue.send(&bodies)?;
        }
        let sink = Sink::start()?;
        sink.always(Reply::status(503));
        let mut source = Source::start_between(&queue, sink, &[])?;
        source.sink.wait_for(if fifo { 2 } else { MESSAGES })?;
        source.stop()?;
        // A standard queue gives what it has visible, in any order.
        let mut left: Vec<_> = queue
            .take()?
            .iter()
            .map(|message| message["Body"].as_str().unwrap_or_default().to_owned())
            .collect();
        if !fifo {
            left.sort();
        }
        ensure(left == bodies, || format!("fifo {fifo}: left {left:?}\n{}", source.process.output()))?;
    }
    Ok(())
}

#[test]
fn a_stalled_sink_and_a_full_queue_fit_into_little_memory() -> Outcome {
    // Far more than is let in at once, in large messages and in many.
    for (messages, size) in [(150, 250 << 10), (2000, 1 << 10)] {
        let queue = Queue::standard(&json!({"VisibilityTimeout": "5"}))?;
        let bodies: Vec<String> =
            (0..messages).map(|number| format!("{number} {}", "x".repeat(size))).collect();
        for body in bodies.chunks(if size > 100 << 10 { 1 } else { 10 }) {
            queue.send(body)?;
        }
        let sink = Sink::start()?;
        sink.always(Reply::hang());
        let settings = [("K_SINK_TIMEOUT", "60")];
        let source = Source::start_between(&queue, sink, &settings)?;
        source.sink.wait_for(20)?;
        // Some leases later it holds what it held.
        within(Duration::from_secs(60), "prolonged visibility", || {
            (source.calls("ChangeMessageVisibilityBatch") >= 20).then_some(())
        })?;
        let most = source.process.memory("VmHWM")?;
        ensure(most < 64 << 20, || format!("{messages} messages of {size} bytes: {} MB", most >> 20))?;
    }
    Ok(())
}

#[test]
fn messages_of_the_largest_size_come_fewer_at_once() -> Outcome {
    // ElasticMQ takes no message of 1 MiB.
    let (sqs, sink) = (Sink::start()?, Sink::start()?);
    let body = "x".repeat(1 << 20);
    sqs.route(move |request| {
        let action = request.headers.get("x-amz-target")?.trim_start_matches("AmazonSQS.").to_owned();
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let message = |number: u64| json!({"MessageId": format!("m{number}"), "ReceiptHandle": format!("r{number}"), "Body": body});
        Some(Reply::json(&match action.as_str() {
            "GetQueueUrl" => json!({"QueueUrl": "http://sqs/queue"}),
            "GetQueueAttributes" => json!({"Attributes": {"VisibilityTimeout": "3"}}),
            "ReceiveMessage" => {
                let messages: Vec<_> = (0..asked["MaxNumberOfMessages"].as_u64()?).map(message).collect();
                json!({ "Messages": messages })
            }
            _ => {
                let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
                let done: Vec<_> = entries.iter().map(|entry| json!({"Id": entry["Id"]})).collect();
                json!({"Successful": done, "Failed": []})
            }
        }))
    });
    let gate = Gate::new();
    sink.always(Reply::status(202).held(&gate));
    let source =
        Source::before(sqs, sink, "arn:aws:sqs:us-west-2:123456789012:orders", &[("K_SINK_TIMEOUT", "60")])?;
    source.sink.wait_for(10)?;
    eventually("prolonged visibility", || (source.calls("ChangeMessageVisibilityBatch") >= 4).then_some(()))?;
    let most = source.process.memory("VmHWM")?;
    ensure(most < 64 << 20, || format!("{} MB", most >> 20))?;
    gate.open();
    eventually("another call to receive", || (source.calls("ReceiveMessage") >= 4).then_some(()))?;
    let asked: Vec<_> = source
        .sqs
        .requests()
        .iter()
        .filter(|request| request.headers.get("x-amz-target") == Some("AmazonSQS.ReceiveMessage"))
        .filter_map(|request| {
            serde_json::from_slice::<Value>(&request.body).ok()?["MaxNumberOfMessages"].as_u64()
        })
        .collect();
    ensure(asked[0] == 10 && asked.iter().skip(2).all(|count| *count <= 3), || format!("asked for {asked:?}"))
}
