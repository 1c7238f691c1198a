//! Every example, run for real and by its tests.

use std::fs;

use kit::{Authority, Failure, Folder, Reply, Sink, ensure};

use peers::{EventHubs, Kafka, Pstest, Queue, Record, Slack};
use serde_json::json;

use crate::Named;
use crate::up::{Up, replace, root, trestle};

pub const TRIALS: &[Named] = &[
    ("all of them have tests, which pass, and no mistakes", tested),
    ("fan-out: each receiver gets what it wants", fan_out),
    ("content-routing: the data decides", content_routing),
    ("xml-orders: XML becomes JSON, and that an order", xml_orders),
    ("enrich-by-reply: the reply goes on", enrich_by_reply),
    ("dead-letter: nothing is lost", dead_letter),
    ("split-and-filter: an order becomes items, and a condition chooses", split_and_filter),
    ("slack: who mentions the bot is answered", slack),
    ("kafka: records of one topic come into the other", kafka),
    ("aws-sqs: what one queue holds comes into the other", aws_sqs),
    ("google-cloud-pubsub: what one subscription brings goes to another topic", google_cloud_pubsub),
    ("azure-eventhubs: what one event hub holds comes into the other", azure_eventhubs),
];

fn tested() -> Result<(), Failure> {
    let folder = fs::read_dir(root().join("examples")).map_err(|error| format!("examples: {error}"))?;
    let names: Vec<String> =
        folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    for name in names.iter().filter(|name| !name.ends_with(".test.yaml")) {
        let tests = name.replace(".yaml", ".test.yaml");
        ensure(names.contains(&tests), || format!("no {tests}"))?;
    }
    let files: Vec<String> = names.iter().map(|name| format!("examples/{name}")).collect();
    for arguments in
        [vec!["test", "examples"], [vec!["lint"], files.iter().map(String::as_str).collect()].concat()]
    {
        let output = trestle().args(arguments).output().map_err(|error| format!("trestle: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure(output.status.success() && !text.contains("warning:"), || text)?;
    }
    Ok(())
}

pub fn text(name: &str) -> Result<String, Failure> {
    let path = root().join(format!("examples/{name}.yaml"));
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

pub fn example(name: &str) -> Result<Up, Failure> {
    Up::ready(&text(name)?)
}

/// Sends an event and expects it to be accepted.
pub fn send(up: &Up, to: &str, event_type: &str, data: &str) -> Result<(), Failure> {
    let (text, is_good) = up.run(&["send", "--to", to, "--type", event_type, "--data", data])?;
    ensure(is_good, || text)
}

/// Whether a display has shown an event with this text: its lines begin with its name.
pub fn shown(up: &mut Up, display: &str, event_type: &str, text: &str) -> Result<(), Failure> {
    let begin = format!("{display} | ");
    kit::eventually("the event on the display", || {
        let screen = up.screen();
        let lines: String = screen
            .lines()
            .filter_map(|line| line.split_once("| ").filter(|(name, _)| name.trim() == display))
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        (lines.contains(event_type) && lines.contains(text)).then_some(())
    })
    .map_err(|why| format!("{why}: no {event_type} with {text} behind {begin} in:\n{}", up.screen()))
}

pub fn is_shown(up: &Up, display: &str, text: &str) -> bool {
    let of_display = |line: &&str| line.split_once("| ").is_some_and(|(name, _)| name.trim() == display);
    up.screen().lines().filter(of_display).any(|line| line.contains(text))
}

fn fan_out() -> Result<(), Failure> {
    let mut up = example("fan-out")?;
    send(&up, "orders", "com.example.order.refunded", r#"{"order": 4711}"#)?;
    send(&up, "shop", "any", r#"{"order": 4712}"#)?;
    for display in ["shipping", "billing", "audit"] {
        shown(&mut up, display, "com.example.order.placed", "4712")?;
    }
    for display in ["billing", "audit"] {
        shown(&mut up, display, "com.example.order.refunded", "4711")?;
    }
    ensure(!is_shown(&up, "shipping", "4711"), || format!("shipping has the refund:\n{}", up.screen()))
}

fn content_routing() -> Result<(), Failure> {
    let mut up = example("content-routing")?;
    for amount in ["5000", "50"] {
        send(&up, "orders", "com.example.order", &format!(r#"{{"amount": {amount}}}"#))?;
    }
    shown(&mut up, "approval", "com.example.order.classified", "\"amount\": 5000")?;
    shown(&mut up, "shipping", "com.example.order.classified", "\"amount\": 50")?;
    let is_mixed = is_shown(&up, "shipping", "5000") || is_shown(&up, "approval", "\"amount\": 50\n");
    ensure(!is_mixed, || up.screen())
}

fn xml_orders() -> Result<(), Failure> {
    let mut up = example("xml-orders")?;
    let order =
        "<order number='4711'><customer>Ann</customer><item sku='A-1'><count>2</count></item></order>";
    let request = kit::Request::post("/").body("application/xml", order);
    let answer = request.send(up.address("supplier")?)?;
    ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
    shown(&mut up, "warehouse", "com.example.order", "\"number\": 4711")?;
    shown(&mut up, "warehouse", "com.example.order", "\"pieces\": 2")
}

fn enrich_by_reply() -> Result<(), Failure> {
    let mut up = example("enrich-by-reply")?;
    send(&up, "forms", "any", r#"{"user": {"first": "Ada", "last": "Lovelace"}}"#)?;
    shown(&mut up, "outbox", "com.example.mail", "Hello Ada Lovelace!")
}

fn dead_letter() -> Result<(), Failure> {
    let mut up = example("dead-letter")?;
    send(&up, "default", "com.example.order", r#"{"order": 4711}"#)?;
    shown(&mut up, "lost-and-found", "com.example.order", "4711")?;
    shown(&mut up, "lost-and-found", "knativeerrorcode", "503")
}

fn split_and_filter() -> Result<(), Failure> {
    let mut up = example("split-and-filter")?;
    let tags = r#"["discontinued"]"#;
    let items = format!(
        r#"[{{"sku": "A-1", "left": 3}}, {{"sku": "B-2", "left": 250}}, {{"sku": "C-3", "left": 0, "tags": {tags}}}]"#
    );
    send(&up, "shop", "any", &format!(r#"{{"order": 4711, "items": {items}}}"#))?;
    for sku in ["A-1", "B-2", "C-3"] {
        shown(&mut up, "picking", "com.example.item", sku)?;
    }
    shown(&mut up, "buyer", "/shop/items", "A-1")?;
    let is_mixed = is_shown(&up, "buyer", "B-2") || is_shown(&up, "buyer", "C-3");
    ensure(!is_mixed, || up.screen())
}

fn slack() -> Result<(), Failure> {
    let slack = Slack::start()?;
    let mut manifest = text("slack")?;
    for (from, to) in [
        ("https://slack.com/api", slack.api_url().as_str()),
        ("the-signing-secret-of-your-app", Slack::SIGNING_SECRET),
        ("xoxb-the-token-of-your-app", Slack::TOKEN),
    ] {
        manifest = replace(&manifest, from, to)?;
    }
    let up = Up::ready(&manifest)?;
    let address = up.address("slack")?;
    let mention = json!({"type": "app_mention", "channel": "C1", "user": "U1", "text": "<@U2> hello"});
    let body = Slack::callback("Ev1", &mention);
    for (request, status) in [
        (Slack::signed("another secret", peers::slack::now(), &body.to_string()), 401),
        (Slack::request(&body), 200),
        (Slack::again(&body, 1), 200),
    ] {
        // 503 when the bridge is too slow for Slack's three seconds: Slack asks again, too.
        kit::eventually(&format!("{status} of slack-source"), || {
            request.send(address).ok().filter(|answer| answer.status == status).map(drop)
        })?;
    }
    let message = slack.wait_for("Hello <@U1>!")?;
    ensure(message["channel"] == "C1", || format!("{message}"))?;
    ensure(slack.messages().len() == 1, || format!("{:?}", slack.messages()))?;
    let screen = up.screen();
    ensure(!screen.contains(Slack::TOKEN) && !screen.contains(Slack::SIGNING_SECRET), || screen.clone())
}

fn aws_sqs() -> Result<(), Failure> {
    let none = json!({});
    let (orders, uploads, archive) = (Queue::standard(&none)?, Queue::standard(&none)?, Queue::fifo(&none)?);
    let endpoint = format!("http://{}", orders.address());
    let mut manifest = text("aws-sqs")?.replace("https://sqs.us-west-2.amazonaws.com", &endpoint);
    for (name, queue) in [("orders", &orders), ("uploads", &uploads), ("archive.fifo", &archive)] {
        manifest = replace(&manifest, &format!("arn:aws:sqs:us-west-2:123456789012:{name}"), &queue.arn())?;
    }
    orders.send(&[r#"{"order": 4711}"#.to_owned()])?;
    let object = json!({"bucket": {"arn": "arn:aws:s3:::pictures"}, "object": {"key": "cat.png"}});
    let upload = json!({"Records": [{"eventName": "ObjectCreated:Put", "s3": object}]});
    uploads.send(&[upload.to_string()])?;
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "display", "com.amazon.s3.objectcreated", "cat.png")?;
    let kept = kit::eventually("the order in the archive", || archive.take().ok()?.pop())?;
    let event: serde_json::Value =
        serde_json::from_str(kept["Body"].as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    let found = (&event["source"], &event["data"]["Body"]["order"], &kept["Attributes"]["MessageGroupId"]);
    ensure(found == (&json!(orders.arn()), &json!(4711), &json!("orders")), || kept.to_string())?;
    for queue in [&orders, &uploads] {
        kit::eventually("an empty queue", || (queue.depth().ok()? == 0).then_some(()))?;
    }
    ensure(!up.screen().contains("the-secret-of-that-key"), || up.screen())
}

fn kafka() -> Result<(), Failure> {
    let kafka = Kafka::start()?;
    kafka.create_topic("orders", 2, &[])?;
    kafka.produce("orders", &[Record::new(r#"{"order": 4711}"#).key("customer-7")])?;
    let manifest = text("kafka")?.replace("kafka.example.com:9092", &kafka.sasl_plaintext());
    let manifest = replace(&manifest, "the-password-of-alice", Kafka::PASSWORD)?;
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "display", "io.triggermesh.kafka.event", "4711")?;
    let kept = kit::eventually("the order in the other topic", || kafka.records("audit").ok()?.pop())?;
    let found = (kept.key.as_deref(), kept.header_text("ce_type"), kept.value.as_deref());
    let (key, value) = (&b"customer-7"[..], &br#"{"order": 4711}"#[..]);
    ensure(found == (Some(key), Some("io.triggermesh.kafka.event".to_owned()), Some(value)), || {
        format!("{kept:?}")
    })?;
    ensure(!up.screen().contains(Kafka::PASSWORD), || up.screen())
}

fn google_cloud_pubsub() -> Result<(), Failure> {
    let pubsub = Pstest::start()?;
    for (topic, subscription) in [("orders", "orders"), ("uploads", "uploads"), ("archive", "none")] {
        let topic = format!("projects/my-project/topics/{topic}");
        pubsub.topic(&topic)?;
        pubsub.subscribe(&format!("projects/my-project/subscriptions/{subscription}"), &topic, &json!({}))?;
    }
    let endpoint = format!("http://{}", pubsub.address());
    let manifest = text("google-cloud-pubsub")?.replace("https://pubsub.googleapis.com", &endpoint);
    let key = json!(pubsub.account("bridge@my-project.iam.gserviceaccount.com")?).to_string();
    let manifest = replace(&manifest, "the-json-of-your-key", &key)?;
    pubsub.publish_to("projects/my-project/topics/orders", br#"{"order": 4711}"#, &json!({}), "")?;
    let created = json!({"eventType": "OBJECT_FINALIZE", "objectId": "cat.png"});
    pubsub.publish_to("projects/my-project/topics/uploads", b"{}", &created, "")?;
    let mut up = Up::ready(&manifest)?;
    shown(&mut up, "display", "com.google.cloud.storage.objectfinalize", "cat.png")?;
    let kept = kit::eventually("the order in the archive", || {
        let messages = pubsub.messages().ok()?;
        messages.into_iter().find(|message| message.topic == "projects/my-project/topics/archive")
    })?;
    let event: serde_json::Value = serde_json::from_slice(&kept.data).map_err(|error| error.to_string())?;
    let found = (&event["source"], &event["data"]["Data"]["order"]);
    let expected = (&json!("projects/my-project/topics/orders"), &json!(4711));
    ensure(found == expected, || event.to_string())?;
    pubsub.wait_for_acks(2)?;
    ensure(!up.screen().contains("PRIVATE KEY"), || up.screen())
}

fn azure_eventhubs() -> Result<(), Failure> {
    let (orders, archive, uploads) = (EventHubs::start(2)?, EventHubs::start(2)?, EventHubs::start(1)?);
    let authority = Authority::new()?;
    let login = Sink::start_tls(&authority)?;
    login.always(Reply::json(&json!({
        "access_token": EventHubs::directory_token(3600), "expires_in": 3600, "token_type": "Bearer",
    })));
    let (id, shop) = (EventHubs::resource_id(), "/subscriptions/0000/resourceGroups/shop");
    let namespace = id.trim_end_matches("/eventhubs/events");
    let folder = Folder::new()?;
    let positions = folder.path().display();
    let trust = format!(
        "\"{}\"}}\n      - {{name: K_CA_CERTS, value: {}}}\n      - {{name: CHECKPOINT_DIR, value: {positions}",
        login.url(""),
        json!(authority.pem())
    );
    let mut manifest = text("azure-eventhubs")?;
    for (from, to) in [
        (format!("{shop}/providers/Microsoft.EventHub/namespaces/shop/eventhubs/orders"), id.clone()),
        (format!("{shop}/providers/Microsoft.EventHub/namespaces/archive/eventhubs/orders"), id.clone()),
        (format!("{shop}/providers/Microsoft.EventHub/namespaces/pictures"), namespace.to_owned()),
        ("hubName: uploads".to_owned(), format!("hubName: {}", EventHubs::HUB)),
        (
            "\"amqps://shop.servicebus.windows.net\"}".to_owned(),
            format!("\"{}\"}}\n      - {{name: CHECKPOINT_DIR, value: {positions}}}", orders.endpoint()),
        ),
        ("amqps://archive.servicebus.windows.net".to_owned(), archive.endpoint()),
        ("amqps://pictures.servicebus.windows.net".to_owned(), uploads.endpoint()),
        ("\"https://login.microsoftonline.com\"".to_owned(), trust),
        ("the-key-of-that-policy".to_owned(), EventHubs::KEY.to_owned()),
    ] {
        manifest = replace(&manifest, &from, &to)?;
    }
    let mut up = Up::ready(&manifest)?;
    for (hub, partitions) in [(&orders, 2), (&uploads, 1)] {
        hub.wait_for_readers("a receiver of each partition", |readers| readers.len() == partitions)?;
    }
    orders.publish(1, peers::eventhubs::Published::body(r#"{"order": 4711}"#));
    let created = json!([{
        "specversion": "1.0", "id": "1", "type": "Microsoft.Storage.BlobCreated", "source": "/pictures",
        "subject": "/blobServices/default/containers/cats/blobs/cat.png", "data": {"api": "PutBlob"},
    }]);
    uploads.publish(0, peers::eventhubs::Published::body(created.to_string()));
    shown(&mut up, "display", "Microsoft.Storage.BlobCreated", "cat.png")?;
    let kept = kit::eventually("the order in the archive", || archive.events().pop())?;
    let event: serde_json::Value = serde_json::from_slice(&kept.body()).map_err(|error| error.to_string())?;
    let found = (&event["id"], &event["source"], &event["data"]["Body"]["order"]);
    ensure(found == (&json!("1-0"), &json!(id), &json!(4711)), || event.to_string())?;
    ensure(!up.screen().contains(EventHubs::KEY), || up.screen())
}
