//! The kit against itself: what it plays must be what a client sees, and what it reads must be what is there.

use std::io::{Cursor, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::wire::Headers;
use crate::{Authority, Event, Failure, Gate, PATIENCE, Process, Reply, Request, Sink, http};

fn shell(script: &str) -> Result<Process, Failure> {
    Process::start("/bin/sh", &["-c", script], &[("GIVEN".to_owned(), "yes".to_owned())])
}

#[test]
fn a_sink_records_and_answers_in_order() -> Result<(), Failure> {
    let sink = Sink::start()?;
    sink.script([Reply::status(503).header("Retry-After", "2"), Reply::status(200).body("done")]);
    let request = Request::post("/a/b?x=1").header("X-Kit", "é").body("text/plain", "hello");
    let first = request.send(sink.address()).unwrap();
    assert_eq!((first.status, first.headers.get("retry-after")), (503, Some("2")));
    assert_eq!(request.send(sink.address()).unwrap().text(), "done");
    assert_eq!(request.send(sink.address()).unwrap().status, 202);
    let seen = sink.wait_for(3)?;
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/a/b?x=1"));
    assert_eq!((seen[0].text().as_str(), seen[0].headers.get("x-kit")), ("hello", Some("é")));
    Ok(())
}

#[test]
fn a_sink_can_be_faulty() -> Result<(), Failure> {
    let sink = Sink::start()?;
    sink.script([Reply::close(), Reply::garbage()]);
    assert!(Request::get("/").send(sink.address()).is_err());
    assert!(Request::get("/").send(sink.address()).is_err());

    sink.script([Reply::endless(200), Reply::hang()]);
    for patience in [PATIENCE, Duration::from_millis(200)] {
        let mut stream = TcpStream::connect(sink.address()).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut taken = 0;
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = std::io::Read::read(&mut stream, &mut buffer) {
            taken += length;
            if taken > 1_000_000 {
                break;
            }
        }
        // The first never ends, the second never begins.
        let count = sink.wait_for(1)?.len();
        assert!(if count == 3 { taken > 1_000_000 } else { taken == 0 }, "{count}: {taken}");
    }
    Ok(())
}

#[test]
fn a_sink_passes_on_what_it_is_not_told_to_answer() -> Result<(), Failure> {
    let (peer, sink) = (Sink::start()?, Sink::start()?);
    peer.always(Reply::status(201).header("X-Peer", "yes").body("made"));
    sink.stand_before(peer.address());
    sink.script([Reply::status(503)]);
    let request = Request::post("/a?b").header("X-Kit", "1").body("text/plain", "hello");
    assert_eq!(request.send(sink.address()).unwrap().status, 503);
    let answer = request.send(sink.address()).unwrap();
    assert_eq!((answer.status, answer.headers.get("x-peer")), (201, Some("yes")));
    assert_eq!(answer.text(), "made");
    let seen = peer.wait_for(1)?;
    assert_eq!((seen.len(), seen[0].path.as_str(), seen[0].text().as_str()), (1, "/a?b", "hello"));
    let host = sink.address().to_string();
    assert_eq!((seen[0].headers.get("x-kit"), seen[0].headers.get("host")), (Some("1"), Some(host.as_str())));
    Ok(())
}

#[test]
fn a_gate_holds_an_answer_back() -> Result<(), Failure> {
    let sink = Sink::start()?;
    let gate = Gate::new();
    sink.script([Reply::status(202).held(&gate)]);
    let asking = Request::get("/").send_later(sink.address());
    sink.wait_for(1)?;
    assert!(!asking.is_finished());
    gate.open();
    assert_eq!(asking.join().unwrap().unwrap().status, 202);
    Ok(())
}

#[test]
fn a_refusing_sink_can_be_opened() -> Result<(), Failure> {
    let sink = Sink::refusing()?;
    assert!(Request::get("/").send(sink.address()).is_err());
    sink.open()?;
    assert_eq!(Request::get("/").send(sink.address()).unwrap().status, 202);
    Ok(())
}

#[test]
fn only_who_trusts_the_authority_gets_through() -> Result<(), Failure> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let sink = Sink::start_tls(&authority)?;
    assert_eq!(authority.send(&Request::get("/"), sink.address()).unwrap().status, 202);
    assert_eq!(sink.failed_handshakes(), 0);
    assert!(other.send(&Request::get("/"), sink.address()).is_err());
    crate::eventually("the failed handshake", || (sink.failed_handshakes() == 1).then_some(()))?;
    assert_eq!(sink.count(), 1);
    Ok(())
}

#[test]
fn an_early_answer_ends_the_sending() -> Result<(), Failure> {
    let sink = Sink::start()?;
    let bytes = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
    let endless = Cursor::new(bytes).chain_forever();
    let (answer, _) = http::exchange(sink.address(), endless).unwrap();
    assert_eq!(answer.status, 202);
    Ok(())
}

/// Bytes followed by letters without end.
trait Forever: Sized {
    fn chain_forever(self) -> std::io::Chain<Self, std::io::Repeat>;
}

impl Forever for Cursor<Vec<u8>> {
    fn chain_forever(self) -> std::io::Chain<Self, std::io::Repeat> {
        std::io::Read::chain(self, std::io::repeat(b'x'))
    }
}

#[test]
fn a_process_is_watched_to_its_end() -> Result<(), Failure> {
    let line = r#"{\"level\":\"INFO\",\"message\":\"listening\",\"address\":\"127.0.0.1:1234\"}"#;
    let mut process = shell(&format!("echo \"{line}\" >&2; echo $GIVEN $HOME $PORT; exit 78"))?;
    assert_eq!(process.address()?.port(), 1234);
    assert_eq!(process.wait()?, 78);
    assert_eq!(process.stdout(), "yes 0\n");
    let failure = process.wait_for_line("something else").unwrap_err();
    assert!(failure.contains("it ended"), "{failure}");

    let mut process =
        shell("trap 'exit 0' TERM; echo '{\"message\":\"up\"}' >&2; while :; do sleep 0.01; done")?;
    process.wait_for_line("up")?;
    assert!(process.memory("VmRSS")? > 100_000);
    process.terminate()?;
    assert_eq!(process.wait()?, 0);
    Ok(())
}

#[test]
fn a_dropped_process_is_gone() -> Result<(), Failure> {
    let process = shell("exec sleep 1000")?;
    let path = format!("/proc/{}", process.id());
    assert!(std::path::Path::new(&path).exists());
    drop(process);
    assert!(!std::path::Path::new(&path).exists());
    Ok(())
}

#[test]
fn events_are_read_strictly() {
    let good = [("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"), ("ce-specversion", "1.0")];
    let read = |name: &str, value: &str| {
        let fields = good.iter().copied().filter(|(known, _)| *known != name).chain([(name, value)]);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Event::read(&Headers(fields.map(owned).collect()), b"x")
    };
    assert_eq!(read("ce-subject", "a%20%E2%82%AC").unwrap().get("subject"), "a €");
    assert_eq!(read("Content-Type", "text/plain").unwrap().get("datacontenttype"), "text/plain");
    for (name, value) in [
        ("ce-id", ""),
        ("ce-specversion", "0.3"),
        ("ce-subject", "a b"),
        ("ce-subject", ""),
        ("ce-bad_name", "x"),
        ("ce-time", "yesterday"),
        ("ce-datacontenttype", "text/plain"),
    ] {
        assert!(read(name, value).is_err(), "{name}: {value}");
    }
    let json = br#"{"specversion":"1.0","id":"1","source":"/s","type":"t","n":7,"data":{"a":1}}"#;
    let fields = Headers(vec![("Content-Type".to_owned(), "Application/CloudEvents+JSON".to_owned())]);
    let event = Event::read(&fields, json).unwrap();
    assert_eq!((event.get("n"), event.json()["a"].as_i64()), ("7", Some(1)));
}
