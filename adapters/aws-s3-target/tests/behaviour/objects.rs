//! Keys, bodies and replies, on two servers that have nothing in common.

use kit::{Example, Request, Response, ensure};
use serde_json::{Value, json};

use crate::{KEYS, Outcome, gateway, moto, order, start};

const TIME: &str = "2024-01-02T03:04:05.678Z";
const KEY: &str = "com.example.order//kit/2024-01-02 03:04:05.678 +0000 UTC";

fn timed(number: u64) -> Request {
    Example::new("com.example.order", "text/plain", format!("order {number}"))
        .binary(number)
        .header("ce-time", TIME)
}

fn stored(answer: &Response) -> Result<String, String> {
    answer.expect(200)?;
    let event = answer.event()?;
    let found = (answer.status, event.get("type"), event.get("source"), event.get("datacontenttype"));
    let expected = (200, "io.triggermesh.targets.aws.s3.result", "arn:aws:s3:::orders", "application/json");
    ensure(found == expected, || format!("{found:?}"))?;
    let text: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    text.as_str().map(str::to_owned).ok_or_else(|| format!("no string: {text}"))
}

#[test]
fn an_event_becomes_an_object_named_by_its_subject() -> Outcome {
    let gateway = gateway()?;
    let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &gateway.endpoint())]].concat())?;
    let key = "2024/a b+c%2F é.txt";
    let told = stored(&target.send(&order(1, "2024/a b+c%252F %C3%A9.txt"))?)?;
    ensure(told.starts_with("{\n  ETag: \"\\\"") && told.ends_with("\\\"\"\n}"), || told.clone())?;
    let put = Example::json("io.triggermesh.awss3.object.put", &json!({ "n": 2 }));
    stored(&target.send(&put.binary(2).header("ce-subject", "put"))?)?;
    // The last one of a subject is the one that stays.
    stored(&target.send(&order(3, "put"))?)?;
    let objects = gateway.objects("orders")?;
    let expected = [(key.to_owned(), b"order 1".to_vec()), ("put".to_owned(), b"order 3".to_vec())];
    ensure(objects == expected.into(), || format!("{objects:?}"))
}

#[test]
fn the_whole_event_is_stored_unless_told_otherwise() -> Outcome {
    let (moto, sink) = moto()?;
    let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let endpoint = [("AWS_ENDPOINT_URL", sink.url("/")), ("AWS_DISCARD_CE_CONTEXT", "false".to_owned())];
    let endpoint = endpoint.each_ref().map(|(name, value)| (*name, value.as_str()));
    let target = start(&[&keys[..], &endpoint].concat())?;
    stored(&target.send(&order(1, "whole"))?)?;
    let object = moto.object("orders", "whole")?.ok_or("no object")?;
    let event: Value = serde_json::from_slice(&object).map_err(|error| error.to_string())?;
    let found = (&event["id"], &event["subject"], &event["data"]);
    ensure(found == (&json!("kit-1"), &json!("whole"), &json!("order 1")), || event.to_string())?;
    let put = Example::json("io.triggermesh.awss3.object.put", &json!({ "n": 2 }));
    stored(&target.send(&put.binary(2).header("ce-subject", "put"))?)?;
    ensure(moto.object("orders", "put")?.as_deref() == Some(br#"{"n":2}"#), || "not the data".to_owned())?;
    // The bucket says where it is, and requests are signed for there.
    let signed = sink.requests();
    let scopes: Vec<_> = signed.iter().filter_map(|request| request.headers.get("authorization")).collect();
    let here = scopes.iter().filter(|scope| scope.contains("/eu-west-1/s3/aws4_request")).count();
    ensure(here == 2 && scopes.len() == 3, || format!("{scopes:?}"))?;
    let kinds: Vec<_> = signed.iter().filter_map(|request| request.headers.get("content-type")).collect();
    ensure(kinds == ["application/cloudevents+json", "application/json"], || format!("{kinds:?}"))
}

#[test]
fn events_of_one_instant_do_not_replace_each_other() -> Outcome {
    let gateway = gateway()?;
    let target = start(&[&KEYS[..], &[("AWS_ENDPOINT_URL", &gateway.endpoint())]].concat())?;
    // Each comes twice, as it does when an answer was lost.
    for number in [1, 2, 1, 2] {
        let told = stored(&target.send(&timed(number))?)?;
        ensure(told.contains("ETag"), || told.clone())?;
    }
    let objects = gateway.objects("orders")?;
    let other = format!("{KEY}.kit-2");
    let key = KEY.replace("//", "/");
    let other = other.replace("//", "/");
    let expected = [(key, b"order 1".to_vec()), (other, b"order 2".to_vec())];
    ensure(objects == expected.into(), || format!("{objects:?}"))
}

#[test]
fn events_without_a_time_have_their_id_in_the_key() -> Outcome {
    let (moto, sink) = moto()?;
    let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let target = start(&[&keys[..], &[("AWS_ENDPOINT_URL_S3", &sink.url(""))]].concat())?;
    for number in [1, 2, 1] {
        let event = Example::new("com.example.order", "text/plain", format!("order {number}"));
        stored(&target.send(&event.binary(number))?)?;
    }
    for number in [1, 2] {
        stored(&target.send(&timed(number))?)?;
    }
    let keys = moto.keys("orders")?;
    let nil = "com.example.order//kit/0001-01-01 00:00:00 +0000 UTC";
    let expected = [format!("{nil}.kit-1"), format!("{nil}.kit-2"), KEY.to_owned(), format!("{KEY}.kit-2")];
    ensure(keys == expected, || format!("{keys:?}"))
}
