//! The engine that all brokers share.
