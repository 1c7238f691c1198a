//! What the thread does: it polls, takes assignments up, and finds out whether the brokers can be used.

mod assign;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use common::Assignment;
use rdkafka::{
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::Message as _,
};

use super::{
    Feed, Member, POLL, PartitionAssignment, Shared,
    partition::Slot,
    probe::{self, Doubt},
};

/// Between two looks at brokers that fail.
const PROBE: Duration = Duration::from_secs(2);

/// Why a consumer has ended.
enum End {
    /// The process ends.
    Stop,
    /// Other members know only protocols where all stop.
    Eager,
    /// It can go on no longer, another can.
    Anew,
}

/// Serves one consumer after the other until the process ends.
pub(super) fn always<F: Feed>(shared: &Shared<F>) {
    let mut strategy = shared.group.assignment;
    while !shared.is_stopping() {
        let member = match shared.make(strategy) {
            Ok(member) => member,
            Err(error) => {
                shared.fail(crate::error("making a consumer", error, &shared.watch));
                pause(shared, PROBE);
                continue;
            }
        };
        shared.state().member = Some(Arc::clone(&member));
        let mut serving = Serving::new(shared, &member);
        let end = serving.run();
        serving.leave();
        match end {
            End::Stop => return,
            End::Eager => strategy = PartitionAssignment::Range,
            End::Anew => pause(shared, PROBE),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread of its own, which no runtime waits for")]
fn pause<F: Feed>(shared: &Shared<F>, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until && !shared.is_stopping() {
        thread::sleep(POLL);
    }
}

struct Serving<'a, F: Feed> {
    shared: &'a Shared<F>,
    member: &'a Arc<Member>,
    /// What the secrets were when the consumer was made.
    is_outdated: Box<dyn Fn() -> bool + 'a>,
    /// Assigned, and not begun: where to begin is not known yet.
    pending: Option<Vec<i32>>,
    /// Begun, as the owner knows them.
    reading: BTreeSet<i32>,
    /// The queues of all that was ever begun.
    queues: BTreeMap<i32, Arc<Slot>>,
    /// When the owner was told to drain.
    revoked: Option<Instant>,
    /// The next look at the brokers, while they are not known to work.
    probe: Option<Instant>,
    /// Whether there was no topic since it was last known to be there.
    is_gone: bool,
}

impl<'a, F: Feed> Serving<'a, F> {
    fn new(shared: &'a Shared<F>, member: &'a Arc<Member>) -> Self {
        let secrets = shared.group.connection.secrets();
        Self {
            shared,
            member,
            is_outdated: Box::new(move || shared.group.connection.secrets() != secrets),
            pending: None,
            reading: BTreeSet::new(),
            queues: BTreeMap::new(),
            revoked: None,
            probe: None,
            is_gone: false,
        }
    }

    fn run(&mut self) -> End {
        if let Err(error) = self.member.subscribe(&[&self.shared.group.topic]) {
            self.shared.fail(crate::error("joining GROUP_ID", error, &self.shared.watch));
            return End::Anew;
        }
        loop {
            if self.shared.is_stopping() {
                return End::Stop;
            }
            if self.shared.renew.swap(false, Ordering::AcqRel) {
                return End::Anew;
            }
            match self.member.poll(POLL) {
                None => {}
                Some(Ok(message)) => tracing::warn!(
                    partition = message.partition(),
                    "a record of a partition that is not read"
                ),
                Some(Err(error)) => {
                    if let Some(end) = self.failed(error) {
                        return end;
                    }
                }
            }
            for rebalance in self.member.context().take() {
                self.rebalanced(rebalance);
            }
            self.begin();
            self.overdue();
            if let Some(end) = self.look() {
                return end;
            }
        }
    }

    /// A failure that librdkafka tells of by itself. What it means is found out by asking.
    fn failed(&mut self, error: KafkaError) -> Option<End> {
        let cooperative = self.shared.group.assignment == PartitionAssignment::CooperativeSticky;
        match &error {
            KafkaError::MessageConsumptionFatal(_) => {
                self.shared.fail(crate::error("reading TOPIC", error, &self.shared.watch));
                return Some(End::Anew);
            }
            _ if cooperative
                && error.rdkafka_error_code() == Some(RDKafkaErrorCode::InconsistentGroupProtocol) =>
            {
                tracing::warn!(
                    "the group has members that stop all when partitions move: so does this one now"
                );
                return Some(End::Eager);
            }
            _ => {}
        }
        // It may be there again when it is asked for.
        let gone = [RDKafkaErrorCode::UnknownTopic, RDKafkaErrorCode::UnknownTopicOrPartition];
        self.is_gone |= error.rdkafka_error_code().is_some_and(|code| gone.contains(&code));
        self.probe.get_or_insert_with(Instant::now);
        None
    }

    /// Asks the brokers whether topic and group can be used, while there is a doubt.
    fn look(&mut self) -> Option<End> {
        self.probe.filter(|at| *at <= Instant::now())?;
        match probe::probe(self.member, &self.shared.group.topic) {
            Ok(()) => {
                self.probe = None;
                self.shared.recover();
                // The group looks for a new topic seldom; a new member does at once.
                self.is_gone.then_some(End::Anew)
            }
            Err(doubt) => {
                self.probe = Some(Instant::now() + PROBE);
                let is_gone = matches!(doubt, Doubt::NoTopic);
                self.shared.fail(doubt.explain(&self.shared.watch));
                // What comes under this name later is another topic, whose records begin at the first again.
                let was_there = is_gone && !self.reading.is_empty();
                self.is_gone |= is_gone;
                (was_there || (self.is_outdated)()).then_some(End::Anew)
            }
        }
    }

    /// Leaves the group, at once for the others.
    fn leave(&mut self) {
        self.member.context().close();
        let reading: Vec<_> = std::mem::take(&mut self.reading).into_iter().collect();
        if !reading.is_empty() && !self.shared.is_stopping() {
            self.shared.tell(Assignment::Lost(self.names(reading)));
        }
        {
            let mut state = self.shared.state();
            state.member = None;
            let revoking: Vec<_> = state.revoking.iter().copied().collect();
            state.are_stale(&revoking);
        }
        let begun: Vec<_> = self.queues.keys().copied().collect();
        self.drop_queues(&begun);
        if let Err(error) = self.member.close_queue() {
            tracing::debug!(%error, "the group cannot be left");
            return;
        }
        let begun = Instant::now();
        while !self.member.closed() && begun.elapsed() < super::LEAVE {
            let _ = self.member.poll(Duration::from_millis(20));
        }
    }
}
