//! What the adapters of Apache Kafka share: connection settings, the CloudEvents binding, the table of errors.
