//! Stylesheets that are ended, and why.

use std::time::{Duration, Instant};

use xslt::{Failure, Limits, Stylesheet};

/// A stylesheet with this in it.
pub fn sheet(body: &str) -> String {
    format!(
        r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:exsl="http://exslt.org/common" extension-element-prefixes="exsl">{body}</xsl:stylesheet>"#
    )
}

/// Why it gives no result, soon.
pub fn failure(body: &str, document: &str) -> Failure {
    let limits = Limits { time: Duration::from_secs(1), memory: 16 << 20, ..Limits::default() };
    let sheet = Stylesheet::compile(sheet(body).as_bytes()).expect(body);
    let begun = Instant::now();
    let failure = sheet.transform(document.as_bytes(), &limits).map(drop).expect_err(body);
    // Ten times the limit, for machines that have other things to do.
    assert!(begun.elapsed() < Duration::from_secs(10), "{body}: {:?}", begun.elapsed());
    failure
}
