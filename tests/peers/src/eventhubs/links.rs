//! Links to the hub: what is sent to it, and what is read from its partitions.

use std::time::Duration;

use fe2o3_amqp::link::delivery::{DeliveryInfo, Sendable};
use fe2o3_amqp::{Receiver, Sender};
use fe2o3_amqp_types::definitions::{AmqpError, Error, ErrorCondition, LinkError};
use fe2o3_amqp_types::messaging::Body;
use fe2o3_amqp_types::messaging::message::__private::Deserializable;
use fe2o3_amqp_types::performatives::Attach;
use fe2o3_amqp_types::primitives::{Symbol, Value};
use tokio::sync::oneshot;

use super::EventHubs;
use super::event::{AnyMessage, body};
use super::hub::{Answer, Hub, Reader};
use super::serve::Peer;
use super::token::path;

/// The format of a message whose data sections are messages.
const BATCH: u32 = 0x8001_3700;
/// How often tokens are looked at.
const TICK: Duration = Duration::from_millis(50);

/// A node that answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// `$cbs`
    Tokens,
    /// `$management`
    Management,
}

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// A node.
    Node(Node),
    /// A hub, perhaps one partition of it, perhaps seen by a consumer group.
    Hub { path: String, name: String, group: Option<String>, partition: Option<String> },
}

impl Entity {
    /// Reads `hub`, `hub/Partitions/0`, `hub/ConsumerGroups/g/Partitions/0`, each perhaps behind `amqps://host/`.
    pub fn parse(address: &str) -> Self {
        let path = path(address);
        match path.as_str() {
            "$cbs" => return Self::Node(Node::Tokens),
            "$management" => return Self::Node(Node::Management),
            _ => {}
        }
        let mut parts = path.split('/');
        let name = parts.next().unwrap_or_default().to_owned();
        let (mut group, mut partition) = (None, None);
        while let Some(word) = parts.next() {
            let value = parts.next().map(str::to_owned);
            match word {
                "consumergroups" => group = value,
                "partitions" => partition = value,
                _ => {}
            }
        }
        Self::Hub { path, name, group, partition }
    }
}

/// What a receiver asks for beside the address.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    epoch: Option<i64>,
    selector: Option<String>,
}

impl Wanted {
    pub fn of(attach: &Attach) -> Self {
        let epoch =
            attach.properties.as_ref().and_then(|fields| fields.get(&Symbol::from("com.microsoft:epoch")));
        let filters = attach.source.as_deref().and_then(|source| source.filter.as_ref());
        let selector = filters.and_then(|filters| filters.values().find_map(selector));
        let epoch = match epoch {
            Some(Value::Long(epoch)) => Some(*epoch),
            Some(Value::Int(epoch)) => Some(i64::from(*epoch)),
            _ => None,
        };
        Self { epoch, selector }
    }
}

fn selector(filter: &Value) -> Option<String> {
    match filter {
        Value::Described(described) => selector(&described.value),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

pub fn stolen(text: &str) -> Error {
    Error::new(LinkError::Stolen, text.to_owned(), None)
}

fn custom(condition: &str, text: &str) -> Error {
    Error::new(ErrorCondition::Custom(Symbol::from(condition)), text.to_owned(), None)
}

fn unauthorized() -> Error {
    let text = "Unauthorized access: the token is missing, or has expired";
    Error::new(AmqpError::UnauthorizedAccess, text.to_owned(), None)
}

/// The partition that an entity names, if it may be used.
fn admit(entity: &Entity, peer: &Peer) -> Result<(String, Option<usize>), Error> {
    let not_found = |text: &str| Error::new(AmqpError::NotFound, text.to_owned(), None);
    let Entity::Hub { path, name, group, partition } = entity else { return Err(not_found("no such node")) };
    if !peer.grants.allow(path, &peer.hub) {
        return Err(unauthorized());
    }
    if peer.hub.faults().missing || !name.eq_ignore_ascii_case(EventHubs::HUB) {
        return Err(not_found("The messaging entity could not be found"));
    }
    if group.as_ref().is_some_and(|group| !peer.hub.has_group(group)) {
        return Err(not_found("The consumer group could not be found"));
    }
    match partition.as_ref().map(|id| id.parse().ok().filter(|id| *id < peer.hub.partitions())) {
        None => Ok((path.clone(), None)),
        Some(Some(id)) => Ok((path.clone(), Some(id))),
        Some(None) => Err(not_found("The partition could not be found")),
    }
}

/// Ends when the path may no longer be used.
async fn revoked(path: &str, peer: &Peer) {
    while peer.grants.allow(path, &peer.hub) {
        tokio::time::sleep(TICK).await;
    }
}

/// Takes what is sent.
pub async fn receive(mut receiver: Receiver, entity: Entity, peer: Peer) {
    let (path, partition) = match admit(&entity, &peer) {
        Ok(admitted) => admitted,
        Err(error) => return drop(receiver.close_with_error(error).await),
    };
    loop {
        let received = tokio::select! {
            received = receiver.recv::<Body<Value>>() => received,
            () = revoked(&path, &peer) => return drop(receiver.close_with_error(unauthorized()).await),
        };
        let Ok(delivery) = received else { return drop(receiver.close().await) };
        let info = DeliveryInfo::from(&delivery);
        let batch = *delivery.message_format() == Some(BATCH);
        let Some(messages) = messages(delivery.into_message(), batch) else {
            let _ = receiver.reject(info, custom("com.microsoft:argument-error", "not a batch")).await;
            continue;
        };
        let bodies: Vec<_> = messages.iter().map(body).collect();
        let answer = peer.hub.answer(&bodies);
        if matches!(answer, Answer::Accept | Answer::CutAfter | Answer::Hang) {
            let partition = partition.or_else(|| messages.first().map(|first| peer.hub.choose(first)));
            for message in messages {
                peer.hub.store(partition.unwrap_or_default(), message);
            }
        }
        let told = match answer {
            Answer::Accept => receiver.accept(info).await,
            Answer::Reject(condition) => {
                receiver.reject(info, custom(condition, "as the test wants it")).await
            }
            Answer::Release => receiver.release(info).await,
            Answer::Hang => Ok(()),
            Answer::CutBefore | Answer::CutAfter => return peer.hub.cut(peer.connection),
        };
        if told.is_err() {
            return drop(receiver.close().await);
        }
    }
}

/// The messages of a batch, or the one that there is.
fn messages(message: AnyMessage, batch: bool) -> Option<Vec<AnyMessage>> {
    if !batch {
        return Some(vec![message]);
    }
    let Body::Data(sections) = &message.body else { return None };
    let read = |bytes: &[u8]| serde_amqp::from_slice::<Deserializable<AnyMessage>>(bytes).ok();
    sections.iter().map(|section| read(&section.0).map(|message| message.0)).collect()
}

/// Gives what is in a partition, from where it is wanted.
pub async fn send(mut sender: Sender, entity: Entity, wanted: Wanted, peer: Peer) {
    let mut changes = peer.hub.changes();
    let (path, mut next, id, mut end) = match start(&entity, &wanted, &peer) {
        Ok(started) => started,
        Err(error) => return drop(sender.close_with_error(error).await),
    };
    let Entity::Hub { partition: Some(partition), .. } = &entity else { return };
    let partition = partition.parse().unwrap_or_default();
    let outcome = loop {
        let event =
            Some(()).filter(|()| !peer.hub.faults().silent).and_then(|()| peer.hub.at(partition, next));
        let outcome = match event {
            Some(event) => {
                let sendable = Sendable::builder().message(event.message).settled(true).build();
                tokio::select! {
                    error = &mut end => Err(error.ok()),
                    () = revoked(&path, &peer) => Err(Some(unauthorized())),
                    sent = sender.send(sendable) => sent.map(|_| next = event.sequence + 1).map_err(|_| None),
                }
            }
            None => tokio::select! {
                error = &mut end => Err(error.ok()),
                () = revoked(&path, &peer) => Err(Some(unauthorized())),
                _ = sender.on_detach() => Err(None),
                changed = changes.changed() => changed.map_err(|_| None),
            },
        };
        if let Err(error) = outcome {
            break error;
        }
    };
    peer.hub.detach(id);
    let _ = match outcome {
        Some(error) => sender.close_with_error(error).await,
        None => sender.close().await,
    };
}

type Started = (String, i64, u64, oneshot::Receiver<Error>);

fn start(entity: &Entity, wanted: &Wanted, peer: &Peer) -> Result<Started, Error> {
    let (path, partition) = admit(entity, peer)?;
    let Entity::Hub { group: Some(group), .. } = entity else {
        return Err(custom("amqp:not-allowed", "no group"));
    };
    let partition = partition.ok_or_else(|| custom("amqp:not-allowed", "no partition"))?;
    let next = position(&peer.hub, partition, wanted.selector.as_deref()).ok_or_else(|| {
        custom("com.microsoft:argument-error", "The supplied offset or sequence number is invalid")
    })?;
    let reader =
        Reader { group: group.clone(), partition, epoch: wanted.epoch, connection: peer.connection, id: 0 };
    let (ender, end) = oneshot::channel();
    let id = peer.hub.attach(reader, ender)?;
    Ok((path, next, id, end))
}

/// The sequence number of the first event that a selector lets through; what is beyond the end is refused.
fn position(hub: &Hub, partition: usize, selector: Option<&str>) -> Option<i64> {
    let (first, next, end) = hub.ends(partition)?;
    let Some(selector) = selector else { return Some(first) };
    let (field, rest) = selector.split_once('>')?;
    let (inclusive, value) = rest.strip_prefix('=').map_or((false, rest), |rest| (true, rest));
    let value = value.trim().trim_matches('\'');
    match (field.trim().rsplit('.').next()?, value) {
        ("x-opt-offset", "@latest") => return Some(next),
        ("x-opt-offset", "-1") => return Some(first),
        _ => {}
    }
    let value: i64 = value.parse().ok()?;
    let events = hub.stored(partition);
    let through = |of: fn(&super::Stored) -> i64| {
        let found = events.iter().find(|event| of(event) > value || (inclusive && of(event) == value));
        Some(found.map_or(next, |event| event.sequence))
    };
    match field.trim().rsplit('.').next()? {
        "x-opt-offset" if value < end.max(1) => through(|event| event.offset),
        "x-opt-sequence-number" if value < next.max(1) => through(|event| event.sequence),
        "x-opt-enqueued-time" => through(|event| event.enqueued),
        _ => None,
    }
}
