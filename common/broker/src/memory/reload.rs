//! A new document: triggers that stay keep their queues, what changed counts from the next event or the next try.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError, Weak},
};

use arc_swap::ArcSwap;
use common::{send::Sender, worker};
use http::Uri;
use tokio::sync::Notify;

use super::{
    Engine, Room, Table,
    trigger::{Route, Trigger},
    work,
};
use crate::{document::Document, filter::Index, policy::Options, queue::Queue};

impl Engine {
    /// Puts a document into force. Filters count for later events, target and options from the next try on; a trigger
    /// that is gone gets no more events but delivers those it has.
    pub fn load(self: &Arc<Self>, document: Document) {
        for warning in &document.warnings {
            tracing::warn!(warning, "the configuration document has an oddity");
        }
        let mut known = self.known();
        known.retain(|trigger| trigger.strong_count() > 0);
        let before: HashMap<String, Arc<Trigger>> =
            known.iter().filter_map(Weak::upgrade).map(|trigger| (trigger.name.clone(), trigger)).collect();
        let mut triggers = Vec::with_capacity(document.triggers.len());
        let mut filters = Vec::with_capacity(document.triggers.len());
        for spec in document.triggers {
            let trigger = match before.get(&spec.name) {
                Some(trigger) => {
                    self.reroute(trigger, spec.options);
                    trigger.clone()
                }
                None => {
                    let trigger = Arc::new(self.trigger(spec.name, spec.options));
                    known.push(Arc::downgrade(&trigger));
                    trigger
                }
            };
            triggers.push(trigger);
            filters.push(spec.filters);
        }
        drop(known);
        tracing::info!(triggers = triggers.len(), "the configuration document is in force");
        let index = Index::new(filters);
        self.table.store(Arc::new(Table { credentials: document.ingest, index, triggers }));
    }

    fn trigger(&self, name: String, options: Options) -> Trigger {
        Trigger {
            metrics: self.metrics.trigger(&name),
            name,
            route: ArcSwap::from_pointee(self.route(options)),
            room: Room::new(self.share()),
            queue: Queue::default(),
            hurry: Notify::new(),
        }
    }

    fn reroute(self: &Arc<Self>, trigger: &Arc<Trigger>, options: Options) {
        if trigger.route.load().options == options {
            return;
        }
        trigger.route.store(Arc::new(self.route(options)));
        for _ in 0..trigger.queue.more_slots(self.concurrency(trigger)) {
            worker::spawn(work::slot(self.clone(), trigger.clone()));
        }
    }

    fn route(&self, options: Options) -> Route {
        let mut sending = self.settings.sending.clone();
        sending.timeout = options.timeout.unwrap_or(sending.timeout);
        let sender = |url: &Option<String>| {
            // The document was read with the same parser, so that no URL in it fails here.
            let uri: Uri = url.as_deref()?.parse().ok()?;
            Some(Sender::new(uri, self.client.clone(), sending.clone()))
        };
        Route { target: sender(&options.url), dead_letter: sender(&options.dead_letter_url), options }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Vec<Weak<Trigger>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
