//! Real servers to test against.
