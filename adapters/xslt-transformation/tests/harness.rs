//! What the conformance kit needs to know of the XSLT transformation.

use kit::{Example, Harness};

/// Makes every document one that has it inside.
const SHEET: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><seen><xsl:copy-of select="."/></seen></xsl:template>
</xsl:stylesheet>"#;

/// Events reach the sink with the data changed.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::new("com.example.order", "application/xml", "<order>1</order>"),
        Example::new("com.example.note", "application/xml; charset=utf-8", "<note/>"),
    ])
    .environment(|world| {
        vec![("K_SINK", world.upstream.url("/")), ("XSLTTRANSFORMATION_XSLT", SHEET.to_owned())]
    })
    .events_upstream()
    .malformed(Example::new("com.example.order", "application/xml", "<order>"))
    .wrong(&[("XSLTTRANSFORMATION_XSLT", "<xsl:stylesheet/>"), ("XSLT_TIMEOUT", "0s")])
    .opt_out("T10", "only XML can be transformed; every other media type is refused with 422")
}
