//! The Kafka pair, against Kafka itself beside the cluster: a topic, Knative's broker, a trigger, another topic.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};

use kit::{Failure, ensure, within};
use peers::{Kafka, Record};
use serde_json::{Value, json};

use crate::kubectl::json_of;
use crate::place::{PATIENCE, Place, service, shown, to_broker};
use crate::{restarts, setup};

/// The trial's name: what it needs is made only when it is asked for.
pub const NAME: &str = "the Kafka pair, with Kafka beside the cluster, through restarts and killed pods";

const READ: &str = "orders";
const WRITTEN: &str = "copies";
const GROUP: &str = "copiers";
const TYPE: &str = "io.triggermesh.kafka.event";
/// Partitions of the topic that is read: more than there are members of the group.
const PARTITIONS: i32 = 8;
/// Fewest orders, how many of them are written at once, and the time between.
const ORDERS: usize = 3_000;
const BATCH: usize = 20;
const PAUSE: Duration = Duration::from_millis(200);

/// Every record that Kafka has confirmed comes out of the other topic, as an event that tells where it was, and the group's
/// positions end behind the last.
pub fn passes() -> Result<(), Failure> {
    let place = Place::new("kafka")?;
    let host = setup::host()?;
    let kafka = Kafka::start_at(host)?;
    kafka.create_topic(READ, PARTITIONS, &[])?;
    kafka.create_topic(WRITTEN, 2, &[])?;
    place.broker()?;
    place.apply(&outside(host, &kafka)?)?;
    let config = |more: Value| {
        let mut config = json!({
            "BOOTSTRAP_SERVERS": format!("kafka:{}", port(&kafka)?), "SASL_ENABLE": true, "USERNAME": Kafka::USER,
            "SECURITY_MECHANISMS": "SCRAM-SHA-512",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        Ok::<_, Failure>(config)
    };
    let password = json!({"PASSWORD": {"name": "kafka", "key": "password"}});
    place.install(
        "SinkBinding",
        &json!([
            {"name": "source", "kind": "kafka-source", "replicas": 2, "sink": to_broker(), "secretRefs": password,
             "config": config(json!({"TOPIC": READ, "GROUP_ID": GROUP, "START_POSITION": "earliest"}))?},
            {"name": "target", "kind": "kafka-target", "replicas": 2, "secretRefs": password,
             "config": config(json!({"TOPIC": WRITTEN}))?},
            {"name": "dead", "kind": "display-target"},
        ]),
    )?;
    let delivery = json!({
        "retry": 40, "backoffPolicy": "linear", "backoffDelay": "PT0.1S", "deadLetterSink": service("demo-dead"),
    });
    place.trigger("orders", TYPE, "target", &delivery)?;
    place.rolled_out("target")?;
    place.bound("source")?;

    let is_over = AtomicBool::new(false);
    let (orders, restarts) = thread::scope(|scope| {
        let orders = scope.spawn(|| write(&kafka, &is_over));
        let restarts = restarts::disturb(&place, ["source", "target"], 1);
        is_over.store(true, Ordering::Relaxed);
        Ok::<_, Failure>((orders.join().map_err(|_| "the writer panicked".to_owned())??, restarts?))
    })?;
    let copies = copies(&kafka, orders).map_err(|failure| format!("{failure}\n{}", place.said()))?;
    let arrived: BTreeSet<usize> = copies.iter().map(|copy| copy.order).collect();
    let lost = (0..orders).filter(|order| !arrived.contains(order)).count();
    // For whoever wants to know more than that it passed.
    let _ = writeln!(
        io::stdout(),
        "{restarts} restarts: {orders} records, {} events, {lost} lost, {} came twice",
        copies.len(),
        copies.len() - arrived.len(),
    );
    ensure(lost == 0, || format!("{lost} of {orders} lost\n{}", place.said()))?;
    let records: BTreeSet<&str> = copies.iter().map(|copy| copy.id.as_str()).collect();
    ensure(records.len() == orders, || format!("{orders} records became {} events", records.len()))?;
    let dead = shown(&place.way("dead", 8080)?)?.len();
    ensure(dead == 0, || format!("{dead} dead letters"))?;
    let behind = || {
        let positions = kafka.committed(GROUP, READ).ok()?;
        (positions.iter().flatten().sum::<i64>() == i64::try_from(orders).ok()?).then_some(())
    };
    within(PATIENCE, "positions behind the last record", behind)
        .map_err(|failure| format!("{failure}: {:?}", kafka.committed(GROUP, READ)))
}

/// Kafka by a name of the cluster, and the password of its user.
fn outside(host: Ipv4Addr, kafka: &Kafka) -> Result<[Value; 3], Failure> {
    let ports = json!([{"name": "kafka", "port": port(kafka)?}]);
    let labels = json!({"kubernetes.io/service-name": "kafka"});
    Ok([
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "kafka"},
            "spec": {"clusterIP": "None", "ports": ports},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports,
            "metadata": {"name": "kafka", "labels": labels}, "endpoints": [{"addresses": [host]}],
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kafka"},
            "stringData": {"password": Kafka::PASSWORD},
        }),
    ])
}

fn port(kafka: &Kafka) -> Result<u16, Failure> {
    let address = kafka.sasl_plaintext();
    let port = address.rsplit(':').next().and_then(|port| port.parse().ok());
    port.ok_or_else(|| format!("{address} has no port"))
}

/// Writes orders until all restarts are through, and enough orders; how many.
fn write(kafka: &Kafka, is_over: &AtomicBool) -> Result<usize, Failure> {
    let mut orders = 0;
    while orders < ORDERS || !is_over.load(Ordering::Relaxed) {
        let batch = (orders..orders + BATCH)
            .map(|order| Record::new(json!({"order": order}).to_string()).key(order.to_string()));
        kafka.produce(READ, &batch.collect::<Vec<_>>())?;
        orders += BATCH;
        thread::sleep(PAUSE);
    }
    Ok(orders)
}

/// What came out of one record.
struct Copy {
    order: usize,
    id: String,
}

/// What is in the other topic; waits for all orders, as long as more come.
fn copies(kafka: &Kafka, orders: usize) -> Result<Vec<Copy>, Failure> {
    let mut seen = 0;
    loop {
        let copies = kafka.records(WRITTEN)?.iter().map(copy).collect::<Result<Vec<_>, _>>()?;
        let arrived: BTreeSet<usize> = copies.iter().map(|copy| copy.order).collect();
        if arrived.len() == orders || copies.len() == seen {
            return Ok(copies);
        }
        seen = copies.len();
        // Longer than a member that was killed keeps its partitions.
        thread::sleep(PATIENCE / 6);
    }
}

/// Reads a record that the target has written: an event as JSON, its id the key.
fn copy(record: &Record) -> Result<Copy, Failure> {
    let text =
        |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let event = json_of(&text(&record.value))?;
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    let is_ours = event["type"] == TYPE && event["source"] == READ && id.starts_with(&format!("{READ}/"));
    ensure(is_ours && id == text(&record.key), || format!("{:?} is the key of {event}", text(&record.key)))?;
    let order = event["data"]["order"].as_u64().and_then(|order| usize::try_from(order).ok());
    Ok(Copy { order: order.ok_or_else(|| format!("no order: {event}"))?, id })
}
