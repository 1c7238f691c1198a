//! What others see of the running bridge, and what they can make its brokers do.

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Supervisor, TAKING};
use crate::bridge::Id;
use crate::control::{Listed, Route, State};
use crate::up::launch::Launch;
use crate::up::tap::{Brokers, Tapped};

/// The trigger of the tap; no object of Kubernetes can have such a name.
const TAP: &str = "trestle watch";

impl Supervisor {
    /// The state as it is, and each time it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Tells the state.
    pub(super) fn publish(&self) {
        let listed = |(id, launch): (&Id, &Launch)| Listed {
            label: launch.label.clone(),
            kind: id.kind.clone(),
            name: id.name.clone(),
            url: address(launch),
            role: launch.role,
            takes_events: launch.takes_events,
        };
        let components = self.components.iter().map(|(id, (launch, _))| listed((id, launch))).collect();
        self.state.send_modify(|state| state.components = components);
    }

    /// The brokers and their triggers.
    pub fn tapped(&self) -> Brokers {
        let all = self.components.iter();
        let brokers = all.filter_map(|(id, (launch, _))| Some((id, launch, launch.document.as_ref()?)));
        brokers
            .filter_map(|(id, launch, (_, text))| {
                let document = broker::document::Document::parse(text).ok()?;
                let route = |trigger: &broker::document::TriggerSpec| Route {
                    trigger: trigger.name.clone(),
                    target: self.called(trigger.options.url.as_deref().unwrap_or_default()),
                };
                let routes = document.triggers.iter().map(route).collect();
                let filters = document.triggers.into_iter().map(|trigger| trigger.filters).collect();
                let index = broker::filter::Index::new(filters);
                Some((*self.numbers.get(id)?, Tapped { label: launch.label.clone(), index, routes }))
            })
            .collect()
    }

    /// Has the brokers send a copy of each event below this address from now on, or no longer.
    ///
    /// # Errors
    /// When their documents cannot be written.
    pub async fn tap(&mut self, address: Option<String>) -> Result<(), String> {
        self.tap = address;
        let mut waiting = Vec::new();
        for (id, (launch, running)) in &self.components {
            if launch.document.is_some() {
                let taken = running.documents.clone();
                let before = *taken.borrow();
                let failed = |error| format!("cannot write the triggers of {id}: {error}");
                self.write_files(id, launch).map_err(failed)?;
                waiting.push((taken, before));
            }
        }
        for (mut taken, before) in waiting {
            // One that does not say so (its log level forbids it) has taken it all the same.
            let _ = timeout(TAKING, taken.wait_for(|count| *count > before)).await;
        }
        Ok(())
    }

    /// A broker's document with the tap in it.
    pub(super) fn with_tap(&self, id: &Id, document: &str) -> String {
        let (Some(address), Some(number)) = (&self.tap, self.numbers.get(id)) else {
            return document.to_owned();
        };
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(document) else {
            return document.to_owned();
        };
        if let Some(triggers) = json.get_mut("triggers").and_then(serde_json::Value::as_object_mut) {
            let url = format!("{address}{number}");
            // A broker that keeps its events keeps none for who has looked away.
            let target = serde_json::json!({ "target": { "url": url }, "ephemeral": true });
            triggers.insert(TAP.to_owned(), target);
        }
        format!("{json:#}\n")
    }

    /// The label of the component at an address.
    fn called(&self, url: &str) -> String {
        let at = |launch: &Launch| {
            let rest = url.strip_prefix(&address(launch));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        let found = self.components.values().find(|(launch, _)| at(launch));
        found.map_or_else(|| url.to_owned(), |(launch, _)| launch.label.clone())
    }
}

fn address(launch: &Launch) -> String {
    format!("http://127.0.0.1:{}", launch.port)
}
