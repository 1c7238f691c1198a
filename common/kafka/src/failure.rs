//! The table of failures: whose fault, and which setting is to be looked at
//! (<https://kafka.apache.org/protocol.html#protocol_error_codes>; codes of librdkafka's own begin with an underscore there).

use common::Error;
use http::StatusCode;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::Watch;

/// What a code means for who runs the adapter, in words that name the setting.
#[must_use]
pub fn meaning(code: RDKafkaErrorCode) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    Some(match code {
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "the brokers refuse USERNAME and PASSWORD, or do not know SECURITY_MECHANISMS"
        }
        Code::UnsupportedSASLMechanism | Code::IllegalSASLState => {
            "the brokers do not take SECURITY_MECHANISMS"
        }
        Code::SSL => {
            "no TLS connection could be made: look at TLS_ENABLE, CA, CLIENT_CERT, CLIENT_KEY and the port in BOOTSTRAP_SERVERS"
        }
        Code::Resolve => "a name in BOOTSTRAP_SERVERS could not be resolved",
        Code::BrokerTransportFailure | Code::AllBrokersDown => {
            "BOOTSTRAP_SERVERS cannot be reached, or expect other values of TLS_ENABLE and SASL_ENABLE"
        }
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => "TOPIC does not exist",
        Code::InvalidTopic => "TOPIC is no name of a topic",
        Code::TopicAuthorizationFailed => "the user may not use TOPIC",
        Code::GroupAuthorizationFailed => "the user may not use GROUP_ID",
        Code::InvalidGroupId => "GROUP_ID is no name of a group",
        Code::ClusterAuthorizationFailed => "the user lacks a right on the cluster",
        Code::InvalidReplicationFactor => {
            "there are not as many brokers as TOPIC_REPLICATION_FACTOR asks for"
        }
        Code::InvalidPartitions => "the cluster does not allow TOPIC_PARTITIONS",
        Code::PolicyViolation => "a policy of the cluster forbids it",
        Code::InconsistentGroupProtocol => {
            "other members of GROUP_ID share the partitions by another strategy"
        }
        _ => return None,
    })
}

/// The failure of a call, in terms of the frame. A connection's failure that the call cannot know of explains it.
#[must_use]
pub fn error(doing: &str, error: KafkaError, watch: &Watch) -> Error {
    let doing = watch.named(doing);
    let code = match &error {
        // Of which the library says that it has none.
        KafkaError::AdminOp(code) => Some(*code),
        error => error.rdkafka_error_code(),
    };
    match code {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
            return Error::permanent(format!("{doing}: the record is larger than the topic allows"))
                .with_status(StatusCode::PAYLOAD_TOO_LARGE)
                .caused_by(error);
        }
        // A compacted topic takes no record without a key.
        Some(RDKafkaErrorCode::InvalidRecord) => {
            return Error::permanent(format!("{doing}: the brokers take no such record")).caused_by(error);
        }
        _ => {}
    }
    let trouble = watch.trouble().filter(|_| code.is_none_or(is_vague));
    let meant = trouble.as_ref().map(|trouble| trouble.code).or(code).and_then(meaning);
    let message = meant.map_or_else(|| doing.to_string(), |meant| format!("{doing}: {}", watch.named(meant)));
    let failure = Error::retryable(message);
    match trouble {
        Some(trouble) => failure.caused_by(trouble),
        None => failure.caused_by(error),
    }
}

/// Whether the code only says that nothing came back.
fn is_vague(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::RequestTimedOut
            | Code::WaitingForCoordinator
            | Code::CoordinatorNotAvailable
            | Code::UnknownTopic
    )
}

#[cfg(test)]
mod tests {
    use rdkafka::client::ClientContext as _;

    use super::*;

    fn made(code: RDKafkaErrorCode, watch: &Watch) -> Error {
        error("writing the record", KafkaError::MessageProduction(code), watch)
    }

    #[test]
    fn only_the_event_itself_is_refused_for_good() {
        use RDKafkaErrorCode as Code;
        let quiet = Watch::default();
        for (code, status, named) in [
            (Code::MessageSizeTooLarge, 413, "larger than the topic allows"),
            (Code::InvalidRecord, 422, "no such record"),
            (Code::UnknownTopicOrPartition, 503, "TOPIC does not exist"),
            (Code::TopicAuthorizationFailed, 503, "may not use TOPIC"),
            (Code::Authentication, 503, "PASSWORD"),
            (Code::MessageTimedOut, 503, "writing the record"),
            (Code::NotEnoughReplicas, 503, "writing the record"),
            (Code::QueueFull, 503, "writing the record"),
        ] {
            let error = made(code, &quiet);
            assert_eq!((error.status().as_u16(), error.is_permanent()), (status, status != 503), "{code}");
            assert!(error.chain().contains(named), "{code}: {}", error.chain());
        }
    }

    #[test]
    fn what_forbids_a_topic_is_told_with_its_setting() {
        let error = KafkaError::AdminOp(RDKafkaErrorCode::InvalidReplicationFactor);
        let chain = super::error("making TOPIC", error, &Watch::default()).chain();
        assert!(chain.contains("TOPIC_REPLICATION_FACTOR"), "{chain}");
    }

    #[test]
    fn a_failed_connection_explains_what_timed_out() {
        let watch = Watch::default();
        watch.error(KafkaError::Global(RDKafkaErrorCode::Authentication), "SASL: Invalid password");
        let chain = made(RDKafkaErrorCode::MessageTimedOut, &watch).chain();
        assert!(chain.contains("PASSWORD") && chain.ends_with("SASL: Invalid password"), "{chain}");
        let chain = made(RDKafkaErrorCode::TopicAuthorizationFailed, &watch).chain();
        assert!(chain.contains("TOPIC") && !chain.contains("SASL"), "{chain}");
    }
}
