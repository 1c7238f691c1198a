//! The Helm chart under a real Helm.
fn main() {}
