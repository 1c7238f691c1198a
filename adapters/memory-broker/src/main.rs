//! The broker that keeps its events in memory.
fn main() {}
