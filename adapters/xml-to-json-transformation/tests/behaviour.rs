//! What callers see of the transformation of XML, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Reply, Response, Sink, ensure};

type Outcome = Result<(), Failure>;

struct Xml(Adapter);

impl Xml {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Adapter::listening("xml-to-json-transformation", settings).map(Self)
    }

    fn send(&self, content_type: &str, xml: impl Into<Vec<u8>>) -> Result<Response, Failure> {
        let example = Example::new("com.example.note", content_type, xml);
        self.0.send(&example.binary(1).header("ce-region", "eu"))
    }
}

const NOTE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<note><to>Tove</to></note>";

#[test]
fn without_a_sink_the_event_is_the_answer() -> Outcome {
    let xml = Xml::start(&[])?;
    // The content type is not looked at.
    for content_type in ["application/xml", "text/plain", "application/json"] {
        let answer = xml.send(content_type, NOTE)?;
        answer.expect(200)?;
        let event = answer.event()?;
        for (name, value) in [
            ("type", "com.example.note"),
            ("id", "kit-1"),
            ("region", "eu"),
            ("datacontenttype", "application/json"),
        ] {
            ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
        }
        ensure(event.data == b"{\"note\": {\"to\": \"Tove\"}}\n", || answer.text())?;
    }
    Ok(())
}

#[test]
fn with_a_sink_its_status_is_the_answer() -> Outcome {
    let sink = Sink::start()?;
    for policy in ["never", "error"] {
        let xml = Xml::start(&[("K_SINK", &sink.url("/in")), ("EVENTS_PAYLOAD_POLICY", policy)])?;
        for (said, expected) in [(202, 202), (200, 200), (401, 503), (404, 503), (500, 503)] {
            sink.reset();
            sink.always(Reply::status(said));
            let answer = xml.send("application/xml", NOTE)?;
            ensure(answer.status == expected, || format!("{said} became {}", answer.status))?;
            ensure(sink.count() == 1, || format!("{said}: {} attempts", sink.count()))?;
        }
        let requests = sink.requests();
        let event = requests.first().ok_or("nothing arrived")?.event()?;
        ensure(event.data == b"{\"note\": {\"to\": \"Tove\"}}\n", || format!("{event:?}"))?;
    }
    Ok(())
}

#[test]
fn failures_are_told_by_status_or_as_events() -> Outcome {
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
    let external = "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><l>&x;</l>";
    let mut plain = Xml::start(&[])?;
    let events = Xml::start(&[("EVENTS_PAYLOAD_POLICY", "error")])?;
    for data in ["", "secret", "<a><b></a>", "<a>&nbsp;</a>", laughs, external, &"<a>".repeat(100_000)] {
        let answer = plain.send("application/xml", data)?;
        answer.expect(422)?;
        ensure(answer.text().starts_with("invalid XML: "), || answer.text())?;
        let answer = events.send("application/xml", data)?;
        answer.expect(200)?;
        let event = answer.event()?;
        let found = (event.get("type"), event.get("source"), event.get("category"));
        let expected = ("io.triggermesh.xmltojsontransformation.error", "xmltojsontransformation", "error");
        ensure(found == expected && event.get("id") != "kit-1", || format!("{event:?}"))?;
        let data = event.json();
        let described = data["Description"].as_str().is_some_and(|text| text.starts_with("invalid XML: "));
        ensure(data["Code"] == "request-validation" && described, || data.to_string())?;
    }
    plain.0.process.wait_for_line("an event was not handled")?;
    let output = plain.0.process.output();
    ensure(!output.contains("secret"), || output.clone())?;
    plain.send("application/xml", NOTE)?.expect(200)
}
