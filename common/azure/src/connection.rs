//! Connection strings of Event Hubs and Service Bus.
//!
//! Facts: "Get an Event Hubs connection string" and the tests of Microsoft's SDKs: keys in any letter case and order, values
//! may hold `=`, unknown keys count for nothing.

use std::fmt;

use url::Url;

/// A connection string, read. Its `Debug` shows nothing secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    /// The host of the namespace.
    pub host: String,
    /// The port, where one is named.
    pub port: Option<u16>,
    /// The hub or queue, where one is named.
    pub entity: Option<String>,
    /// Whether it is Microsoft's emulator, which speaks plain AMQP.
    pub emulator: bool,
    proof: Proof,
}

#[derive(Clone, PartialEq, Eq)]
enum Proof {
    Key { name: String, value: String },
    Signature(String),
}

impl ConnectionString {
    /// One for a shared access key.
    #[must_use]
    pub fn of_key(host: &str, name: &str, value: &str) -> Self {
        let proof = Proof::Key { name: name.to_owned(), value: value.to_owned() };
        Self { host: host.to_owned(), port: None, entity: None, emulator: false, proof }
    }

    /// Reads one.
    ///
    /// # Errors
    /// The end of a sentence whose subject is the variable; it never holds any part of the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "must be a connection string such as \
             Endpoint=sb://NS.servicebus.windows.net/;SharedAccessKeyName=NAME;SharedAccessKey=KEY";
        let (mut endpoint, mut name, mut key, mut signature, mut entity) = (None, None, None, None, None);
        let mut emulator = false;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (word, value) = part.split_once('=').ok_or(EXPECTED)?;
            let value = value.trim();
            let place = match word.trim().to_ascii_lowercase().as_str() {
                "endpoint" => &mut endpoint,
                "sharedaccesskeyname" => &mut name,
                "sharedaccesskey" => &mut key,
                "sharedaccesssignature" => &mut signature,
                "entitypath" => &mut entity,
                "usedevelopmentemulator" => {
                    emulator = value.eq_ignore_ascii_case("true");
                    continue;
                }
                _ => continue,
            };
            *place = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        let endpoint = endpoint.ok_or("must name an Endpoint")?;
        let url = Url::parse(&endpoint)
            .map_err(|_| "must have an Endpoint such as sb://NS.servicebus.windows.net/")?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or("must have an Endpoint with a host")?;
        let proof = match (signature, name, key) {
            (Some(signature), _, _) => Proof::Signature(signature),
            (None, Some(name), Some(value)) => Proof::Key { name, value },
            _ => return Err("must hold SharedAccessKeyName and SharedAccessKey, or a SharedAccessSignature"),
        };
        Ok(Self { host: host.to_owned(), port: url.port(), entity, emulator, proof })
    }

    /// The text for the SDK, without the hub's name, which is given to it beside this.
    #[must_use]
    pub fn to_text(&self) -> String {
        let proof = match &self.proof {
            Proof::Key { name, value } => format!("SharedAccessKeyName={name};SharedAccessKey={value}"),
            Proof::Signature(signature) => format!("SharedAccessSignature={signature}"),
        };
        format!("Endpoint=sb://{}/;{proof}", self.host)
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionString")
            .field("host", &self.host)
            .field("entity", &self.entity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_any_case_and_order_and_values_hold_equal_signs() {
        for (text, host, entity, emulator, written) in [
            (
                "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=a=b==",
                "ns.servicebus.windows.net",
                None,
                false,
                "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=a=b==",
            ),
            (
                " sharedaccesskey=k ; ENTITYPATH=hub;SharedAccessKeyName=n;endpoint=sb://h;x=y;;",
                "h",
                Some("hub"),
                false,
                "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=k",
            ),
            (
                "Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=a&sig=b%3d&se=1&skn=n",
                "h",
                None,
                false,
                "Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=a&sig=b%3d&se=1&skn=n",
            ),
            (
                "Endpoint=sb://localhost:5673;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=True;",
                "localhost",
                None,
                true,
                "Endpoint=sb://localhost/;SharedAccessKeyName=n;SharedAccessKey=k",
            ),
        ] {
            let found = ConnectionString::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!(
                (found.host.as_str(), found.entity.as_deref(), found.emulator),
                (host, entity, emulator)
            );
            assert_eq!(found.to_text(), written);
        }
        let emulator = "Endpoint=sb://h:5673;SharedAccessKeyName=n;SharedAccessKey=k";
        assert_eq!(ConnectionString::parse(emulator).map(|found| found.port), Ok(Some(5673)));
    }

    #[test]
    fn what_is_none_is_refused_without_a_secret() {
        for text in [
            "",
            "hunter2",
            "SharedAccessKeyName=n;SharedAccessKey=hunter2",
            "Endpoint=hunter2;SharedAccessKeyName=n;SharedAccessKey=hunter2",
            "Endpoint=sb://h/;SharedAccessKey=hunter2",
            "Endpoint=sb://h/;SharedAccessKeyName=hunter2;SharedAccessKey=",
        ] {
            let problem = ConnectionString::parse(text).expect_err("refused");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
        let found = ConnectionString::parse("Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=hunter2");
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}
