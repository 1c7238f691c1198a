//! What events look like, and which of them come.

use kit::{Captured, ensure};
use peers::{EventHubs, eventhubs::Published};
use serde_json::json;

use super::{Outcome, Scene, stop};

#[test]
fn a_message_becomes_the_event_of_the_contract() -> Outcome {
    let scene = Scene::new(2)?;
    let process = scene.reading(&[], 2)?;
    scene.hub.publish(
        1,
        Published {
            body: br#" {"a": 1} "#.to_vec(),
            content_type: Some("application/json".to_owned()),
            message_id: Some("m1".to_owned()),
            properties: vec![("k".to_owned(), "v".into())],
            ..Published::default()
        },
    );
    scene.hub.publish(1, Published::body("hello"));
    let requests = scene.sink.wait_for(2)?;
    let first = requests[0].event()?;
    let found = (first.get("id"), first.get("type"), first.get("source"), first.get("datacontenttype"));
    let id = EventHubs::resource_id();
    let wanted = ("1-0", "com.microsoft.azure.eventhub.message", id.as_str(), "application/json");
    ensure(found == wanted, || format!("{first:?}"))?;
    let text = requests[0].text();
    let wanted = r#"{"Body":{"a":1},"Properties":{"k":"v"},"ContentType":"application/json","CorrelationID":null,"MessageID":"m1"}"#;
    ensure(text == wanted, || text.clone())?;
    let text = requests[1].text();
    let wanted =
        r#"{"Properties":null,"Body":"aGVsbG8=","ContentType":null,"CorrelationID":null,"MessageID":null}"#;
    ensure(text == wanted && requests[1].event()?.get("id") == "1-1", || text.clone())?;
    stop(process)
}

#[test]
fn events_of_event_grid_pass_as_they_are() -> Outcome {
    let scene = Scene::new(1)?;
    let process = scene.reading(&[("EVENTHUB_MESSAGE_PROCESSOR", "eventgrid"), ("CE_TYPE", "other")], 1)?;
    let event = |id: &str| {
        json!({"specversion": "1.0", "id": id, "source": "/acc", "type": "Microsoft.Storage.BlobCreated",
               "subject": "/b", "dataschema": "#", "data": {"n": 1}})
    };
    scene.hub.publish(0, Published::body(json!([event("g1"), event("g2")]).to_string()));
    scene.hub.publish(0, Published::body("[]"));
    scene.hub.publish(0, Published::body(event("g3").to_string()));
    let requests = scene.sink.wait_for(3)?;
    let events = requests.iter().map(Captured::event).collect::<Result<Vec<_>, _>>()?;
    let found: Vec<_> = events.iter().map(|event| (event.get("id"), event.get("type"))).collect();
    let kind = "Microsoft.Storage.BlobCreated";
    ensure(found == [("g1", kind), ("g2", kind), ("0-2", "other")], || format!("{found:?}"))?;
    ensure(
        events[0].get("dataschema").is_empty() && events[0].get("datacontenttype") == "application/json",
        || format!("{events:?}"),
    )?;
    stop(process)
}

#[test]
fn reading_begins_where_the_settings_say() -> Outcome {
    for (start, wanted) in [("earliest", 0..20), ("latest", 10..20)] {
        let scene = Scene::new(2)?;
        scene.feed(0..10, 2);
        let process = scene.reading(&[("EVENTHUB_START_POSITION", start)], 2)?;
        scene.feed(10..20, 2);
        let counts = scene.all(wanted.clone())?;
        ensure(counts.into_keys().eq(wanted), || format!("{start}: {:?}", scene.counts()))?;
        stop(process)?;
    }
    let scene = Scene::new(1)?;
    scene.feed(0..3, 1);
    let end = scene.hub.partition(0).last().map_or(0, |event| event.enqueued);
    // The next event has a later time.
    while std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_millis() as i64) <= end {
        std::thread::yield_now();
    }
    scene.feed(3..6, 1);
    let third = scene.hub.partition(0)[3].enqueued;
    let process = scene.reading(&[("EVENTHUB_START_POSITION", &rfc3339(third))], 1)?;
    let counts = scene.all(3..6)?;
    ensure(counts.into_keys().eq(3..6), || format!("{:?}", scene.counts()))?;
    stop(process)
}

/// A moment as text.
fn rfc3339(millis: i64) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{}.{:03}", millis / 1000, millis % 1000), "+%Y-%m-%dT%H:%M:%S.%3NZ"])
        .output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

#[test]
fn the_consumer_group_is_honoured_and_new_partitions_are_noticed() -> Outcome {
    let scene = Scene::new(2)?;
    scene.hub.add_group("mine");
    let process = scene.reading(&[("EVENTHUB_CONSUMER_GROUP", "Mine")], 2)?;
    let readers = scene.hub.readers();
    ensure(readers.iter().all(|reader| reader.group == "mine" && reader.epoch == Some(0)), || {
        format!("{readers:?}")
    })?;
    scene.hub.add_partitions(1);
    // What comes before it is noticed is not passed over, though reading begins at the latest event.
    scene.feed(0..30, 3);
    let counts = scene.all(0..30)?;
    ensure(counts.values().all(|count| *count == 1), || format!("{counts:?}"))?;
    stop(process)
}
