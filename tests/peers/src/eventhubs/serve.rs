//! Connections, their sessions and their links: who asks for what.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use fe2o3_amqp::acceptor::{
    ConnectionAcceptor, LinkAcceptor, LinkEndpoint, ListenerSessionHandle, SaslAnonymousMechanism,
    SessionAcceptor,
};
use fe2o3_amqp_types::messaging::TargetArchetype;
use fe2o3_amqp_types::performatives::Attach;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};

use super::EventHubs;
use super::event::AnyMessage;
use super::hub::Hub;
use super::links::{self, Entity};
use super::nodes;
use super::token::Grants;

/// Everything a link needs to know of its connection.
#[derive(Clone)]
pub struct Peer {
    pub hub: Arc<Hub>,
    pub grants: Arc<Grants>,
    pub connection: u64,
}

/// Serves until the switch is gone.
pub fn run(listener: TcpListener, hub: Arc<Hub>, open: watch::Receiver<bool>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(listen(listener, hub, open));
}

async fn listen(first: TcpListener, hub: Arc<Hub>, mut open: watch::Receiver<bool>) {
    let Ok(address) = first.local_addr() else { return };
    let first = first.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(first));
    let Ok(mut listener) = first else { return };
    loop {
        loop {
            tokio::select! {
                // Whoever is let in after the switch was turned would live through the outage.
                biased;
                closed = open.wait_for(|open| !*open) => match closed {
                    Ok(_) => break,
                    // The switch is gone.
                    Err(_) => return,
                },
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        tokio::spawn(connection(stream, Arc::clone(&hub)));
                    }
                }
            }
        }
        drop(listener);
        // Connections are refused, and nobody else gets the port.
        let held = loop {
            match bind(address) {
                Some(held) => break held,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        hub.cut_all();
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        listener = match held.listen(64) {
            Ok(listener) => listener,
            Err(_) => return,
        };
    }
}

fn bind(address: SocketAddr) -> Option<TcpSocket> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_reuseaddr(true).ok()?;
    socket.bind(address).ok()?;
    Some(socket)
}

async fn connection(stream: TcpStream, hub: Arc<Hub>) {
    let Some((stream, id)) = registered(stream, &hub) else { return };
    let acceptor = ConnectionAcceptor::builder()
        .container_id("eventhubs")
        .max_frame_size(65_536)
        .sasl_acceptor(SaslAnonymousMechanism::new())
        .build();
    if let Ok(mut connection) = acceptor.accept(stream).await {
        let peer = Peer { hub: Arc::clone(&hub), grants: Arc::default(), connection: id };
        while let Ok(session) = SessionAcceptor::new().accept(&mut connection).await {
            tokio::spawn(serve(session, peer.clone()));
        }
    }
    hub.cut(id);
}

/// The stream, which the hub can now break.
fn registered(stream: TcpStream, hub: &Hub) -> Option<(TcpStream, u64)> {
    stream.set_nodelay(true).ok()?;
    let stream = stream.into_std().ok()?;
    let id = hub.connected(stream.try_clone().ok()?);
    Some((TcpStream::from_std(stream).ok()?, id))
}

async fn serve(mut session: ListenerSessionHandle, peer: Peer) {
    let (replies, reply) = mpsc::unbounded_channel::<AnyMessage>();
    let mut reply = Some(reply);
    while let Some(attach) = session.next_incoming_attach().await {
        let entity = Entity::parse(&address(&attach));
        let wanted = links::Wanted::of(&attach);
        let acceptor = LinkAcceptor::builder().max_message_size(EventHubs::MAX_MESSAGE).build();
        let Ok(link) = acceptor.accept_incoming_attach(attach, &mut session).await else { continue };
        match (link, entity) {
            (LinkEndpoint::Receiver(receiver), Entity::Node(node)) => {
                tokio::spawn(nodes::read(receiver, node, replies.clone(), peer.clone()));
            }
            (LinkEndpoint::Sender(sender), Entity::Node(_)) => {
                if let Some(reply) = reply.take() {
                    tokio::spawn(nodes::write(sender, reply));
                }
            }
            (LinkEndpoint::Receiver(receiver), entity) => {
                tokio::spawn(links::receive(receiver, entity, peer.clone()));
            }
            (LinkEndpoint::Sender(sender), entity) => {
                tokio::spawn(links::send(sender, entity, wanted, peer.clone()));
            }
        }
    }
}

/// Where the other side wants to send to or receive from.
fn address(attach: &Attach) -> String {
    use fe2o3_amqp_types::definitions::Role;
    let address = match attach.role {
        Role::Sender => {
            attach.target.as_deref().and_then(|TargetArchetype::Target(target)| target.address.clone())
        }
        Role::Receiver => attach.source.as_deref().and_then(|source| source.address.clone()),
    };
    address.unwrap_or_default()
}
