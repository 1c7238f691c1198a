//! Stylesheets: the first part of the input is one, the second a document; where one of them is missing, those of `FIXED` or
//! `DOCUMENT` take its place.

use std::time::{Duration, Instant};

use xslt::{Failure, Limits, Stylesheet, Transformed};

use crate::{is_message, parts};

/// Less than what a transformation has in production, so that what never ends does so soon.
const LIMITS: Limits = Limits { time: Duration::from_millis(300), memory: 8 << 20, depth: 300 };
/// Far beyond the limit, on a machine that is busy too.
const PATIENCE: Duration = Duration::from_secs(20);
const DECLARATION: &str = "<?xml version=\"1.0\"?>\n";

/// Copies the document.
const COPY: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><xsl:copy-of select="."/></xsl:template></xsl:stylesheet>"#;

/// Stylesheets that are good for any document.
const FIXED: [&str; 4] = [
    COPY,
    r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>
</xsl:stylesheet>"#,
    r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:strip-space elements="*"/><xsl:key name="k" match="*|@*" use="name()"/>
<xsl:template match="/"><r c="{count(//node())}"><xsl:for-each select="//*"><xsl:sort select="name()"/><xsl:sort select="." data-type="number" order="descending"/>
<e n="{position()}" k="{count(key('k', name()))}" s="{sum(@*)}"><xsl:number level="multiple" count="*" format="1.a.I"/>
<xsl:value-of select="concat(local-name(), '|', namespace-uri(), '|', normalize-space(substring(., 2, 9)), '|', translate(., 'ab', 'b'))"/>
<xsl:comment><xsl:value-of select="."/></xsl:comment><xsl:if test="preceding::*[1] = following-sibling::*"><y/></xsl:if></e>
</xsl:for-each><xsl:copy-of select="//@*|//processing-instruction()|//comment()"/></r></xsl:template></xsl:stylesheet>"#,
    r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:s="http://exslt.org/strings" xmlns:d="http://exslt.org/dates-and-times" xmlns:m="http://exslt.org/math" exclude-result-prefixes="s d m">
<xsl:output method="html" encoding="iso-8859-1" indent="yes"/>
<xsl:template match="/"><html><head/><body><xsl:for-each select="//*"><p title="{.}"><xsl:for-each select="s:tokenize(.)"><b><xsl:value-of select="d:add(., 'P1M')"/>|<xsl:value-of select="d:difference(., '2024-02-29T01:02:03Z')"/>|<xsl:value-of select="d:seconds(.)"/>|<xsl:value-of select="d:week-in-year(.)"/>|<xsl:value-of select="d:day-name(.)"/>|<xsl:value-of select="format-number(., '#,##0.0#%;(0)')"/>|<xsl:value-of select="s:decode-uri(.)"/>|<xsl:number value="." format="A"/></b></xsl:for-each><xsl:value-of select="m:max(*)"/></p></xsl:for-each></body></html></xsl:template></xsl:stylesheet>"#,
];

/// What a stylesheet without a document is tried on.
const DOCUMENT: &str = r#"<?xml version="1.0"?><!DOCTYPE o [<!ENTITY e "x &amp; y"><!ATTLIST i n ID #IMPLIED>]>
<o xmlns:p="urn:p" a="1" p:b="zwei"><!-- c --><?t d?><i n="n1" v="3.5">eins <b>zwei</b> &e;</i><p:i n="n2" v="-2">2024-05-06T07:08:09Z</p:i>
<i n="n3" v="10" xml:lang="de-AT"/><i v="x"><i><i/></i></i></o>"#;

/// Compiles and transforms: places are in the text, limits hold, the result is the same each time, and XML stays XML.
pub fn xslt(data: &[u8]) {
    let Some((sheet, document)) = parts(data) else { return };
    match (sheet.trim().is_empty(), document.trim().is_empty()) {
        (true, true) => {}
        (true, false) => FIXED.iter().for_each(|sheet| both(sheet, document)),
        (false, true) => both(sheet, DOCUMENT),
        (false, false) => both(sheet, document),
    }
}

fn both(text: &str, document: &str) {
    let begun = Instant::now();
    let sheet = match Stylesheet::compile(text.as_bytes()) {
        Ok(sheet) => sheet,
        Err(mistake) => {
            is_message(&mistake.message, 1000);
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&(mistake.line as usize)), "{mistake:?}");
            assert!((1..=text.chars().count() + 1).contains(&(mistake.column as usize)), "{mistake:?}");
            return;
        }
    };
    let first = sheet.transform(document.as_bytes(), &LIMITS);
    match &first {
        Ok(made) => well_made(text, made),
        Err(failure) => is_message(&failure.to_string(), 1000),
    }
    let again = sheet.transform(document.as_bytes(), &LIMITS);
    // What time it is may be asked for.
    if !is_late(&first) && !is_late(&again) && !text.contains("dates-and-times") {
        let (first, again) = (first.map(|made| made.bytes), again.map(|made| made.bytes));
        assert_eq!(first, again, "another result");
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

fn well_made(text: &str, made: &Transformed) {
    assert!(made.bytes.len() <= LIMITS.memory, "{} bytes", made.bytes.len());
    let is_xml = made.bytes.starts_with(DECLARATION.as_bytes());
    if !is_xml || text.contains("output") {
        return;
    }
    // What is written without escapes, or under another document type, may be anything; otherwise it can be read and is the
    // same again. It need not be one element.
    let content = std::str::from_utf8(&made.bytes[DECLARATION.len()..]).expect("UTF-8");
    let document = format!("<w>{content}</w>");
    let copy = Stylesheet::compile(COPY.as_bytes()).expect("a stylesheet");
    match copy.transform(document.as_bytes(), &LIMITS) {
        Ok(made) => assert_eq!(
            String::from_utf8_lossy(&made.bytes),
            format!("{DECLARATION}{document}\n"),
            "a copy is another"
        ),
        // What is made may be larger than what is read, and deeper.
        Err(Failure::Limit(_)) => {}
        Err(failure) => assert!(failure.to_string().contains("more than"), "{failure}: {document}"),
    }
}

fn is_late(result: &Result<Transformed, Failure>) -> bool {
    matches!(result, Err(Failure::Limit(why)) if why.contains("too long"))
}
