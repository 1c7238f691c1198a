//! Has the language of transformations look at the steps of one, so that what passes here is what the adapter takes.

use bumblebee::{Problem, Transformation};

use super::mistake::Mistakes;
use super::node::Node;

/// The adapter whose steps these are.
pub const ADAPTER: &str = "transformation";

/// Adds the mistakes and the warnings of `context` and `data` in a `spec`.
pub fn check(spec: &Node, mistakes: &mut Mistakes) {
    let part = |key| spec.get(key).map(Node::to_json).unwrap_or_default();
    let place = |problem: &Problem| {
        let message = format!("'spec.{}' {}", problem.pointer, problem.message);
        (spec.nearest(&problem.pointer).at, message)
    };
    match Transformation::new(&part("context"), &part("data")) {
        Ok(transformation) => {
            for (at, message) in transformation.warnings().iter().map(place) {
                mistakes.warn(at, message);
            }
        }
        Err(problems) => {
            for (at, message) in problems.iter().map(place) {
                mistakes.add(at, message);
            }
        }
    }
}
