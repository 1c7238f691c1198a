//! Where a request goes: a component of a bridge that runs here, or an address; and the client that takes it there.

use common::http::{Client, Roots};
use http::Uri;

use crate::catalogue::Role;
use crate::control::{self, Listed};

/// Where to.
#[derive(Clone, Copy, Default)]
pub struct Destination<'a> {
    /// A component, by name.
    pub component: Option<&'a str>,
    pub url: Option<&'a str>,
    /// The bridge, where several run.
    pub bridge: Option<&'a str>,
    /// The flag that names a component.
    pub flag: &'static str,
}

impl Destination<'_> {
    /// The address that was given, or that of the component, which the test must not refuse.
    ///
    /// # Errors
    /// When there is none, or there are several.
    pub fn address(&self, refuse: impl Fn(&Listed) -> Option<String>) -> Result<Uri, String> {
        if let Some(url) = self.url {
            let uri: Result<Uri, _> = url.parse();
            let is_absolute =
                |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
            return uri
                .ok()
                .filter(is_absolute)
                .ok_or_else(|| format!("'{url}' is no absolute http or https URL"));
        }
        let has = |one: &Listed| match self.component {
            Some(name) => one.is_called(name),
            None => one.role == Role::Broker,
        };
        let flag = self.flag;
        let what = match self.component {
            Some(name) => format!("no component '{name}' in a bridge that runs here"),
            None => format!("no broker in a bridge that runs here: say where with {flag}"),
        };
        let state = control::choose(self.bridge, |state| state.components.iter().any(has), &what)?.state;
        let fitting: Vec<&Listed> = state.components.iter().filter(|one| has(one)).collect();
        match fitting.as_slice() {
            [one] => match refuse(one) {
                Some(why) => Err(why),
                None => one.url.parse().map_err(|_| format!("{} has no address", one.label)),
            },
            several => {
                let names: Vec<&str> = several.iter().map(|one| one.label.as_str()).collect();
                Err(format!("several fit; choose one with {flag}: {}", names.join(", ")))
            }
        }
    }
}

/// A client; one for an address of this machine asks no proxy.
pub fn client(url: &Uri) -> Client {
    if is_local(url) { Client::direct(Roots::Process) } else { Client::new(Roots::Process) }
}

fn is_local(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
