//! A subscription, a right or a service that is not there: told, waited for, and gone on with by itself.

use kit::{ensure, eventually};
use peers::Pstest;
use serde_json::json;

use crate::{Outcome, Source};

#[test]
fn what_is_missing_is_named_and_waited_for() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.pubsub.delete_subscription(Pstest::SUBSCRIPTION)?;
    let mut process = source.launch(&[])?;
    process.wait_for_status("/healthz", 200)?;
    let told = "the subscription of GCLOUD_PUBSUB_SUBSCRIPTION does not exist: projects/p/subscriptions/s";
    eventually(told, || process.output().contains(told).then_some(()))?;
    process.wait_for_status("/readyz", 503)?;
    source.pubsub.subscribe(Pstest::SUBSCRIPTION, Pstest::TOPIC, &json!({}))?;
    process.wait_for_status("/readyz", 200)?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    source.sink.events(1).map(drop)
}

#[test]
fn a_subscription_that_goes_away_is_told_and_comes_back() -> Outcome {
    let source = Source::new(&json!({}))?;
    let process = source.start(&[])?;
    // Ready is before the stream.
    source.pubsub.publish(b"0", &json!({}), "")?;
    source.pubsub.wait_for_acks(1)?;
    source.pubsub.delete_subscription(Pstest::SUBSCRIPTION)?;
    // The service ends streams of what is deleted; the fake is told to.
    eventually("an open stream", || source.pubsub.break_streams().ok().filter(|count| *count > 0))?;
    let told = "the subscription of GCLOUD_PUBSUB_SUBSCRIPTION does not exist";
    eventually(told, || process.output().contains(told).then_some(()))?;
    source.pubsub.subscribe(Pstest::SUBSCRIPTION, Pstest::TOPIC, &json!({}))?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    source.sink.events(2).map(drop)
}

#[test]
fn rights_that_are_missing_are_named_and_waited_for() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.pubsub.fail("StreamingPull", "PERMISSION_DENIED", 2)?;
    let process = source.launch(&[])?;
    let told =
        "may not use the subscription of GCLOUD_PUBSUB_SUBSCRIPTION (it needs roles/pubsub.subscriber)";
    eventually(told, || process.output().contains(told).then_some(()))?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    source.sink.events(1).map(drop)
}

#[test]
fn a_broken_stream_is_opened_again() -> Outcome {
    let source = Source::new(&json!({}))?;
    let _process = source.start(&[])?;
    for number in 0..5 {
        source.pubsub.publish(number.to_string().as_bytes(), &json!({}), "")?;
        source.sink.wait_for(number + 1)?;
        source.pubsub.break_streams()?;
    }
    source.pubsub.wait_for_acks(5)?;
    ensure(source.numbers().len() == 5, || format!("{:?}", source.numbers()))
}

#[test]
fn a_service_that_does_not_answer_is_noticed() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.pubsub.hang("GetSubscription", -1)?;
    let process = source.launch(&[("GCLOUD_PUBSUB_TIMEOUT", "1s")])?;
    let told = "looking at the subscription: no answer";
    eventually(told, || process.output().contains(told).then_some(()))?;
    source.pubsub.hang("GetSubscription", 0)?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    source.sink.events(1).map(drop)
}

#[test]
fn a_subscription_that_may_not_be_looked_at_is_enough() -> Outcome {
    let source = Source::new(&json!({}))?;
    source.pubsub.fail("GetSubscription", "PERMISSION_DENIED", -1)?;
    let process = source.start(&[])?;
    source.pubsub.publish(b"1", &json!({}), "")?;
    let event = source.sink.events(1)?.remove(0);
    ensure(event.get("source") == Pstest::SUBSCRIPTION, || format!("{event:?}"))?;
    ensure(process.output().contains("pubsub.subscriptions.get"), || process.output())
}
