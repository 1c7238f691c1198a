//! What goes wrong, what callers and operators are told, and that it is over when its cause is gone.

use std::net::SocketAddr;

use kit::{Adapter, Authority, Failure, Folder, Reply, Sink, ensure, eventually};
use peers::{Toxic, Toxiproxy, Versitygw};

use crate::{KEYS, Outcome, gateway, launch, order, start};

/// Sends an event, which must be answered with this status, and a text in the answer and in the log that names the setting.
fn refused(target: &mut Adapter, status: u16, names: &str) -> Outcome {
    let answer = target.send(&order(1, "one"))?;
    let found = (answer.status, answer.headers.get("retry-after").is_some());
    ensure(found == (status, status == 503), || format!("{found:?}: {}", answer.text()))?;
    ensure(answer.text().contains(names), || format!("{names} is not in {}", answer.text()))?;
    let line = target.process.wait_for_line("an event was not handled")?;
    ensure(line.field("reason").contains(names), || format!("{names} is not in {}", line.text))?;
    let output = target.process.output();
    let secret = [Versitygw::SECRET_KEY, "Signature=", "hunter2"].iter().any(|text| output.contains(text));
    ensure(!secret, || output.clone())
}

#[test]
fn a_wrong_key_names_its_setting() -> Outcome {
    let gateway = gateway()?;
    let endpoint = gateway.endpoint();
    for (id, secret, names) in [
        (Versitygw::KEY_ID, "hunter2", "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"),
        ("nobody", "hunter2", "AWS_ACCESS_KEY_ID is not known there"),
    ] {
        let keys = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
        let mut target = launch(&[&keys[..], &[("AWS_ENDPOINT_URL", &endpoint)]].concat())?;
        let line = target.process.wait_for_line("the first contact failed")?;
        ensure(line.field("reason").contains(names), || line.text.clone())?;
        refused(&mut target, 503, names)?;
    }
    ensure(gateway.objects("orders")?.is_empty(), || "there are objects".to_owned())
}

#[test]
fn no_credentials_at_all_say_so() -> Outcome {
    let gateway = gateway()?;
    let settings = [("AWS_ENDPOINT_URL", &*gateway.endpoint()), ("AWS_EC2_METADATA_DISABLED", "true")];
    refused(&mut launch(&settings)?, 503, "there are no credentials: set AWS_ACCESS_KEY_ID")?;
    let file = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/writer");
    let mut target = launch(&[&settings[..], &[file, role]].concat())?;
    refused(&mut target, 503, "reading AWS_WEB_IDENTITY_TOKEN_FILE: /nowhere/token")
}

#[test]
fn a_missing_bucket_is_waited_for() -> Outcome {
    let gateway = Versitygw::start()?;
    let mut target = launch(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &gateway.endpoint())]].concat())?;
    refused(&mut target, 503, "what ARN names does not exist there (NoSuchBucket)")?;
    gateway.create_bucket("orders")?;
    eventually("it works", || (target.send(&order(1, "one")).ok()?.status == 200).then_some(()))?;
    target.process.wait_for_status("/readyz", 200).map(drop)
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_named() -> Outcome {
    let closed = Sink::refusing()?;
    let mut target = launch(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &closed.url(""))]].concat())?;
    refused(&mut target, 503, "it cannot be reached, see AWS_ENDPOINT_URL")
}

#[test]
fn a_silent_network_costs_no_more_than_the_time_out() -> Outcome {
    let (gateway, toxiproxy) = (gateway()?, Toxiproxy::start()?);
    let proxy = toxiproxy.before(gateway.address())?;
    let settings = [("AWS_ENDPOINT_URL", proxy.url()), ("AWS_S3_TIMEOUT", "300ms".to_owned())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut target = start(&[&KEYS[..], &settings].concat())?;
    proxy.add(Toxic::Deafness)?;
    refused(&mut target, 503, "no answer in time")?;
    proxy.heal()?;
    // Not at once: the time-out is short for a busy machine.
    eventually("it works", || (target.send(&order(1, "one")).ok()?.status == 200).then_some(()))?;
    proxy.add(Toxic::Reset(0))?;
    let answer = target.send(&order(2, "two"))?;
    answer.expect(503)?;
    proxy.heal()?;
    eventually("it works again", || (target.send(&order(2, "two")).ok()?.status == 200).then_some(()))
}

#[test]
fn codes_of_s3_are_whose_fault_they_are() -> Outcome {
    let (gateway, sink) = (gateway()?, Sink::start()?);
    sink.stand_before(gateway.address());
    let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &sink.url(""))]].concat())?;
    for (code, answered, expected, names) in [
        ("EntityTooLarge", 400, 413, "too large"),
        ("SlowDown", 503, 503, "no more for now"),
        ("AccessDenied", 403, 503, "not allowed to"),
        ("InternalError", 500, 503, "AWS failed"),
        ("SomethingNew", 400, 400, "AWS refused"),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>for a reason</Message></Error>");
        let reply =
            Reply::status(answered).header("Content-Type", "application/xml").header("Retry-After", "7");
        sink.always(reply.body(body));
        let answer = target.send(&order(1, "one"))?;
        ensure(answer.status == expected && answer.text().contains(names), || answer.text())?;
        if code == "SlowDown" {
            ensure(answer.headers.get("retry-after") == Some("7"), || format!("{:?}", answer.headers))?;
        }
    }
    ensure(gateway.objects("orders")?.is_empty(), || "there are objects".to_owned())
}

#[test]
fn only_the_certificates_of_the_bundle_are_trusted() -> Outcome {
    let authority = Authority::new()?;
    let (gateway, sink) = (gateway()?, Sink::start_tls(&authority)?);
    sink.stand_before(gateway.address());
    let folder = Folder::new()?;
    let bundle = folder.file("bundle.pem", authority.pem())?;
    let endpoint = sink.url("");
    let settings = [&KEYS[..], &[("AWS_ENDPOINT_URL", &endpoint)]].concat();
    refused(&mut launch(&settings)?, 503, "it cannot be reached")?;
    let target = start(&[&settings[..], &[("AWS_CA_BUNDLE", &bundle)]].concat())?;
    let answer = target.send(&order(1, "one"))?;
    answer.expect(200)
}

#[test]
fn a_proxy_is_gone_through() -> Outcome {
    let (gateway, proxy) = (gateway()?, Sink::start()?);
    proxy.stand_before(gateway.address());
    let url = proxy.url("");
    let settings = [("AWS_ENDPOINT_URL", "http://s3.example.internal"), ("HTTP_PROXY", &url)];
    let target = launch(&[&KEYS[..], &settings].concat())?;
    target.send(&order(1, "one"))?;
    let requests = proxy.requests();
    let asked = requests.first().ok_or("nothing came to the proxy")?;
    ensure(asked.path.starts_with("http://s3.example.internal/orders"), || asked.path.clone())?;
    let local = local(&gateway.endpoint(), &url, gateway.address())?;
    ensure(local.send(&order(1, "one"))?.status == 200, || "not past the proxy".to_owned())
}

/// A target that has a proxy and must not use it.
fn local(endpoint: &str, proxy: &str, except: SocketAddr) -> Result<Adapter, Failure> {
    let except = except.ip().to_string();
    let settings = [("AWS_ENDPOINT_URL", endpoint), ("HTTP_PROXY", proxy), ("NO_PROXY", &except)];
    start(&[&KEYS[..], &settings].concat())
}
