//! What the conformance kit needs to know of the transformation of XML.

use kit::{Example, Harness};

/// Events reach the sink with JSON in the place of XML.
pub fn harness() -> Harness {
    let example = |content_type, xml| Example::new("com.example.note", content_type, xml);
    Harness::target(vec![
        example("application/xml", "<note day=\"Monday\"><to>Ann</to><to>Bob</to><body>Lunch?</body></note>"),
        example("text/plain", "<note/>"),
    ])
    .environment(|world| vec![("K_SINK", world.upstream.url("/"))])
    .events_upstream()
    .malformed(example("application/xml", "<note>"))
    .opt_out("T10", "only XML can be transformed; all else is refused with 422")
}
