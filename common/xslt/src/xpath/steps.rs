//! The nodes of an axis, and whether one is meant (XPath 1.0, sections 2.2 and 2.3).

use super::{Axis, Test};
use crate::tree::{Id, Kind, Tree};

impl Test {
    /// Whether a node passes; on the attribute axis names are those of attributes.
    pub fn passes(&self, tree: &Tree, id: Id, axis: Axis) -> bool {
        let data = tree.get(id);
        let principal = if axis == Axis::Attribute { Kind::Attribute } else { Kind::Element };
        match self {
            Self::Any => true,
            Self::Text => matches!(data.kind, Kind::Text | Kind::Raw),
            Self::Comment => data.kind == Kind::Comment,
            Self::Instruction(target) => {
                let is_target =
                    |target: &crate::tree::Text| data.name.as_ref().is_some_and(|name| name.local == *target);
                data.kind == Kind::Instruction && target.as_ref().is_none_or(is_target)
            }
            Self::All(uri) => {
                let in_namespace =
                    |uri: &crate::tree::Text| data.name.as_ref().is_some_and(|name| name.uri == *uri);
                data.kind == principal && uri.as_ref().is_none_or(in_namespace)
            }
            Self::Named(name) => data.kind == principal && data.name.as_ref() == Some(name),
        }
    }
}

impl Axis {
    /// The nodes of this axis, in its own order; `found` is given each, until it says that it is enough.
    pub fn each(self, tree: &Tree, id: Id, found: &mut dyn FnMut(Id) -> bool) -> bool {
        let is_attribute = tree.get(id).kind == Kind::Attribute;
        match self {
            Self::Itself => found(id),
            Self::Parent => tree.parent(id).is_none_or(found),
            Self::Child => tree.children(id).all(found),
            Self::Attribute => tree.get(id).attributes.iter().copied().all(found),
            Self::Descendant => tree.descendants(id).all(found),
            Self::DescendantOrSelf => found(id) && tree.descendants(id).all(found),
            Self::Ancestor => tree.ancestors(id).all(found),
            Self::AncestorOrSelf => found(id) && tree.ancestors(id).all(found),
            Self::FollowingSibling if !is_attribute => {
                std::iter::successors(tree.next(id), |id| tree.next(*id)).all(found)
            }
            Self::PrecedingSibling if !is_attribute => {
                std::iter::successors(tree.previous(id), |id| tree.previous(*id)).all(found)
            }
            Self::Following => {
                let first = if is_attribute {
                    tree.parent(id).and_then(|parent| tree.after(parent, 0))
                } else {
                    tree.after_all_of(id, 0)
                };
                std::iter::successors(first, |id| tree.after(*id, 0)).all(found)
            }
            Self::Preceding => preceding(tree, id, found),
            Self::FollowingSibling | Self::PrecedingSibling => true,
        }
    }
}

/// From the last before it to the first; its ancestors are left out.
fn preceding(tree: &Tree, mut id: Id, found: &mut dyn FnMut(Id) -> bool) -> bool {
    if tree.get(id).kind == Kind::Attribute {
        id = tree.parent(id).unwrap_or_default();
    }
    for top in std::iter::once(id).chain(tree.ancestors(id)) {
        let mut sibling = tree.previous(top);
        while let Some(one) = sibling {
            let inside: Vec<Id> = tree.descendants(one).collect();
            if !inside.into_iter().rev().all(&mut *found) || !found(one) {
                return false;
            }
            sibling = tree.previous(one);
        }
    }
    true
}
