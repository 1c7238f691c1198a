//! Due times through the shifts of many zones, and expressions good and bad.

use super::*;

mod table;

fn zone(name: &str) -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get(name).expect(name)
}

/// The due times behind a moment, as the zone's clock shows them.
fn due(schedule: &str, zone: &TimeZone, from: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(schedule).expect(schedule);
    let mut at: Timestamp = from.parse().expect(from);
    let mut found = Vec::new();
    for _ in 0..count {
        at = schedule.next(zone, at).expect("a due time");
        found.push(at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string());
    }
    found
}

#[test]
fn due_times_are_those_of_the_table() {
    let lines = include_str!("../../tests/fixtures/due.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [schedule, name, from, expected] = columns.try_into().expect(line);
        let expected: Vec<&str> = expected.split(", ").collect();
        assert_eq!(due(schedule, &zone(name), from, expected.len()), expected, "{line}");
    }
}

#[test]
fn bad_expressions_are_refused_with_their_place() {
    for (text, place) in table::BAD {
        let problem = Schedule::parse(text).map(|schedule| schedule.to_string()).expect_err(text);
        assert!(problem.contains(place), "{text}: {problem}");
    }
}

/// Another way to the same result: each second of some days is asked whether it is due.
#[test]
fn a_schedule_for_every_hour_comes_whenever_the_wall_clock_matches() {
    let schedule = Schedule::parse("7,30-40/5 * * * *").expect("valid");
    for (name, from) in table::SHIFTS {
        let (zone, from) = (zone(name), from.parse::<Timestamp>().expect(from).as_second());
        let mut at = Timestamp::from_second(from).expect("a time");
        for second in from + 1..from + 2 * 86_400 {
            let wall = zone.to_datetime(Timestamp::from_second(second).expect("a time"));
            if wall.second() == 0 && [7, 30, 35, 40].contains(&wall.minute()) {
                at = schedule.next(&zone, at).expect("a due time");
                assert_eq!(at.as_second(), second, "{name}: {wall}");
            }
        }
    }
}

/// Whatever the shift, each wall time of a day comes once, in order, or at the shift when there is no such time.
#[test]
fn a_schedule_with_hours_comes_once_for_each_wall_time() {
    let schedule = Schedule::parse("7,30-40/5 0-22 * * *").expect("valid");
    for (name, from) in table::SHIFTS {
        let (zone, from) = (zone(name), from.parse::<Timestamp>().expect(from));
        let end = Timestamp::from_second(from.as_second() + 2 * 86_400).expect("a time");
        let mut expected = Vec::new();
        let mut wall = zone.to_datetime(from);
        while expected.last().is_none_or(|last| *last < end) {
            wall = wall.checked_add(jiff::SignedDuration::from_mins(1)).expect("a time");
            if [7, 30, 35, 40].contains(&wall.minute()) && wall.hour() < 23 {
                let ambiguous = zone.to_ambiguous_timestamp(wall);
                let instant = match ambiguous.offset() {
                    // Minutes are tried until there is one that the clock shows: that is the shift.
                    AmbiguousOffset::Gap { .. } => {
                        let mut shown = wall;
                        while zone.to_ambiguous_timestamp(shown).unambiguous().is_err() {
                            shown = shown.checked_add(jiff::SignedDuration::from_mins(1)).expect("a time");
                        }
                        zone.to_timestamp(shown).expect("a time")
                    }
                    _ => ambiguous.earlier().expect("a time"),
                };
                if instant > from && expected.last() != Some(&instant) {
                    expected.push(instant);
                }
            }
        }
        let mut at = from;
        for expected in expected {
            at = schedule.next(&zone, at).expect("a due time");
            assert_eq!(at, expected, "{name}");
        }
    }
}

#[test]
fn the_next_due_time_lies_behind_any_moment_of_a_shift() {
    let schedules =
        ["*/5 * * * *", "30 1,2 * * *", "15 * * * *", "0 0,23 * * *", "*/20 * * * * *", "@every 7m"]
            .map(|text| Schedule::parse(text).expect(text));
    for (name, from) in table::SHIFTS {
        let (zone, from) = (zone(name), from.parse::<Timestamp>().expect(from).as_second());
        for schedule in &schedules {
            let mut last = None;
            for second in (from..from + 2 * 86_400).step_by(311) {
                let at = Timestamp::from_second(second).expect("a time");
                let due = schedule.next(&zone, at).expect("a due time");
                assert!(due > at && Some(due) >= last, "{schedule} in {name}: {due} behind {at}");
                last = Some(due);
            }
        }
    }
}

#[test]
fn every_zone_of_the_database_can_be_used() {
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let schedule = Schedule::parse("30 2 * * *").expect("valid");
    let mut count = 0;
    for name in jiff::tz::TimeZoneDatabase::bundled().available() {
        let zone = zone(name.as_str());
        let mut at = from;
        for _ in 0..370 {
            at = schedule.next(&zone, at).expect("a due time");
        }
        assert!(at.to_zoned(zone).date() > civil::date(2027, 1, 1), "{name}");
        count += 1;
    }
    assert!(count > 500, "{count}");
}
