//! The table by itself: what is bounded, what is freed, and who is called.

use common::Event;

use super::*;

fn event(id: &str) -> Event {
    Event::new(id.to_owned(), "/shop", "com.example.answer").expect("an event")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The id of the response that a seat is called with.
async fn answer(seat: &mut Seat<'_>) -> String {
    match seat.called().await {
        Call::Response(event, had) => {
            let _ = had.send(());
            event.id().to_owned()
        }
        Call::Dismissed => "dismissed".to_owned(),
    }
}

#[test]
fn seats_are_bounded_and_free_again() {
    let table = Table::new(2, 1000, 24);
    let (first, second) = (table.take(600).expect("a seat"), table.take(400).expect("a seat"));
    assert!(matches!(table.take(0), Err(NoSeat::Full)), "by number");
    drop(second);
    assert!(matches!(table.take(401), Err(NoSeat::Full)), "by bytes");
    drop(first);
    assert_eq!((table.room.taken(), table.room.taken_bytes()), (0, 0));
}

#[test]
fn keys_that_are_taken_are_drawn_again_and_then_there_is_none() {
    let table = Table::new(100, 1000, 1);
    let mut seats = Vec::new();
    let end = loop {
        match table.take(1) {
            Ok(seat) => seats.push(seat),
            Err(none) => break none,
        }
    };
    assert!(matches!(end, NoSeat::NoKey), "{end}");
    // With 16 draws among 36 letters, fewer than 10 are as likely as a hit by lightning.
    assert!(seats.len() >= 10 && seats.len() <= 36, "{}", seats.len());
}

#[test]
fn each_gets_its_own_response_in_any_order() {
    runtime().block_on(async {
        let table = Table::new(1000, 1_000_000, 24);
        let mut seats: Vec<_> = (0..500).map(|_| table.take(1).expect("a seat")).collect();
        let keys: Vec<_> = seats.iter().map(|seat| seat.key().to_owned()).collect();
        for (number, key) in keys.iter().enumerate().rev() {
            let seat = &mut seats[number];
            let id = number.to_string();
            let (called, answered) = tokio::join!(table.call(key, event(&id)), answer(seat));
            assert_eq!((called, answered), (Ok(()), id));
        }
    });
}

#[test]
fn unknown_late_and_second_responses_reach_nobody() {
    runtime().block_on(async {
        let table = Table::new(10, 1000, 24);
        assert_eq!(table.call("nobody", event("1")).await, Err(NotTaken::Unknown));
        let mut seat = table.take(1).expect("a seat");
        let key = seat.key().to_owned();
        let (called, answered) = tokio::join!(table.call(&key, event("2")), answer(&mut seat));
        assert_eq!((called, answered.as_str()), (Ok(()), "2"));
        assert_eq!(table.call(&key, event("3")).await, Err(NotTaken::Gone));
        drop(seat);
        assert_eq!(table.call(&key, event("4")).await, Err(NotTaken::Unknown));
    });
}

#[test]
fn a_caller_who_goes_before_it_has_the_response_has_not_got_it() {
    runtime().block_on(async {
        let table = Table::new(10, 1000, 24);
        let seat = table.take(1).expect("a seat");
        let key = seat.key().to_owned();
        let (called, ()) = tokio::join!(table.call(&key, event("1")), async { drop(seat) });
        assert_eq!(called, Err(NotTaken::Gone));
    });
}

#[test]
fn a_table_that_closes_waits_for_all_and_takes_no_more() {
    runtime().block_on(async {
        let table = Table::new(10, 1000, 24);
        table.close(Duration::ZERO).await;
        assert!(matches!(table.take(1), Err(NoSeat::Closed)));

        let table = Table::new(10, 1000, 24);
        let mut seat = table.take(1).expect("a seat");
        let key = seat.key().to_owned();
        let answering = async {
            let (called, answered) = tokio::join!(table.call(&key, event("1")), answer(&mut seat));
            assert_eq!((called, answered.as_str()), (Ok(()), "1"));
            drop(seat);
        };
        tokio::join!(table.close(Duration::from_secs(3600)), answering);
        assert_eq!(table.room.taken(), 0);
    });
}

#[test]
fn who_still_waits_when_patience_ends_is_dismissed() {
    runtime().block_on(async {
        let table = Table::new(10, 1000, 24);
        let mut seat = table.take(1).expect("a seat");
        let ((), answered) = tokio::join!(table.close(Duration::from_millis(1)), answer(&mut seat));
        assert_eq!(answered, "dismissed");
    });
}
