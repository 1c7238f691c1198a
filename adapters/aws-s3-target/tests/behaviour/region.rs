//! Where the bucket is, and servers that cannot do all that S3 can.

use kit::{Adapter, Example, Failure, Reply, Sink, ensure};

use crate::{KEYS, Outcome, gateway, launch, moto, order, start};

/// The region that each request was signed for, in order, with its method.
fn regions(sink: &Sink) -> Vec<(String, String)> {
    let requests = sink.requests();
    let signed = requests.iter().filter_map(|request| Some((request, request.headers.get("authorization")?)));
    signed
        .map(|(request, text)| {
            let region = text.split("Credential=").nth(1).and_then(|scope| scope.split('/').nth(2));
            (request.method.clone(), region.unwrap_or_default().to_owned())
        })
        .collect()
}

fn located(sink: &Sink, at: &str) -> Outcome {
    let found = regions(sink).last().map(|(_, region)| region.clone());
    ensure(found.as_deref() == Some(at), || format!("signed for {found:?} in place of {at}"))
}

fn location(text: &str) -> Reply {
    xml(200, format!("<LocationConstraint>{text}</LocationConstraint>"))
}

fn failure(status: u16, code: &str) -> Reply {
    xml(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

fn xml(status: u16, body: String) -> Reply {
    Reply::status(status).header("Content-Type", "application/xml").body(body)
}

#[test]
fn the_bucket_says_where_it_is() -> Outcome {
    for (answer, settings, expected) in [
        (location("eu-central-1"), &[][..], "eu-central-1"),
        (location("EU"), &[], "eu-west-1"),
        (location(""), &[("AWS_REGION", "eu-west-3")], "us-east-1"),
        (failure(403, "AccessDenied"), &[("AWS_REGION", "eu-west-3")], "eu-west-3"),
    ] {
        let (_moto, sink) = moto()?;
        sink.script([answer]);
        let endpoint = sink.url("");
        let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &endpoint)], settings].concat())?;
        ensure(target.send(&order(1, "one"))?.status == 200, || "not stored".to_owned())?;
        located(&sink, expected)?;
    }
    // Without either nobody knows.
    let (_moto, sink) = moto()?;
    sink.script([failure(403, "AccessDenied")]);
    let mut target = launch(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &sink.url(""))]].concat())?;
    let line = target.process.wait_for_line("the first contact failed")?;
    ensure(line.field("reason").contains("asking for the region of the bucket"), || line.text.clone())
}

#[test]
fn a_bucket_that_has_moved_is_found_again() -> Outcome {
    let (_moto, sink) = moto()?;
    let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &sink.url(""))]].concat())?;
    sink.script([failure(301, "PermanentRedirect"), location("ap-south-1")]);
    let answer = target.send(&order(1, "one"))?;
    ensure(answer.status == 503 && answer.text().contains("AWS_REGION"), || answer.text())?;
    ensure(target.send(&order(1, "one"))?.status == 200, || "not stored".to_owned())?;
    located(&sink, "ap-south-1")
}

/// A target before a gateway, and the event of an instant that an object of another event has the name of.
fn collision() -> Result<(peers::Versitygw, Sink, Adapter), Failure> {
    let (gateway, sink) = (gateway()?, Sink::start()?);
    sink.stand_before(gateway.address());
    let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &sink.url(""))]].concat())?;
    send(&target, 1)?;
    Ok((gateway, sink, target))
}

fn send(target: &Adapter, number: u64) -> Outcome {
    let event = Example::new("com.example.order", "text/plain", format!("order {number}")).binary(number);
    let answer = target.send(&event.header("ce-time", "2024-01-02T03:04:05Z"))?;
    answer.expect(200)
}

#[test]
fn whoever_may_not_look_stores_twice_and_loses_nothing() -> Outcome {
    let (gateway, sink, target) = collision()?;
    let gate = gateway.address();
    sink.route(move |request| {
        (request.method == "HEAD").then(|| Reply::status(403)).or(Some(Reply::relayed(gate)))
    });
    for number in [1, 2, 2] {
        send(&target, number)?;
    }
    let bodies: Vec<_> = gateway.objects("orders")?.into_values().collect();
    ensure(bodies == [&b"order 1"[..], b"order 1", b"order 2"], || format!("{bodies:?}"))
}

#[test]
fn a_server_without_conditions_is_asked_once_for_them() -> Outcome {
    let (gateway, sink, target) = collision()?;
    let gate = gateway.address();
    sink.route(move |request| {
        let asks = request.headers.get("if-none-match").is_some();
        asks.then(|| failure(501, "NotImplemented")).or(Some(Reply::relayed(gate)))
    });
    for number in [2, 3] {
        send(&target, number)?;
    }
    let refused = sink.requests().iter().filter(|r| r.headers.get("if-none-match").is_some()).count();
    ensure(refused == 2, || format!("{refused} conditions, the first of them taken"))?;
    let bodies: Vec<_> = gateway.objects("orders")?.into_values().collect();
    ensure(bodies == [b"order 3"], || format!("{bodies:?}"))
}
