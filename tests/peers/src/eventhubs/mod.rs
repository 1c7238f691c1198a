//! A double of Azure Event Hubs: no emulator of it runs without containers. An AMQP 1.0 listener on loopback with one hub,
//! which checks tokens at `$cbs`, answers `READ` at `$management`, keeps what is sent in partitions, and lets a receiver with
//! an owner level (epoch) take a partition from others.
//!
//! Facts: "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide", and the Azure SDK for .NET where that is silent. What
//! it does not do: throughput units, schema registry, Kafka's protocol, capture, geo-replication.

mod event;
mod hub;
mod links;
mod nodes;
mod serve;
mod token;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use kit::{Failure, eventually};
use tokio::sync::watch;

pub use self::event::{Published, Stored};
use self::hub::Hub;
pub use self::hub::{Answer, Faults, Reader};

/// A namespace with one hub.
pub struct EventHubs {
    hub: Arc<Hub>,
    address: SocketAddr,
    open: Option<watch::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl EventHubs {
    /// The host that clients believe to speak to.
    pub const HOST: &str = "trestle.servicebus.windows.net";
    /// The hub.
    pub const HUB: &str = "events";
    /// A name of a shared access policy of the namespace.
    pub const KEY_NAME: &str = "RootManageSharedAccessKey";
    /// Its key.
    pub const KEY: &str = "bm90LWEtcmVhbC1rZXktYnV0LWxvbmctZW5vdWdoLi4=";
    /// The largest message of a link, as the standard tier has it.
    pub const MAX_MESSAGE: u64 = 1_048_576;

    /// Starts one whose hub has so many partitions, `0` and on.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(partitions: usize) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (open, opened) = watch::channel(true);
        let hub = Arc::new(Hub::new(partitions));
        let served = Arc::clone(&hub);
        let thread = thread::spawn(move || serve::run(listener, served, opened));
        Ok(Self { hub, address, open: Some(open), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a client's custom endpoint: plain TCP.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("amqp://{}", self.address)
    }

    /// The resource id of the hub.
    #[must_use]
    pub fn resource_id() -> String {
        let namespace = Self::HOST.split('.').next().unwrap_or_default();
        format!(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventHub/namespaces/{namespace}/eventhubs/{}",
            Self::HUB
        )
    }

    /// A connection string of the namespace, or of the hub when it names it.
    #[must_use]
    pub fn connection_string(of_the_hub: bool) -> String {
        let path = if of_the_hub { format!(";EntityPath={}", Self::HUB) } else { String::new() };
        format!(
            "Endpoint=sb://{}/;SharedAccessKeyName={};SharedAccessKey={}{path}",
            Self::HOST,
            Self::KEY_NAME,
            Self::KEY
        )
    }

    /// A token of Azure's directory that ends so many seconds from now, as far as the double looks at one.
    #[must_use]
    pub fn directory_token(seconds: i64) -> String {
        token::example(seconds)
    }

    /// Puts an event into a partition, and gives its sequence number.
    pub fn publish(&self, partition: usize, event: Published) -> i64 {
        self.hub.store(partition, event.into_message())
    }

    /// Everything in a partition, in order.
    #[must_use]
    pub fn partition(&self, partition: usize) -> Vec<Stored> {
        self.hub.stored(partition)
    }

    /// Everything in all partitions, one after the other.
    #[must_use]
    pub fn events(&self) -> Vec<Stored> {
        (0..self.hub.partitions()).flat_map(|partition| self.hub.stored(partition)).collect()
    }

    /// Gives the hub more partitions.
    pub fn add_partitions(&self, more: usize) {
        self.hub.add_partitions(more);
    }

    /// Adds a consumer group beside `$Default`.
    pub fn add_group(&self, name: &str) {
        self.hub.add_group(name);
    }

    /// Forgets the events of a partition below a sequence number, as the retention does.
    pub fn retain(&self, partition: usize, from: i64) {
        self.hub.retain(partition, from);
    }

    /// The receivers that are attached now.
    #[must_use]
    pub fn readers(&self) -> Vec<Reader> {
        self.hub.readers()
    }

    /// Waits until the receivers that are attached are as wanted.
    ///
    /// # Errors
    /// When they are not in time.
    pub fn wait_for_readers(
        &self,
        what: &str,
        wanted: impl Fn(&[Reader]) -> bool,
    ) -> Result<Vec<Reader>, Failure> {
        eventually(what, || Some(self.readers()).filter(|readers| wanted(readers)))
            .map_err(|error| format!("{error}; attached: {:?}", self.readers()))
    }

    /// Does what another consumer with an owner level of at least that of all others does: receivers of the partition are
    /// told that their link is stolen.
    pub fn steal(&self, partition: usize) {
        self.hub.steal(partition);
    }

    /// Changes what goes wrong from now on.
    pub fn faults(&self, change: impl FnOnce(&mut Faults)) {
        self.hub.change_faults(change);
    }

    /// What becomes of each message or batch that is sent, from now on, by the bodies in it.
    pub fn answers(&self, answer: impl FnMut(&[Vec<u8>]) -> Answer + Send + 'static) {
        self.hub.set_answers(Box::new(answer));
    }

    /// How many messages and batches were sent.
    #[must_use]
    pub fn sends(&self) -> usize {
        self.hub.sends()
    }

    /// All tokens that were put so far are no longer valid: their links are detached, new ones need a new token.
    pub fn expire_tokens(&self) {
        self.hub.expire_tokens();
    }

    /// How many tokens were put, and how many of them were refused.
    #[must_use]
    pub fn tokens(&self) -> (usize, usize) {
        self.hub.tokens()
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        self.hub.cut_all();
    }

    /// Refuses connections, and breaks those there are.
    pub fn close(&self) {
        self.set_open(false);
        self.cut();
    }

    /// Accepts connections again.
    pub fn open(&self) {
        self.set_open(true);
    }

    fn set_open(&self, value: bool) {
        if let Some(open) = &self.open {
            open.send_replace(value);
        }
    }
}

impl Drop for EventHubs {
    fn drop(&mut self) {
        self.open = None;
        self.cut();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
