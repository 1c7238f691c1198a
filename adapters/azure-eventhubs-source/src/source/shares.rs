//! How partitions are shared between replicas: each as many as the others, one more where they do not divide evenly.

use std::collections::{BTreeMap, BTreeSet};

/// What to do now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// To be claimed: they are nobody's.
    pub claim: Vec<String>,
    /// To be claimed from somebody who has more than his share.
    pub steal: Option<String>,
    /// To be drained and given up: others have less.
    pub give: Vec<String>,
    /// Whether there is still too little after all that.
    pub is_short: bool,
}

/// Decides, where `owners` are the replicas that show signs of life, by partition. Who has none cannot be seen by others, and
/// steals one to be; who can be seen is given his share by those who have more, and steals only if he was short before.
pub fn shares(
    me: &str,
    partitions: &BTreeSet<String>,
    owners: &BTreeMap<String, String>,
    was_short: bool,
    mut choose: impl FnMut(usize) -> usize,
) -> Shares {
    let mut owned = BTreeMap::<&str, Vec<&String>>::from([(me, Vec::new())]);
    for (partition, owner) in owners.iter().filter(|(partition, _)| partitions.contains(*partition)) {
        owned.entry(owner).or_default().push(partition);
    }
    let mine = owned.remove(me).unwrap_or_default();
    let replicas = owned.len() + 1;
    let (least, extra) = (partitions.len() / replicas, partitions.len() % replicas);
    let with_more = owned.values().filter(|theirs| theirs.len() > least).count();
    let goal = least + usize::from(with_more < extra);
    if mine.len() >= goal {
        let give = take(mine.iter().map(|name| (*name).clone()).collect(), mine.len() - goal, &mut choose);
        return Shares { give, ..Shares::default() };
    }
    let free = partitions.iter().filter(|partition| !owners.contains_key(*partition)).cloned().collect();
    let claim = take(free, goal - mine.len(), &mut choose);
    let is_short = mine.len() + claim.len() < goal;
    let may_steal = is_short && (was_short || mine.len() + claim.len() == 0);
    let richest = owned.values().filter(|theirs| theirs.len() > least).max_by_key(|theirs| theirs.len());
    let steal = richest
        .filter(|_| may_steal)
        .and_then(|theirs| theirs.get(choose(theirs.len())))
        .map(|name| (*name).clone());
    Shares { claim, steal, give: Vec::new(), is_short }
}

/// So many of them, chosen at random, so that replicas that start together do not all want the same.
fn take(mut from: Vec<String>, count: usize, choose: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < count && !from.is_empty() {
        taken.push(from.swap_remove(choose(from.len()).min(from.len() - 1)));
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> BTreeSet<String> {
        (0..count).map(|number| number.to_string()).collect()
    }

    /// Lets replicas decide in turn, each seeing what the others have done, until nothing changes.
    fn settle(partitions: usize, mut owners: BTreeMap<String, String>, replicas: &[&str]) -> Vec<usize> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut short = BTreeMap::new();
        for _ in 0..50 {
            for me in replicas {
                let was = short.get(me).copied().unwrap_or_default();
                let shares = shares(me, &names(partitions), &owners, was, |count| random.usize(..count));
                short.insert(me, shares.is_short);
                for name in shares.give {
                    owners.remove(&name);
                }
                for name in shares.claim.into_iter().chain(shares.steal) {
                    owners.insert(name, (*me).to_owned());
                }
            }
        }
        assert_eq!(owners.len(), partitions, "some are nobody's: {owners:?}");
        let mut counts: Vec<_> =
            replicas.iter().map(|me| owners.values().filter(|owner| owner == me).count()).collect();
        counts.sort_unstable();
        counts
    }

    #[test]
    fn replicas_come_to_equal_shares_and_stay_there() {
        for (partitions, replicas, wanted) in [
            (4, &["a"][..], vec![4]),
            (4, &["a", "b"], vec![2, 2]),
            (5, &["a", "b"], vec![2, 3]),
            (7, &["a", "b", "c"], vec![2, 2, 3]),
            (2, &["a", "b", "c"], vec![0, 1, 1]),
            (32, &["a", "b", "c", "d", "e"], vec![6, 6, 6, 7, 7]),
        ] {
            let one_has_all = names(partitions).into_iter().map(|name| (name, "a".to_owned())).collect();
            assert_eq!(settle(partitions, one_has_all, replicas), wanted, "{partitions} {replicas:?}");
            assert_eq!(settle(partitions, BTreeMap::new(), replicas), wanted, "{partitions} {replicas:?}");
        }
    }

    #[test]
    fn who_can_be_seen_waits_to_be_given_before_he_steals() {
        let owners: BTreeMap<_, _> = [("0", "a"), ("1", "a"), ("2", "a"), ("3", "b")]
            .map(|(name, owner)| (name.to_owned(), owner.to_owned()))
            .into();
        let first = shares("b", &names(4), &owners, false, |_| 0);
        assert_eq!((first.steal, first.is_short), (None, true));
        assert!(shares("b", &names(4), &owners, true, |_| 0).steal.is_some());
        assert_eq!(shares("a", &names(4), &owners, false, |_| 0).give.len(), 1);
        assert!(shares("c", &names(4), &owners, false, |_| 0).steal.is_some());
    }
}
