//! What callers see of the XSLT transformation, and what reaches its sink: the real binary between the two.

use kit::{Adapter, Example, Failure, Reply, Response, Sink, ensure};
use serde_json::json;

type Outcome = Result<(), Failure>;

const SHEET: &str = r#"<?xml version="1.0"?>
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/note"><message to="{to}"><xsl:value-of select="body"/></message></xsl:template>
</xsl:stylesheet>"#;
const NOTE: &str = "<note><to>Tove</to><body>Don't forget me</body></note>";
const MESSAGE: &str = "<?xml version=\"1.0\"?>\n<message to=\"Tove\">Don't forget me</message>\n";

struct Transformation(Adapter);

impl Transformation {
    fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        Adapter::ready("xslt-transformation", settings).map(Self)
    }

    fn send(&self, example: &Example) -> Result<Response, Failure> {
        self.0.send(&example.binary(1))
    }

    /// Sends a document with a stylesheet of its own.
    fn send_own(&self, xml: &str, xslt: &str) -> Result<Response, Failure> {
        self.send(&Example::json("io.triggermesh.xslt.transform", &json!({"xml": xml, "xslt": xslt})))
    }
}

fn note() -> Example {
    Example::new("com.example.note", "application/xml", NOTE)
}

fn refused(answer: &Response, text: &str) -> Outcome {
    ensure(answer.status == 422 && answer.text().contains(text), || {
        format!("{} {}", answer.status, answer.text())
    })
}

#[test]
fn without_a_sink_the_answer_is_an_event_of_its_own() -> Outcome {
    let transformation = Transformation::start(&[("XSLTTRANSFORMATION_XSLT", SHEET)])?;
    let answer = transformation.send(&note())?;
    answer.expect(200)?;
    let event = answer.event()?;
    for (name, value) in [
        ("type", "com.example.note.response"),
        ("source", "xslttransformation"),
        ("category", "success"),
        ("datacontenttype", "application/xml"),
        ("statefulbridge", ""),
    ] {
        ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
    }
    ensure(event.get("id") != "kit-1" && !event.get("time").is_empty(), || format!("{event:?}"))?;
    ensure(event.data == MESSAGE.as_bytes(), || answer.text())
}

#[test]
fn answers_of_a_bridge_carry_its_name() -> Outcome {
    let settings = [("XSLTTRANSFORMATION_XSLT", SHEET), ("EVENTS_BRIDGE_IDENTIFIER", "shop")];
    let transformation = Transformation::start(&settings)?;
    let answer = transformation.send(&note())?;
    let event = answer.event()?;
    ensure(event.get("statefulbridge") == "shop" && !event.get("statefulid").is_empty(), || {
        format!("{event:?}")
    })?;
    let request = note().binary(1).header("ce-statefulbridge", "another").header("ce-statefulid", "7");
    let answer = transformation.0.send(&request)?;
    let event = answer.event()?;
    ensure(event.get("statefulbridge") == "another" && event.get("statefulid") == "7", || {
        format!("{event:?}")
    })
}

#[test]
fn with_a_sink_the_event_goes_on_and_its_status_is_the_answer() -> Outcome {
    let sink = Sink::start()?;
    let url = sink.url("/in");
    let transformation = Transformation::start(&[("XSLTTRANSFORMATION_XSLT", SHEET), ("K_SINK", &url)])?;
    for (said, status) in [(202, 202), (200, 200), (400, 400), (402, 422), (401, 503), (404, 503), (500, 503)]
    {
        sink.reset();
        sink.always(Reply::status(said));
        let answer = transformation.send(&note())?;
        ensure(answer.status == status, || format!("{said} became {}: {}", answer.status, answer.text()))?;
        ensure(sink.count() == 1, || format!("{said}: {} attempts", sink.count()))?;
    }
    let event = sink.requests().first().ok_or("nothing arrived")?.event()?;
    for (name, value) in [
        ("type", "com.example.note.response"),
        ("id", "kit-1"),
        ("source", "/kit"),
        ("category", ""),
        ("datacontenttype", "application/xml"),
    ] {
        ensure(event.get(name) == value, || format!("{name}: {event:?}"))?;
    }
    ensure(event.data == MESSAGE.as_bytes(), || format!("{event:?}"))
}

#[test]
fn an_event_may_bring_its_own_stylesheet_where_it_is_let() -> Outcome {
    let settings = [("XSLTTRANSFORMATION_ALLOW_XSLT_OVERRIDE", "true")];
    let transformation = Transformation::start(&settings)?;
    for _ in 0..3 {
        let answer = transformation.send_own(NOTE, SHEET)?;
        ensure(answer.status == 200 && answer.text() == MESSAGE, || {
            format!("{} {}", answer.status, answer.text())
        })?;
        let event = answer.event()?;
        ensure(event.get("type") == "io.triggermesh.xslt.transform.response", || format!("{event:?}"))?;
    }
    refused(&transformation.send_own(NOTE, "")?, "the data have no 'xslt'")?;
    refused(&transformation.send_own(NOTE, "<a/>")?, "line 1, column 1: it is no stylesheet")?;
    refused(&transformation.send_own("<a", SHEET)?, "error processing XML with XSLT")?;
    let without = Example::json("io.triggermesh.xslt.transform", &json!({"xslt": SHEET}));
    refused(&transformation.send(&without)?, "missing field `xml`")?;
    refused(&transformation.send(&note())?, "there is no stylesheet")
}

#[test]
fn where_it_is_not_let_it_is_refused() -> Outcome {
    let transformation = Transformation::start(&[("XSLTTRANSFORMATION_XSLT", SHEET)])?;
    refused(&transformation.send_own(NOTE, SHEET)?, "events may not bring a stylesheet")
}

#[test]
fn what_is_no_xml_is_refused() -> Outcome {
    let transformation = Transformation::start(&[("XSLTTRANSFORMATION_XSLT", SHEET)])?;
    for content_type in ["text/xml", "application/json", "application/xhtml+xml"] {
        let example = Example::new("com.example.note", content_type, NOTE);
        refused(&transformation.send(&example)?, "the content type must be application/xml")?;
    }
    let with_parameter = Example::new("com.example.note", "Application/XML; charset=utf-8", NOTE);
    ensure(transformation.send(&with_parameter)?.status == 200, || "a parameter".to_owned())?;
    for document in ["", "no xml", "<a>", "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"]
    {
        let example = Example::new("com.example.note", "application/xml", document);
        refused(
            &transformation.send(&example)?,
            "error processing XML with XSLT: the document is malformed",
        )?;
    }
    Ok(())
}

#[test]
fn an_endless_stylesheet_is_given_up_while_others_are_served() -> Outcome {
    let endless = SHEET.replace(
        "</xsl:stylesheet>",
        r#"<xsl:template match="endless"><xsl:for-each select="//i"><xsl:for-each select="//i"><xsl:for-each select="//i"><xsl:if test="//i = 'x'"/></xsl:for-each></xsl:for-each></xsl:for-each></xsl:template></xsl:stylesheet>"#,
    );
    let settings =
        [("XSLTTRANSFORMATION_XSLT", endless.as_str()), ("XSLT_TIMEOUT", "1s"), ("WORKER_THREADS", "1")];
    let transformation = Transformation::start(&settings)?;
    let document = format!("<endless>{}</endless>", "<i/>".repeat(2000));
    let hostile = Example::new("com.example.note", "application/xml", document);
    let asked = hostile.binary(1).send_later(transformation.0.address);
    // The one thread that serves is free meanwhile.
    let health = transformation.0.get("/healthz")?;
    ensure(health.status == 200, || format!("{}", health.status))?;
    refused(&kit::answer(asked)?, "the transformation was given up: it takes too long")?;
    ensure(transformation.send(&note())?.status == 200, || "the next one".to_owned())
}

#[test]
fn what_is_wrong_with_a_document_is_told_and_not_logged() -> Outcome {
    let ends = SHEET.replace(
        "<message",
        "<xsl:message terminate=\"yes\"><xsl:value-of select=\"to\"/></xsl:message><message",
    );
    let mut transformation = Transformation::start(&[("XSLTTRANSFORMATION_XSLT", &ends)])?;
    refused(&transformation.send(&note())?, "the stylesheet ends it: Tove")?;
    // What it writes arrives when it will.
    transformation.0.process.wait_for_line("an event was not handled")?;
    let output = transformation.0.process.output();
    ensure(!output.contains("Tove"), || output.clone())
}

#[test]
fn failures_are_told_as_events_where_they_are_wanted() -> Outcome {
    let settings = [("XSLTTRANSFORMATION_XSLT", SHEET), ("EVENTS_PAYLOAD_POLICY", "error")];
    let transformation = Transformation::start(&settings)?;
    let own = Example::json("io.triggermesh.xslt.transform", &json!({"xml": NOTE, "xslt": SHEET}));
    for (example, code) in [
        (Example::new("com.example.note", "text/xml", NOTE), "request-validation"),
        (own, "request-validation"),
        (Example::new("com.example.note", "application/xml", "<note>"), "adapter-process"),
    ] {
        let answer = transformation.send(&example)?;
        let event = answer.event()?;
        let told = (event.get("source"), event.get("category"));
        ensure(answer.status == 200 && told == ("xslttransformation", "error"), || format!("{event:?}"))?;
        ensure(event.get("type").ends_with(".response"), || format!("{event:?}"))?;
        ensure(event.json()["Code"] == code, || format!("{event:?}"))?;
    }
    Ok(())
}
