//! A cluster of three nodes with TLS, certificates of clients, and a user who may do with streams what is needed.

use kit::{Authority, Sink};
use peers::{Redis, RedisCluster};
use serde_json::json;

use crate::{Outcome, begin, expect, numbered, wait_for_ids};

#[test]
fn whichever_node_has_the_stream() -> Outcome {
    let sink = Sink::start()?;
    let cluster = RedisCluster::start(&["events-*", "{events-*"])?;
    let (certificate, key) = cluster.identity();
    let addresses = cluster.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let document = json!({"triggers": {
        "t": {"target": {"url": sink.url("/in")}, "filters": [{"exact": {"type": "a"}}]},
        "bad": {"filters": [{"exact": {"type": "b"}}]},
    }});
    // Their slots are with different nodes.
    for (round, stream) in ["events-a", "events-b", "events-c", "events-d"].into_iter().enumerate() {
        let settings = [
            ("REDIS_CLUSTER_ADDRESSES", &*addresses),
            ("REDIS_USERNAME", RedisCluster::USER),
            ("REDIS_PASSWORD", RedisCluster::PASSWORD),
            ("REDIS_TLS_ENABLED", "true"),
            ("REDIS_TLS_CA_CERTIFICATE", cluster.authority().pem()),
            ("REDIS_TLS_CERTIFICATE", certificate),
            ("REDIS_TLS_KEY", key),
            ("REDIS_STREAM", stream),
        ];
        let mut broker = begin(&document, &settings)?;
        broker.process.wait_for_status("/readyz", 200)?;
        broker.accept("a", round as u64)?;
        broker.accept("b", 99)?;
        let found = wait_for_ids(&sink, "/in", round + 1)?;
        expect(found, numbered(0..=round as u64), stream)?;
        kit::eventually("a dead letter", || {
            let listing = broker.json("/dlq").ok()?;
            (listing["entries"][0]["trigger"] == "bad").then_some(())
        })?;
        expect(cluster.ask(&["XLEN", stream])?.as_u64(), Some(2), "both are in the stream")?;
    }
    let settings = [
        ("REDIS_CLUSTER_ADDRESSES", &*addresses),
        ("REDIS_USERNAME", RedisCluster::USER),
        ("REDIS_PASSWORD", "wrong"),
        ("REDIS_TLS_ENABLED", "true"),
        ("REDIS_TLS_CA_CERTIFICATE", cluster.authority().pem()),
        ("REDIS_TLS_CERTIFICATE", certificate),
        ("REDIS_TLS_KEY", key),
    ];
    let mut broker = begin(&document, &settings)?;
    let line = broker.process.wait_for_line("the first contact failed")?;
    expect(line.field("reason").contains("wrong"), false, "no secret in the log")
}

#[test]
fn whom_to_trust() -> Outcome {
    let (sink, authority) = (Sink::start()?, Authority::new()?);
    let redis = Redis::start_tls(&authority)?;
    let address = redis.address().to_string();
    let document = json!({"triggers": {"t": {"target": {"url": sink.url("/in")}}}});
    let stranger = Authority::new()?;
    let cases = [
        (("REDIS_TLS_CA_CERTIFICATE", authority.pem()), true),
        (("REDIS_TLS_SKIP_VERIFY", "true"), true),
        (("REDIS_TLS_CA_CERTIFICATE", stranger.pem()), false),
    ];
    for (number, (trust, is_trusted)) in (0..).zip(cases) {
        let settings = [
            ("REDIS_ADDRESS", &*address),
            ("REDIS_PASSWORD", Redis::PASSWORD),
            ("REDIS_DATABASE", "3"),
            ("REDIS_TLS_ENABLED", "true"),
            trust,
        ];
        let mut broker = begin(&document, &settings)?;
        if is_trusted {
            broker.process.wait_for_status("/readyz", 200)?;
            broker.accept("a", number)?;
            wait_for_ids(&sink, "/in", number as usize + 1)?;
        } else {
            broker.process.wait_for_line("the first contact failed")?;
            expect(broker.post("a", number)?.status, 503, "nothing is taken in")?;
        }
    }
    Ok(())
}
