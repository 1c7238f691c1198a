//! What goes wrong on AWS's side: one clear line that names the setting, growing pauses, not ready, and by itself again.

use kit::{Failure, PATIENCE, Reply, Sink, ensure, eventually, within};
use peers::{Queue, Toxic, Toxiproxy};
use serde_json::json;

use crate::{Outcome, Source};

/// What SQS answers for a code.
fn error(status: u16, code: &str) -> Reply {
    let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": "told by AWS" });
    Reply::status(status).header("Content-Type", "application/x-amz-json-1.0").body(body.to_string())
}

/// The reasons that the log gives, and the pauses.
fn warnings(source: &Source) -> Vec<(String, u64)> {
    let log = source.process.log();
    let warnings = log.iter().filter(|line| line.field("level") == "WARN");
    warnings
        .map(|line| (line.field("reason").to_owned(), line.json["retry_in_ms"].as_u64().unwrap_or_default()))
        .collect()
}

/// Failures and what the line about them names.
fn failures() -> Vec<(Reply, &'static str)> {
    vec![
        (error(403, "InvalidClientTokenId"), "AWS_ACCESS_KEY_ID"),
        (error(403, "SignatureDoesNotMatch"), "AWS_SECRET_ACCESS_KEY"),
        (error(403, "ExpiredToken"), "AWS_SESSION_TOKEN"),
        (error(403, "AccessDenied"), "not allowed to: told by AWS"),
        (error(400, "QueueDoesNotExist"), "ARN"),
        (error(400, "ThrottlingException"), "AWS takes no more for now"),
        (error(503, "ServiceUnavailable"), "AWS failed"),
        (Reply::close(), "AWS_ENDPOINT_URL"),
        (Reply::garbage(), "AWS_ENDPOINT_URL"),
    ]
}

#[test]
fn failures_of_the_first_contact_name_the_setting_and_end_by_themselves() -> Outcome {
    for (reply, names) in failures() {
        let queue = Queue::standard(&json!({}))?;
        let what = format!("{reply:?}");
        let sqs = Sink::start()?;
        sqs.stand_before(queue.address());
        sqs.always(reply);
        let mut source = Source::before(sqs, Sink::start()?, &queue.arn(), &[])?;
        eventually(&format!("a line for {what}"), || {
            warnings(&source).iter().any(|(reason, _)| reason.contains(names)).then_some(())
        })
        .map_err(|failure| format!("{failure}\n{}", source.process.output()))?;
        let status = source.process.wait_for_status("/healthz", 200)?.status;
        ensure(status == 200, || format!("{what}: live {status}"))?;
        let ready = source.process.wait_for_status("/readyz", 503)?.status;
        ensure(ready == 503, || format!("{what}: ready {ready}"))?;
        source.sqs.always(Reply::status(202));
        queue.send(&["after".to_owned()])?;
        source.sink.events(1)?;
        source.process.wait_for_status("/readyz", 200)?;
        source.stop()?;
    }
    Ok(())
}

#[test]
fn failures_in_the_middle_pause_longer_and_longer_and_end_by_themselves() -> Outcome {
    let queue = Queue::standard(&json!({}))?;
    let mut source = Source::start(&queue, &[])?;
    queue.send(&["before".to_owned()])?;
    source.sink.events(1)?;
    for (round, (reply, names)) in failures().into_iter().enumerate() {
        let what = format!("{reply:?}");
        let before = warnings(&source).len();
        source.sqs.always(reply);
        // The long poll that is out ends with a message.
        queue.send(&["wakes the poll".to_owned()])?;
        let seen = eventually(&format!("three lines for {what}"), || {
            let seen = warnings(&source).split_off(before);
            let about: Vec<_> =
                seen.into_iter().filter(|(reason, pause)| reason.contains(names) && *pause > 0).collect();
            (about.len() >= 3).then_some(about)
        })
        .map_err(|failure| format!("{failure}\n{}", source.process.output()))?;
        let pauses: Vec<_> = seen.iter().map(|(_, pause)| *pause).collect();
        ensure(pauses[2] > pauses[0], || format!("{what}: pauses {pauses:?}"))?;
        source.sqs.always(Reply::status(202));
        queue.send(&[format!("after {round}")])?;
        eventually(&format!("messages after {what}"), || {
            let bodies = source.sink.requests();
            bodies.iter().any(|request| request.text().contains(&format!("after {round}"))).then_some(())
        })?;
    }
    let output = source.process.output();
    ensure(!output.contains("hunter2") && !output.contains("ERROR"), || output.clone())?;
    source.stop()
}

#[test]
fn a_queue_that_is_made_later_is_used() -> Outcome {
    let any = Queue::standard(&json!({}))?;
    let sqs = Sink::start()?;
    sqs.stand_before(any.address());
    let arn = format!("{}-later", any.arn());
    let mut source = Source::before(sqs, Sink::start()?, &arn, &[])?;
    eventually("a line about the missing queue", || {
        warnings(&source).iter().any(|(reason, _)| reason.contains("ARN names does not exist")).then_some(())
    })?;
    source.process.wait_for_status("/readyz", 503)?;
    let url = any.sqs().create(arn.rsplit(':').next().unwrap_or_default(), &json!({}))?;
    any.sqs().send(&url, &["at last".to_owned()])?;
    source.sink.events(1)?;
    source.process.wait_for_status("/readyz", 200).map(drop)
}

#[test]
fn who_may_not_ask_for_the_visibility_timeout_may_still_receive() -> Outcome {
    let queue = Queue::standard(&json!({"VisibilityTimeout": "600"}))?;
    let sqs = Sink::start()?;
    let peer = queue.address();
    sqs.route(move |request| {
        let asks = request.headers.get("x-amz-target") == Some("AmazonSQS.GetQueueAttributes");
        Some(if asks { error(403, "AccessDeniedException") } else { Reply::relayed(peer) })
    });
    let mut source = Source::before(sqs, Sink::start()?, &queue.arn(), &[])?;
    queue.send(&["hello".to_owned()])?;
    source.sink.events(1)?;
    source
        .process
        .wait_for_line("the queue does not tell its visibility timeout: SQS_VISIBILITY_TIMEOUT can set it")?;
    let requests = source.sqs.requests();
    let receive = requests.iter().find(|request| request.text().contains("WaitTimeSeconds"));
    let receive = receive.ok_or_else(|| Failure::from("nothing was received"))?.text();
    ensure(receive.contains("\"VisibilityTimeout\":30"), || receive.clone())
}

#[test]
fn a_network_that_falls_silent_is_noticed_and_comes_back() -> Outcome {
    let queue = Queue::standard(&json!({"VisibilityTimeout": "5"}))?;
    let toxiproxy = Toxiproxy::start()?;
    let proxy = toxiproxy.before(queue.address())?;
    let sqs = Sink::start()?;
    sqs.stand_before(proxy.address());
    let mut source = Source::before(sqs, Sink::start()?, &queue.arn(), &[])?;
    queue.send(&["before".to_owned()])?;
    source.sink.events(1)?;
    proxy.add(Toxic::Silence)?;
    // A call that waits for messages may be silent for 20 s.
    within(PATIENCE * 2, "a line about the silence", || {
        warnings(&source).iter().any(|(reason, _)| reason.contains("no answer in time")).then_some(())
    })
    .map_err(|failure| format!("{failure}\n{}", source.process.output()))?;
    proxy.heal()?;
    queue.send(&["after".to_owned()])?;
    within(PATIENCE * 2, "the message after the silence", || {
        source.sink.requests().iter().any(|request| request.text().contains("after")).then_some(())
    })?;
    source.process.wait_for_status("/readyz", 200).map(drop)
}
