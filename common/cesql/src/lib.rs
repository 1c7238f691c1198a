//! CloudEvents SQL v1.
