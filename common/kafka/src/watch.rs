//! What librdkafka says beside its results: its log, and the failures of connections that no call reports.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rdkafka::{
    client::ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
};

/// A failure of a connection, as librdkafka told it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Trouble {
    /// What kind of failure.
    pub code: RDKafkaErrorCode,
    reason: String,
    at: Instant,
}

/// A context that remembers the last failure. Clones remember together.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    trouble: Arc<Mutex<Option<Trouble>>>,
    names: &'static [(&'static str, &'static str)],
}

/// How long a failure explains what fails after it. A call that gives up has waited for as long.
const EXPLAINS: Duration = Duration::from_secs(30);

impl Watch {
    /// One of an adapter whose settings have other names than those of [`Connection`](crate::Connection): pairs of that name
    /// and its own, for what it says of failures.
    #[must_use]
    pub fn with_names(names: &'static [(&'static str, &'static str)]) -> Self {
        Self { names, ..Self::default() }
    }

    /// A text with the names that the adapter's settings have.
    #[must_use]
    pub fn named<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
        let known = |word: &str| self.names.iter().find(|(name, _)| *name == word).map(|(_, own)| *own);
        if !text.split(|c| !is_name(c)).any(|word| known(word).is_some()) {
            return text.into();
        }
        let mut named = String::new();
        let mut rest = text;
        while let Some(begin) = rest.find(is_name) {
            let (before, from) = rest.split_at(begin);
            let (word, after) = from.split_at(from.find(|c| !is_name(c)).unwrap_or(from.len()));
            named.push_str(before);
            named.push_str(known(word).unwrap_or(word));
            rest = after;
        }
        named.push_str(rest);
        named.into()
    }

    /// The last failure, when it is no older than half a minute and nothing has succeeded since.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().ok()?.clone().filter(|trouble| trouble.at.elapsed() < EXPLAINS)
    }

    /// Whether the brokers refuse who we are, which no patience mends.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        use RDKafkaErrorCode as Code;
        let refusals = [
            Code::Authentication,
            Code::SaslAuthenticationFailed,
            Code::UnsupportedSASLMechanism,
            Code::IllegalSASLState,
        ];
        self.trouble().is_some_and(|trouble| refusals.contains(&trouble.code))
    }

    /// Something has succeeded: the connections work.
    pub fn clear(&self) {
        if let Ok(mut trouble) = self.trouble.lock() {
            *trouble = None;
        }
    }

    fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        let Ok(mut trouble) = self.trouble.lock() else { return };
        // TLS 1.3 refuses a client's certificate after the handshake, which librdkafka takes for any failure to receive.
        let is_tls = code == RDKafkaErrorCode::BrokerTransportFailure && reason.contains("SSL routines");
        let code = if is_tls { RDKafkaErrorCode::SSL } else { code };
        // That none is left says less than why one went.
        let says_less = matches!(code, RDKafkaErrorCode::AllBrokersDown);
        if says_less && trouble.as_ref().is_some_and(|known| known.at.elapsed() < EXPLAINS) {
            return;
        }
        *trouble = Some(Trouble { code, reason: reason.to_owned(), at: Instant::now() });
    }
}

impl ClientContext for Watch {
    /// Its lines are for who looks for a fault: what an operator must know is said by the adapter, once.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(facility, text, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        tracing::debug!(%code, reason, "librdkafka reports a failure");
        self.note(code, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_names_of_the_adapter() {
        let watch =
            Watch::with_names(&[("TOPIC", "KAFKA_TOPIC"), ("CA", "KAFKA_CA"), ("GROUP_ID", "the group")]);
        for (text, named) in [
            ("TOPIC does not exist", "KAFKA_TOPIC does not exist"),
            ("look at CA, TOPIC_PARTITIONS and TOPIC", "look at KAFKA_CA, TOPIC_PARTITIONS and KAFKA_TOPIC"),
            ("the positions of GROUP_ID", "the positions of the group"),
            ("SASL and A", "SASL and A"),
        ] {
            assert_eq!(watch.named(text), named);
            assert_eq!(Watch::default().named(text), text);
        }
    }

    #[test]
    fn the_reason_is_kept_when_all_are_down() {
        let watch = Watch::default();
        assert!(watch.trouble().is_none());
        watch.note(RDKafkaErrorCode::Authentication, "refused");
        watch.note(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
        let trouble = watch.trouble().expect("a failure");
        assert_eq!(
            (trouble.code, trouble.to_string().as_str()),
            (RDKafkaErrorCode::Authentication, "refused")
        );
        assert!(watch.is_refused());
        watch.clear();
        assert!(watch.trouble().is_none() && !watch.is_refused());
    }
}
