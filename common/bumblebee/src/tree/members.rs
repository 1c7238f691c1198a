//! The members of an object in the order in which they are written.

use std::{borrow::Cow, cmp::Ordering};

use smallvec::SmallVec;

use super::{Id, Member, Node, Tree};

/// A member with its key, for sorting.
struct Keyed<'t> {
    /// The key's first bytes as a number: nearly always enough.
    start: u64,
    key: Cow<'t, [u8]>,
    member: Member,
}

impl<'t> Keyed<'t> {
    fn new(key: Cow<'t, [u8]>, member: Member) -> Self {
        let start = key.first_chunk().map_or_else(
            || {
                key.iter().fold(0, |start, byte| start << 8 | u64::from(*byte))
                    << (8 * (8 - key.len())).min(63)
            },
            |start| u64::from_be_bytes(*start),
        );
        Self { start, key, member }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.start.cmp(&other.start).then_with(|| self.key.cmp(&other.key))
    }
}

impl Tree<'_> {
    /// Appends the members of an object, sorted, each key once (the last one of a key counts).
    pub(crate) fn members_into(&self, object: Id, out: &mut Vec<Member>) {
        let end = match self.node(object) {
            Node::Map(map) => {
                return out.extend(self.maps.get(map as usize).into_iter().flatten());
            }
            Node::Object { end } => end,
            _ => return,
        };
        let mut at = object + 1;
        let mut keyed: SmallVec<[Keyed<'_>; 16]> = SmallVec::new();
        while at < end {
            let member = Member { key: at, value: at + 1 };
            keyed.push(Keyed::new(self.key(member), member));
            at = self.after(at + 1);
        }
        if !keyed.is_sorted_by(|left, right| left.order(right) == Ordering::Less) {
            // Backwards and stable, so that of equal keys the last one comes first and is kept.
            keyed.reverse();
            keyed.sort_by(Keyed::order);
            keyed.dedup_by(|later, kept| later.order(kept) == Ordering::Equal);
        }
        out.extend(keyed.iter().map(|keyed| keyed.member));
    }

    /// Keys and values of an object, in the order of the keys.
    pub(crate) fn entries(&self, object: Id) -> impl Iterator<Item = (Cow<'_, str>, Id)> {
        let mut members = Vec::new();
        self.members_into(object, &mut members);
        members.into_iter().map(|member| (self.string(member.key).unwrap_or_default(), member.value))
    }
}
