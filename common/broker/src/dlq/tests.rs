//! What the pages say, over a store in memory.

use common::Event;

use super::{Dead, DeadLetters, Query};
use crate::death::{Death, dead_letter};

struct Store(Vec<Dead>);

impl DeadLetters for Store {
    async fn put(&self, _: Event) -> Result<(), common::Error> {
        Ok(())
    }
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Dead>, common::Error> {
        let behind = |dead: &&Dead| after.is_none_or(|after| &*dead.id > after);
        Ok(self.0.iter().filter(behind).take(limit).cloned().collect())
    }
    async fn get(&self, _: &str) -> Result<Option<Dead>, common::Error> {
        Ok(None)
    }
    async fn remove(&self, _: &str) -> Result<bool, common::Error> {
        Ok(false)
    }
}

fn store() -> Store {
    let dead = |(number, trigger): (usize, &str)| {
        let mut event = Event::new(format!("e{number}"), "/shop", "order").unwrap();
        event.set_data("text/plain", "secret").unwrap();
        let death = Death {
            destination: "http://t/",
            status: Some(503),
            body: b"busy",
            trigger,
            attempts: 3,
            hops: 1,
        };
        Dead { id: number.to_string().into(), event: dead_letter(&event, &death) }
    };
    Store([(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "b")].map(dead).into())
}

fn ask(query: &str) -> serde_json::Value {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Query::read(query).unwrap().answer(&store())).unwrap()
}

fn ids(listing: &serde_json::Value) -> Vec<&str> {
    listing["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[test]
fn an_entry_says_all_but_the_data() {
    let listing = ask("limit=1");
    let entry = &listing["entries"][0];
    assert_eq!(listing["next"], "1");
    for (name, value) in [
        ("id", serde_json::json!("1")),
        ("trigger", "a".into()),
        ("attempts", 3.into()),
        ("code", 503.into()),
        ("error", "busy".into()),
        ("hops", 1.into()),
    ] {
        assert_eq!(entry[name], value, "{name}");
    }
    assert!(entry["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    let event = serde_json::json!({
        "specversion": "1.0", "id": "e1", "source": "/shop", "type": "order", "datacontenttype": "text/plain",
    });
    assert_eq!(entry["event"], event);
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let all = ask("");
    assert_eq!((ids(&all), &all["next"]), (vec!["1", "2", "3", "4", "5"], &serde_json::Value::Null));
    let first = ask("trigger=a&limit=2");
    assert_eq!((ids(&first), &first["next"]), (vec!["1", "3"], &"3".into()));
    let second = ask("trigger=a&limit=2&after=3");
    assert_eq!((ids(&second), &second["next"]), (vec!["4"], &serde_json::Value::Null));
    assert_eq!(ids(&ask("trigger=c")), Vec::<&str>::new());
}

#[test]
fn what_cannot_be_asked_is_said() {
    for query in ["limit=0", "limit=x", "limit=1001", "what=ever", "after=%ff"] {
        assert!(Query::read(query).is_err(), "{query}");
    }
    assert_eq!(Query::read("trigger=a%20b").unwrap().trigger.as_deref(), Some("a b"));
}
