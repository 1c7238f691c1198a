//! A bridge of five containers in a network of their own: a webhook and a clock, a broker, a transformation whose answer
//! goes back into the broker, and a display.

use std::net::SocketAddr;

use kit::{Failure, Request, ensure, eventually};
use serde_json::{Value, json};

use crate::build::{image, json_of};
use crate::container::Container;

const MEMORY: &str = "32m";
const ORDERED: &str = "com.example.ordered";
const SHIPPED: &str = "com.example.shipped";
const PING: &str = "dev.knative.sources.ping";
const ORDERS: usize = 50;
const TOKEN: &str = "of this trial alone";

/// Every order comes out transformed, the clock's events come out too, and SIGTERM ends all of it with 0.
pub fn passes() -> Result<(), Failure> {
    let bridge = Bridge::start()?;
    for container in bridge.all() {
        container.confined()?;
    }
    let door = bridge.webhook.door()?;
    for number in 0..ORDERS {
        let order = Request::post("/").json(&json!({"order": number}));
        let answer = order.send(door)?;
        ensure(answer.status == 204, || {
            format!("order {number}: {}\n{}", answer.status, bridge.webhook.said())
        })?;
    }
    let shown = bridge.display.door()?;
    let complete = || {
        let events = events(shown).ok()?;
        let of = |name: &str| events.iter().filter(|event| event["type"] == name).count();
        (of(SHIPPED) >= ORDERS && of(PING) > 0).then_some(events)
    };
    let events = eventually("all orders at the display", complete)?;
    for number in 0..ORDERS {
        let is = |event: &&Value| event["data"] == json!({"order": number, "carrier": "ship"});
        ensure(events.iter().filter(is).count() == 1, || {
            format!("order {number} is not there once: {events:?}")
        })?;
    }
    bridge.stop()
}

/// What the display has shown.
fn events(door: SocketAddr) -> Result<Vec<Value>, Failure> {
    let request = Request::get("/events").header("Authorization", &format!("Bearer {TOKEN}"));
    let answer = request.send(door)?;
    serde_json::from_value(json_of(&answer.text())?).map_err(|error| error.to_string())
}

struct Bridge {
    display: Container,
    transformation: Container,
    broker: Container,
    webhook: Container,
    ping: Container,
}

impl Bridge {
    fn start() -> Result<Self, Failure> {
        let display = start("display-target", &[], &[("DISPLAY_TOKEN", TOKEN), ("DISPLAY_KEEP", "1000")])?;
        let context = json!([{"operation": "add", "paths": [{"key": "type", "value": SHIPPED}]}]);
        let data = json!([{"operation": "add", "paths": [{"key": "carrier", "value": "ship"}]}]);
        let operations =
            [("TRANSFORMATION_CONTEXT", &*context.to_string()), ("TRANSFORMATION_DATA", &*data.to_string())];
        let transformation = start("transformation", &[], &operations)?;
        let exact = |name: &str| json!({"exact": {"type": name}});
        let triggers = json!({"triggers": {
            "orders": {"filters": [exact(ORDERED)], "target": {"url": "http://transformation:8080"}},
            "shown": {"filters": [{"any": [exact(SHIPPED), exact(PING)]}], "target": {"url": "http://display:8080"}},
        }});
        let known = [("display", &display), ("transformation", &transformation)];
        let broker = start("memory-broker", &known, &[("BROKER_CONFIG", &triggers.to_string())])?;
        let sink = ("K_SINK", "http://broker:8080");
        let known = [("broker", &broker)];
        let settings = [sink, ("WEBHOOK_EVENT_TYPE", ORDERED), ("WEBHOOK_EVENT_SOURCE", "shop")];
        let webhook = start("webhook-source", &known, &settings)?;
        let ping = start("ping-source", &known, &[sink, ("PING_SCHEDULE", "* * * * * *")])?;
        Ok(Self { display, transformation, broker, webhook, ping })
    }

    /// From the sources on.
    fn all(&self) -> [&Container; 5] {
        [&self.webhook, &self.ping, &self.broker, &self.transformation, &self.display]
    }

    fn stop(&self) -> Result<(), Failure> {
        for container in self.all() {
            container.terminate()?;
            let code = container.wait()?;
            ensure(code == 0, || format!("exit {code}\n{}", container.said()))?;
        }
        Ok(())
    }
}

/// A container on the ports that its image names, ready, which knows others by name.
fn start(
    adapter: &str,
    known: &[(&str, &Container)],
    settings: &[(&str, &str)],
) -> Result<Container, Failure> {
    let mut options = vec!["--publish=127.0.0.1::8080".to_owned()];
    for (name, container) in known {
        options.push(format!("--add-host={name}:{}", container.address()?));
    }
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let container = Container::start(&image(adapter)?, MEMORY, &options, &settings)?;
    container.ready()?;
    Ok(container)
}
