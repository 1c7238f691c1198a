//! The table by itself: what makes a group complete, what is bounded, what is kept, and who is told.

use std::{collections::BTreeMap, time::Duration};

use common::Event;
use routing::{
    Aggregator, CeContext,
    aggregator::{Elements, Spec},
};

use super::*;

fn bounds() -> Bounds {
    Bounds {
        timeout: Duration::from_secs(60),
        keep: Duration::from_secs(60),
        waiting: 100,
        groups: 100,
        parts: 100,
        group_bytes: 10_000,
        bytes: 100_000,
    }
}

fn table(bounds: &Bounds) -> Table {
    Table::new(bounds, Delivered::open(100, None).expect("no file"))
}

/// A part of a group, with an index where it is one, and data.
fn part_with(group: &str, mark: &str, count: usize, data: &str) -> Part {
    let (extensions, attributes) = (BTreeMap::new(), ["group".to_owned()]);
    let context = CeContext { event_type: "t", source: "/", extensions: &extensions };
    let spec = Spec {
        attributes: Some(&attributes),
        path: "",
        count: Some(count),
        count_attribute: None,
        index: None,
        elements: Elements::Data,
        context,
    };
    let mut event = Event::new(mark.to_owned(), "/s", "t").expect("an event");
    event.set("group", group).expect("an attribute");
    if let Some(index) = mark.strip_prefix('#') {
        event.set("splitindex", index).expect("an attribute");
        event.set("id", data).expect("an attribute");
    }
    event.set_data("application/json", data.to_owned()).expect("data");
    Aggregator::new(&spec).expect("an aggregator").part(&event).expect("a part")
}

fn part(group: &str, mark: &str, count: usize) -> Part {
    part_with(group, mark, count, "1")
}

fn seat<'a>(table: &'a Table, group: &str, mark: &str, count: usize) -> Seat<'a> {
    table.join(part(group, mark, count)).expect("it is taken").expect("it is new")
}

/// The ids of what is to be sent, where it is.
fn ids(seat: &Seat<'_>) -> Option<Vec<String>> {
    let parts = &seat.sealed()?.parts;
    Some(parts.iter().map(|part| part.event.1.to_string()).collect())
}

/// Nothing is held any more.
fn is_empty(table: &Table) -> bool {
    let state = table.state();
    state.leaving.is_empty() && state.groups.used() == (0, 0, 0) && table.callers.taken() == 0
}

#[test]
fn a_group_is_complete_with_its_last_part_and_others_are_not_in_it() {
    let table = self::table(&bounds());
    let (a, other, b) = (seat(&table, "g", "a", 2), seat(&table, "h", "a", 2), seat(&table, "g", "b", 2));
    assert_eq!(ids(&a), Some(vec!["a".to_owned(), "b".to_owned()]), "in the order in which they came");
    assert!(ids(&b).is_some() && ids(&other).is_none());
    a.sent(Ok(()));
    for mark in ["a", "b"] {
        assert!(table.join(part("g", mark, 2)).expect("it is taken").is_none(), "{mark} was delivered");
    }
    let next = seat(&table, "g", "c", 2);
    assert!(ids(&next).is_none(), "another part begins the group again");
    drop((a, b, other, next));
    assert_eq!(table.state().groups.used().0, 2);
}

#[test]
fn a_part_that_comes_twice_counts_once() {
    let table = self::table(&bounds());
    let (first, again) = (seat(&table, "g", "a", 2), seat(&table, "g", "a", 2));
    assert!(ids(&first).is_none() && ids(&again).is_none());
    let last = seat(&table, "g", "b", 2);
    assert_eq!(ids(&again).map(|ids| ids.len()), Some(2));
    let late = seat(&table, "g", "a", 2);
    assert!(ids(&late).is_some(), "one that comes while it is sent waits for the same");
    last.sent(Err(Error::retryable("no")));
    drop((first, again, last, late));
    assert!(is_empty(&table), "what was not accepted is forgotten: all of it comes again");
}

#[test]
fn an_index_is_what_a_part_is_known_by() {
    let table = self::table(&bounds());
    let first = table.join(part_with("g", "#0", 3, "1")).expect("it is taken").expect("new");
    assert!(table.join(part_with("g", "#0", 3, "1")).expect("the same").is_some());
    assert_eq!(table.join(part_with("g", "#0", 3, "2")).err(), Some(NotTaken::SameIndex(0)));
    drop(first);
    let second = table.join(part_with("g", "#0", 3, "2")).expect("nobody waits for the other").expect("new");
    let rest = [table.join(part_with("g", "#1", 3, "3")), table.join(part_with("g", "#2", 3, "4"))];
    assert_eq!(ids(&second), Some(vec!["2".to_owned(), "3".to_owned(), "4".to_owned()]));
    drop(rest);
}

#[test]
fn what_can_never_fit_is_told_from_what_cannot_now() {
    let table = self::table(&Bounds { parts: 3, groups: 1, waiting: 3, ..bounds() });
    assert_eq!(table.join(part("g", "a", 4)).err(), Some(NotTaken::TooMany(4, 3)));
    let first = seat(&table, "g", "a", 3);
    assert_eq!(table.join(part("g", "b", 2)).err(), Some(NotTaken::OtherCount(2, 3)));
    assert_eq!(table.join(part("h", "a", 3)).err(), Some(NotTaken::Full), "groups");
    let long = format!("\"{}\"", "x".repeat(9_995));
    assert_eq!(table.join(part_with("g", "b", 3, &long)).err(), Some(NotTaken::TooLarge(10_000)));
    let others = (seat(&table, "g", "a", 3), seat(&table, "g", "a", 3));
    assert_eq!(table.join(part("g", "b", 3)).err(), Some(NotTaken::Full), "callers");
    for (none, is_transient) in
        [(NotTaken::Full, true), (NotTaken::Closed, true), (NotTaken::TooMany(1, 1), false)]
    {
        assert_eq!(none.is_transient(), is_transient);
    }
    drop((first, others));
}

#[test]
fn groups_that_nobody_waits_for_give_way() {
    let table = self::table(&Bounds { groups: 2, ..bounds() });
    drop(seat(&table, "g", "a", 2));
    drop(seat(&table, "h", "a", 2));
    let third = seat(&table, "i", "a", 2);
    let again = seat(&table, "h", "b", 2);
    assert!(ids(&again).is_some(), "that which was left last is still there");
    let first = table.join(part("g", "b", 2)).expect("there is room").expect("new");
    assert!(ids(&first).is_none(), "that which was left first is not");
    drop((third, again, first));

    let large = format!("\"{}\"", "x".repeat(8_000));
    let table = self::table(&Bounds { bytes: 20_000, ..bounds() });
    for group in ["g", "h", "i", "j"] {
        drop(table.join(part_with(group, "a", 2, &large)).expect("bytes are freed"));
    }
    let kept = table.state().groups.used();
    assert!(kept.0 == 2 && kept.2 <= 20_000, "{kept:?}");
    let waiting = [table.join(part_with("k", "a", 2, &large)), table.join(part_with("l", "a", 2, &large))];
    assert_eq!(
        table.join(part_with("m", "a", 2, &large)).err(),
        Some(NotTaken::Full),
        "these are waited for"
    );
    drop(waiting);
}

#[test]
fn what_is_kept_is_there_for_those_who_come_again() {
    let table = self::table(&bounds());
    drop(seat(&table, "g", "a", 2));
    let (last, again) = (seat(&table, "g", "b", 2), seat(&table, "g", "a", 2));
    assert!(ids(&last).is_some() && ids(&again).is_some());
    drop((last, again));
    assert!(is_empty(&table), "with the last of them goes what was to be sent");

    let table = self::table(&Bounds { keep: Duration::ZERO, ..bounds() });
    let stays = seat(&table, "g", "a", 3);
    drop(seat(&table, "g", "b", 3));
    let last = seat(&table, "g", "c", 3);
    assert!(ids(&last).is_none(), "a part leaves with its last caller");
    drop((stays, last));
    assert!(is_empty(&table));
}

#[test]
fn what_was_left_is_forgotten_in_the_end() {
    let table = self::table(&bounds());
    drop(seat(&table, "g", "a", 2));
    drop(table.join_at(part("h", "a", 2), Instant::now() + Duration::from_secs(61)));
    assert_eq!(table.state().groups.used().0, 1);
}

#[test]
fn a_group_has_its_time_from_the_first_who_waits() {
    let table = self::table(&bounds());
    let now = Instant::now();
    let deadline = |mark: &str, after: u64| {
        let joined = table.join_at(part("g", mark, 3), now + Duration::from_secs(after));
        let seat = joined.expect("it is taken").expect("new");
        (seat.deadline - now, seat)
    };
    let (first, second) = (deadline("a", 0), deadline("b", 10));
    assert_eq!((first.0.as_secs(), second.0.as_secs()), (60, 60));
    drop((first, second));
    assert_eq!(deadline("a", 20).0.as_secs(), 80, "nobody waited");
}

#[tokio::test]
async fn who_has_the_turn_and_goes_hands_it_on() {
    let table = self::table(&bounds());
    let (mut first, second) = (seat(&table, "g", "a", 2), seat(&table, "g", "b", 2));
    assert_eq!(first.told().await, Word::Send);
    let turn = second.turn().await.expect("nobody else sends");
    let waits = tokio::time::timeout(Duration::from_millis(1), first.turn()).await;
    assert!(waits.is_err(), "one sends at a time");
    drop(turn);
    drop(second);
    let turn = first.turn().await.expect("it has to be sent still");
    let third = seat(&table, "g", "b", 2);
    let (told, ()) = tokio::join!(third.turn(), async { first.sent(Ok(())) });
    assert!(matches!(told, Err(Ok(()))), "who waits for the turn hears what came of it");
    drop(turn);
    assert!(matches!(first.turn().await, Err(Ok(()))));
}

#[tokio::test]
async fn an_incomplete_group_is_sent_once_and_what_comes_late_begins_anew() {
    let table = self::table(&bounds());
    let (first, mut second) = (seat(&table, "g", "a", 3), seat(&table, "g", "b", 3));
    assert_eq!(first.seal(), Word::Send);
    assert_eq!((second.told().await, second.seal()), (Word::Send, Word::Send));
    assert!(first.sealed().is_some_and(|sealed| !sealed.is_complete));
    let late = seat(&table, "g", "c", 3);
    assert!(ids(&late).is_none());
    first.sent(Ok(()));
    assert!(table.join(part("g", "a", 3)).expect("it is taken").is_none());
    assert!(table.join(part("g", "c", 3)).expect("it is taken").is_some(), "that was not in it");
}

#[tokio::test]
async fn a_table_that_closes_dismisses_those_who_wait_and_no_others() {
    let table = self::table(&bounds());
    let (mut open, leaving) = (seat(&table, "g", "a", 2), seat(&table, "h", "a", 1));
    drop(seat(&table, "i", "a", 2));
    assert_eq!(table.close(), 1, "one is waited for");
    assert_eq!((open.told().await, open.seal()), (Word::Dismissed, Word::Dismissed));
    assert_eq!(table.join(part("g", "b", 2)).err(), Some(NotTaken::Closed));
    assert!(ids(&leaving).is_some(), "what is being sent is");
    drop((open, leaving));
    assert!(is_empty(&table));
}

/// A crowd of parts and callers at random: whatever comes and goes, no part is lost or sent twice at the same time, and in the end
/// nothing is held.
#[test]
fn at_random_nothing_is_left_behind() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for keep in [Duration::ZERO, Duration::from_secs(60)] {
        let table = self::table(&Bounds { keep, groups: 5, waiting: 40, bytes: 10_000, ..bounds() });
        let mut seats = Vec::new();
        let mut delivered = std::collections::HashSet::new();
        for _ in 0..20_000 {
            let (group, mark) = (random.usize(..8), random.usize(..4));
            let joined = table.join(part(&group.to_string(), &mark.to_string(), 4));
            match joined {
                Ok(Some(seat)) => seats.push(seat),
                Ok(None) => assert!(delivered.contains(&(group, mark)), "seed {seed}"),
                Err(NotTaken::Full) => {}
                Err(other) => panic!("seed {seed}: {other}"),
            }
            if let Some(seat) = seats.iter().find(|seat| seat.sealed().is_some()) {
                let parts = seat.sealed().map(|sealed| sealed.parts.len());
                assert_eq!(parts, Some(4), "seed {seed}");
                if random.bool() {
                    seat.sent(Ok(()));
                    delivered.extend((0..8).flat_map(|group| (0..4).map(move |mark| (group, mark))));
                }
                let shared = Arc::clone(&seat.shared);
                seats.retain(|seat| !Arc::ptr_eq(&seat.shared, &shared));
            }
            if !seats.is_empty() && random.u8(..3) == 0 {
                seats.swap_remove(random.usize(..seats.len()));
            }
            if random.u16(..1000) == 0 {
                // As if a long time had passed.
                table.state().delivered = Delivered::open(100, None).expect("no file");
                delivered.clear();
            }
        }
        seats.clear();
        let state = table.state();
        let (groups, parts, bytes) = state.groups.used();
        assert!(state.leaving.is_empty() && groups <= 5 && bytes <= 10_000, "seed {seed}");
        assert!(keep > Duration::ZERO || (groups, parts, bytes) == (0, 0, 0), "seed {seed}");
        assert_eq!((table.callers.taken(), state.groups.idle()), (0, groups), "seed {seed}");
    }
}
