//! A consumer group as the server has it.

use redis::Value;

use super::{id::Id, reply};

/// A group as the server has it.
#[derive(Debug)]
pub struct Group {
    pub name: String,
    pub last: Id,
    pub pending: u64,
    pub lag: Option<u64>,
    /// The oldest that was read and not acknowledged.
    pub oldest: Option<Id>,
}

/// The first id that a group still needs.
pub fn needed(group: &Group, end: Option<&Id>) -> Option<Id> {
    // What is behind the end of its bounds it does not want.
    let unread = end.is_none_or(|end| group.last < *end).then(|| group.last.next());
    unread.into_iter().chain(group.oldest).min()
}

/// A group of an answer.
pub fn read(found: &Value) -> Option<Group> {
    let number = |name: &str| reply::member(found, name).and_then(reply::number);
    Some(Group {
        name: reply::member(found, "name").and_then(reply::text)?.to_owned(),
        last: reply::member(found, "last-delivered-id").and_then(reply::id)?,
        pending: number("pending").unwrap_or_default(),
        lag: number("lag"),
        oldest: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(last: u64, oldest: Option<u64>) -> Group {
        let pending = u64::from(oldest.is_some());
        Group { name: "g".into(), last: Id::at(last), pending, lag: None, oldest: oldest.map(Id::at) }
    }

    #[test]
    fn a_group_needs_what_it_has_not_done() {
        assert_eq!(needed(&group(5, None), None), Some(Id::at(5).next()));
        assert_eq!(needed(&group(5, Some(3)), None), Some(Id::at(3)));
        let end = Id::at(5);
        assert_eq!(needed(&group(5, Some(3)), Some(&end)), Some(Id::at(3)));
        assert_eq!(needed(&group(5, None), Some(&end)), None);
        assert_eq!(needed(&group(4, None), Some(&end)), Some(Id::at(4).next()));
    }
}
