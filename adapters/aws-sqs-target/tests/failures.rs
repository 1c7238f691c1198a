//! What goes wrong on AWS's side: one clear answer that names the setting, and the next event passes once it is over.

use kit::{Failure, Folder, Reply, Sink, ensure};
use peers::{Queue, Sqs};
use serde_json::json;

use crate::{Outcome, Target, order, told};

/// What SQS answers for a code. Its text may hold what was signed; only of what is not allowed is it shown.
fn error(status: u16, code: &str) -> Reply {
    let text =
        if code.starts_with("AccessDenied") { "not authorized to perform" } else { "hunter2 was signed" };
    let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": text });
    Reply::status(status).header("Content-Type", "application/x-amz-json-1.0").body(body.to_string())
}

#[test]
fn failures_name_the_setting_and_are_over_when_they_are_over() -> Outcome {
    let queue = Queue::standard(&json!({}))?;
    let target = Target::start(&queue, &[])?;
    for (reply, status, names) in [
        (error(403, "InvalidClientTokenId"), 503, "AWS_ACCESS_KEY_ID"),
        (error(403, "SignatureDoesNotMatch"), 503, "AWS_SECRET_ACCESS_KEY"),
        (error(403, "ExpiredToken"), 503, "AWS_SESSION_TOKEN"),
        (error(403, "AccessDeniedException"), 503, "not allowed"),
        (error(400, "QueueDoesNotExist"), 503, "ARN"),
        (error(400, "ThrottlingException"), 503, "takes no more for now"),
        (error(503, "ServiceUnavailable"), 503, "AWS failed"),
        (Reply::status(500), 503, "AWS failed"),
        (Reply::close(), 503, "cannot be reached"),
        (Reply::garbage(), 503, "AWS_ENDPOINT_URL"),
        (Reply::status(200).body("no JSON"), 503, "not understood"),
        (error(400, "InvalidMessageContents"), 422, "not taken"),
        (error(400, "UnheardOf"), 400, "refused"),
    ] {
        let what = format!("{reply:?}");
        target.sqs.always(reply);
        let answer = target.send(&order(1), 1)?;
        let text = answer.text();
        ensure(answer.status == status && text.contains(names), || {
            format!("{what}: {} {text}", answer.status)
        })?;
        let waits = answer.headers.get("retry-after").is_some();
        ensure(waits == (status == 503), || format!("{what}: {:?}", answer.headers))?;
        target.sqs.always(Reply::status(202));
        told(&target.send(&order(1), 1)?).map_err(|failure| format!("after {what}: {failure}"))?;
    }
    let output = target.adapter.process.output();
    ensure(!output.contains("hunter2") && !output.contains("ERROR"), || output.clone())
}

#[test]
fn a_queue_that_is_made_later_is_used() -> Outcome {
    let any = Queue::standard(&json!({}))?;
    let sqs = Sink::start()?;
    sqs.stand_before(any.address());
    let arn = format!("{}-later", any.arn());
    let target = Target::before(sqs, &arn, &[])?;
    let answer = target.send(&order(1), 1)?;
    ensure(answer.status == 503 && answer.text().contains("ARN"), || answer.text())?;
    let name = arn.rsplit(':').next().unwrap_or_default();
    let url = any.sqs().create(name, &json!({}))?;
    told(&target.send(&order(1), 1)?)?;
    let messages = Sqs::receive(&any.sqs(), &url)?;
    ensure(messages.len() == 1, || format!("{messages:?}"))
}

#[test]
fn what_is_too_large_for_any_queue_is_refused_without_a_call() -> Outcome {
    let target = Target::before(Sink::start()?, "arn:aws:sqs:us-west-2:123456789012:orders", &[])?;
    let large = kit::Example::json("com.example.order", &json!("x".repeat(1 << 20)));
    let answer = target.send(&large, 1)?;
    answer.expect(413)?;
    ensure(target.sqs.count() == 0, || format!("{} calls", target.sqs.count()))
}

#[test]
fn credentials_come_from_files_and_the_account_from_the_arn() -> Result<(), Failure> {
    let sqs = Sink::start()?;
    let folder = Folder::new()?;
    let path = folder.file("key", "AKIDFROMFILE\n")?;
    let settings = [("AWS_ACCESS_KEY_ID", ""), ("AWS_ACCESS_KEY_ID_FILE", &path)];
    let target = Target::before(sqs, "arn:aws-cn:sqs:cn-north-1:210987654321:orders", &settings)?;
    drop(target.send(&order(1), 1)?);
    let requests = target.sqs.requests();
    let request = requests.first().ok_or("no call")?;
    let signature = request.headers.get("authorization").unwrap_or_default();
    ensure(signature.contains("Credential=AKIDFROMFILE/") && signature.contains("/cn-north-1/sqs/"), || {
        signature.to_owned()
    })?;
    let url = "https://sqs.cn-north-1.amazonaws.com.cn/210987654321/orders";
    ensure(request.text().contains(url), || request.text())
}
