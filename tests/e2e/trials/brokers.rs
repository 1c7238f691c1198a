//! Examples with brokers whose events outlive the bridge, run for real.

use kit::{Failure, ensure};
use peers::Redis;
use serde_json::json;

use crate::Named;
use crate::examples::{send, shown, text};
use crate::up::{Up, replace};

pub const TRIALS: &[Named] = &[("redis-broker: events outlive the bridge", redis_broker)];

fn redis_broker() -> Result<(), Failure> {
    let redis = Redis::start()?;
    let manifest = text("redis-broker")?.replace("redis.example.com:6379", &redis.address().to_string());
    let manifest = replace(&manifest, "the-password-of-redis", Redis::PASSWORD)?;
    {
        let mut up = Up::ready(&manifest)?;
        send(&up, "shop", "any", r#"{"order": 4711}"#)?;
        send(&up, "orders", "com.example.order.lost", r#"{"order": 4712}"#)?;
        shown(&mut up, "shipping", "com.example.order.placed", "4711")?;
        shown(&mut up, "ledger", "com.example.order.lost", "4712")?;
        let dead = kit::eventually("a dead letter", || {
            let answer = kit::Request::get("/dlq").send(up.address("orders").ok()?).ok()?;
            let listing: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
            listing["entries"].get(0).cloned()
        })?;
        let found = (&dead["trigger"], &dead["event"]["type"]);
        ensure(found == (&json!("to-nobody"), &json!("com.example.order.lost")), || dead.to_string())?;
        ensure(!up.screen().contains(Redis::PASSWORD), || up.screen())?;
    }
    // What came before there was anybody to take it.
    let manifest = manifest.replace("name: to-ledger", "name: to-new-ledger");
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "ledger", "com.example.order.placed", "4711")
}
