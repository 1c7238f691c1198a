//! The nodes `$cbs` and `$management`: requests on one link, answers on the other, told apart by their message ids.

use fe2o3_amqp::{Receiver, Sender};
use fe2o3_amqp_types::messaging::{AmqpValue, ApplicationProperties, Body, Message, Properties};
use fe2o3_amqp_types::primitives::{Array, OrderedMap, SimpleValue, Timestamp, Value};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::EventHubs;
use super::event::{AnyMessage, now};
use super::links::Node;
use super::serve::Peer;
use super::token;

/// What is answered: a code, a text and a body.
type Outcome = (i32, String, Value);

/// Takes requests.
pub async fn read(mut receiver: Receiver, node: Node, replies: UnboundedSender<AnyMessage>, peer: Peer) {
    while let Ok(delivery) = receiver.recv::<Body<Value>>().await {
        if receiver.accept(&delivery).await.is_err() {
            break;
        }
        let request = delivery.into_message();
        let outcome = match node {
            Node::Tokens => put_token(&request, &peer),
            Node::Management => manage(&request, &peer),
        };
        let _ = replies.send(reply(&request, outcome));
    }
    let _ = receiver.close().await;
}

/// Sends answers.
pub async fn write(mut sender: Sender, mut replies: UnboundedReceiver<AnyMessage>) {
    loop {
        let reply = tokio::select! {
            reply = replies.recv() => reply,
            _ = sender.on_detach() => return,
        };
        let Some(reply) = reply else { break };
        if sender.send(reply).await.is_err() {
            break;
        }
    }
    let _ = sender.close().await;
}

fn reply(request: &AnyMessage, (code, text, body): Outcome) -> AnyMessage {
    let properties = request.properties.as_ref();
    let application = ApplicationProperties::builder()
        .insert("status-code", code)
        .insert("status-description", text)
        .build();
    Message {
        header: None,
        delivery_annotations: None,
        message_annotations: None,
        properties: Some(Properties {
            correlation_id: properties.and_then(|properties| properties.message_id.clone()),
            to: properties.and_then(|properties| properties.reply_to.clone()),
            ..Properties::default()
        }),
        application_properties: Some(application),
        body: Body::Value(AmqpValue(body)),
        footer: None,
    }
}

fn text<'a>(request: &'a AnyMessage, name: &str) -> &'a str {
    let value = request.application_properties.as_ref().and_then(|properties| properties.0.get(name));
    match value {
        Some(SimpleValue::String(text)) => text,
        _ => "",
    }
}

fn put_token(request: &AnyMessage, peer: &Peer) -> Outcome {
    let outcome = match (text(request, "operation"), &request.body) {
        ("put-token", Body::Value(AmqpValue(Value::String(token)))) => {
            token::check(text(request, "type"), token, text(request, "name"))
        }
        _ => return (400, "BadRequest: no token".to_owned(), Value::Null),
    };
    let refused = peer.hub.faults().tokens;
    peer.hub.count_token(refused.is_some() || outcome.is_err());
    match (refused, outcome) {
        (Some(code), _) => (code, "the token is refused, as the test wants it".to_owned(), Value::Null),
        (None, Err(problem)) => (401, problem, Value::Null),
        (None, Ok(until)) => {
            peer.grants.add(text(request, "name"), until);
            (202, "Accepted".to_owned(), Value::Null)
        }
    }
}

fn manage(request: &AnyMessage, peer: &Peer) -> Outcome {
    let hub = &peer.hub;
    let failed = |code: i32, text: &str| (code, text.to_owned(), Value::Null);
    let faults = hub.faults();
    if let Some(code) = faults.management {
        return failed(code, "as the test wants it");
    }
    if !peer.grants.allow_end("$management", hub) {
        return failed(401, "Unauthorized access. 'Listen' claim(s) are required to perform this operation");
    }
    if faults.missing || !text(request, "name").eq_ignore_ascii_case(EventHubs::HUB) {
        return failed(404, "The messaging entity could not be found");
    }
    let mut map = OrderedMap::new();
    let mut put = |name: &str, value: Value| map.insert(Value::String(name.to_owned()), value);
    put("name", Value::String(EventHubs::HUB.to_owned()));
    put("type", Value::String(text(request, "type").to_owned()));
    match (text(request, "operation"), text(request, "type")) {
        ("READ", "com.microsoft:eventhub") => {
            let ids: Vec<_> = (0..hub.partitions()).map(|id| Value::String(id.to_string())).collect();
            put("created_at", Value::Timestamp(Timestamp::from_milliseconds(now())));
            put("partition_count", Value::Int(ids.len() as i32));
            put("partition_ids", Value::Array(Array::from(ids)));
        }
        ("READ", "com.microsoft:partition") => {
            let partition = text(request, "partition");
            let Some((first, next, offset)) =
                partition.parse().ok().and_then(|partition| hub.ends(partition))
            else {
                return failed(404, "The partition could not be found");
            };
            put("partition", Value::String(partition.to_owned()));
            put("begin_sequence_number", Value::Long(first));
            put("last_enqueued_sequence_number", Value::Long(next - 1));
            put("last_enqueued_sequence_number_epoch", Value::Int(0));
            put("last_enqueued_offset", Value::String(offset.to_string()));
            put("last_enqueued_time_utc", Value::Timestamp(Timestamp::from_milliseconds(now())));
            put("is_partition_empty", Value::Bool(first == next));
        }
        _ => return failed(400, "no such operation"),
    }
    (200, "OK".to_owned(), Value::Map(map))
}
