//! From a component to what is started: its environment in full, its private files, its broker's document.

use std::collections::BTreeMap;
use std::path::Path;

use super::ports::{Pair, Ports};
use crate::bridge::{Bridge, Component, Destination, Id, Setting};
use crate::catalogue::Role;

/// One component, ready to start. It holds secrets: there is no way to print it.
#[derive(Clone, PartialEq)]
pub struct Launch {
    pub label: String,
    pub kind: String,
    pub adapter: String,
    pub role: Role,
    /// Whether others can send to it.
    pub takes_events: bool,
    /// Where it listens.
    pub port: u16,
    pub environment: BTreeMap<String, String>,
    /// Name in the private folder and content.
    pub files: BTreeMap<String, String>,
    /// The configuration document of a broker: its name in the private folder and its text.
    pub document: Option<(String, String)>,
}

/// A component with a port that cannot be used.
#[derive(Debug, PartialEq)]
pub struct NoPort(pub String);

/// What to start for a bridge, with its files in `folder`.
///
/// # Errors
/// When ports have run out, or a `PORT` in the manifest is none.
pub fn launches(bridge: &Bridge, ports: &mut Ports, folder: &Path) -> Result<BTreeMap<Id, Launch>, NoPort> {
    let mut pairs = BTreeMap::new();
    for component in &bridge.components {
        let mut pair =
            ports.of(&component.id).ok_or_else(|| NoPort(format!("no free port for {}", component.id)))?;
        if let Some(port) = component.fixed_port().map_err(NoPort)? {
            pair.events = port;
        }
        pairs.insert(&component.id, pair);
    }
    let address = |destination: &Destination| match destination {
        Destination::Url(url) => url.clone(),
        Destination::Component { id, path } => {
            let port = pairs.get(id).map_or(0, |pair| pair.events);
            format!("http://127.0.0.1:{port}{path}")
        }
        // There is none in a bridge that was read for this machine.
        Destination::Outside(_) => String::new(),
    };
    let start = |component: &Component| {
        let pair = pairs.get(&component.id).copied().unwrap_or(Pair { events: 0, metrics: 0 });
        (component.id.clone(), launch(component, pair, &address, folder))
    };
    Ok(bridge.components.iter().map(start).collect())
}

fn launch(
    component: &Component,
    ports: Pair,
    address: &dyn Fn(&Destination) -> String,
    folder: &Path,
) -> Launch {
    let mut environment = BTreeMap::from([
        ("HOST".to_owned(), "127.0.0.1".to_owned()),
        ("METRICS_PROMETHEUS_HOST".to_owned(), "127.0.0.1".to_owned()),
        ("METRICS_PROMETHEUS_PORT".to_owned(), ports.metrics.to_string()),
        // Nothing but this command sends to it, and that knows when it stops.
        ("DRAIN_SECONDS".to_owned(), "0".to_owned()),
    ]);
    let mut files = BTreeMap::new();
    let in_folder = |name: &str| folder.join(name).display().to_string();
    for (name, setting) in &component.environment {
        let value = match setting {
            Setting::Text(_) | Setting::Secret(_) => setting.text().unwrap_or_default().to_owned(),
            Setting::Address(destination) => address(destination),
            Setting::SecretFile(secret) => {
                let file = file_name(&component.id, name);
                let path = in_folder(&file);
                files.insert(file, secret.text.clone().unwrap_or_default());
                path
            }
        };
        environment.insert(name.clone(), value);
    }
    environment.insert("PORT".to_owned(), ports.events.to_string());
    let document = (component.role == Role::Broker).then(|| {
        let name = file_name(&component.id, "triggers.json");
        environment.insert("BROKER_CONFIG_PATH".to_owned(), in_folder(&name));
        (name, component.document(address))
    });
    Launch {
        label: component.label.clone(),
        kind: component.id.kind.clone(),
        adapter: component.adapter.clone(),
        role: component.role,
        takes_events: component.takes_events,
        port: ports.events,
        environment,
        files,
        document,
    }
}

/// Names of objects are DNS labels, but nobody has checked these.
fn file_name(id: &Id, suffix: &str) -> String {
    let safe = |text: &str| -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '_' };
        text.chars().map(keep).collect()
    };
    format!("{}_{}_{}_{suffix}", safe(&id.namespace), safe(&id.kind), safe(&id.name))
}
