//! What takes long or much by looking harmless: time and memory are bounded, whatever is read, compiled or run.

mod refused;

use std::time::{Duration, Instant};

use refused::{failure, sheet};
use xslt::{Failure, Limits, Stylesheet};

/// A document that is nested deeply and ends in a text.
fn deep(levels: usize, text: &str) -> String {
    format!("{}{text}{}", "<a>".repeat(levels), "</a>".repeat(levels))
}

#[test]
fn what_is_looked_for_again_and_again_is_given_up() {
    let long = "ab".repeat(300_000);
    let deep_text = deep(250, &"x".repeat(1_000_000));
    let wide = format!("<a>{}</a>", "<i/>".repeat(60_000));
    for (body, document) in [
        // Ways through a chain of ancestors: 250 over 12.
        (r#"<xsl:template match="a//a//a//a//a//a//a//a//a//a//a//a//b"/><xsl:template match="/"><xsl:apply-templates select="//a"/></xsl:template>"#.to_owned(), deep(250, "")),
        // Letters that are looked for among many.
        (format!(r#"<xsl:template match="/"><x><xsl:for-each select="//a"><xsl:value-of select="string-length(translate(., '{}', ''))"/></xsl:for-each></x></xsl:template>"#, "é".repeat(9000)), deep(250, &long)),
        // 250 texts of a million letters each, at once.
        (r#"<xsl:template match="/"><xsl:if test="//a = //*[. = //b]"/><xsl:if test="//a != //a/.."/></xsl:template>"#.to_owned(), deep_text),
        // Sets of nodes that are held by calls.
        (r#"<xsl:template match="/"><xsl:call-template name="t"/></xsl:template><xsl:template name="t"><xsl:variable name="a" select="//i"/><xsl:variable name="b" select="//i[true()]"/><xsl:call-template name="t"/><xsl:value-of select="count($a) + count($b)"/></xsl:template>"#.to_owned(), wide.clone()),
        (r#"<xsl:template match="/"><xsl:apply-templates select="//i"/></xsl:template><xsl:template match="i"><xsl:apply-templates select="//i"/></xsl:template>"#.to_owned(), wide.clone()),
        // 60,000 times as many nodes, before those that come twice are taken out.
        (r#"<xsl:template match="/"><xsl:value-of select="count(//i/following::i/preceding::i)"/></xsl:template>"#.to_owned(), wide),
    ] {
        let limits = Limits { time: Duration::from_secs(1), memory: 16 << 20, ..Limits::default() };
        let sheet = Stylesheet::compile(sheet(&body).as_bytes()).expect(&body);
        let begun = Instant::now();
        let result = sheet.transform(document.as_bytes(), &limits);
        println!("{body:.200}: {:?} {:?} peak {} MB", result.as_ref().map(|made| made.bytes.len()), begun.elapsed(), peak() >> 20);
        assert!(begun.elapsed() < Duration::from_secs(10), "{body:.200}: {:?}", begun.elapsed());
        assert!(result.is_ok() || matches!(result, Err(Failure::Limit(_))), "{result:?}");
    }
    assert!(peak() < 400 << 20, "{} MB", peak() >> 20);
}

#[test]
fn much_out_of_little_is_given_up() {
    let long = format!("<a>{}</a>", "x".repeat(1_000_000));
    let many = "{$s}".repeat(2000);
    for body in [
        format!(r#"<xsl:variable name="s" select="string(/a)"/><xsl:template match="/"><x y="{many}"/></xsl:template>"#),
        format!(r#"<xsl:variable name="s" select="string(/a)"/><xsl:template match="/"><xsl:value-of select="concat({}1)"/></xsl:template>"#, "$s, ".repeat(2000)),
        r#"<xsl:template match="/"><xsl:value-of xmlns:str="http://exslt.org/strings" select="str:replace(string(/a), 'x', string(/a))"/></xsl:template>"#.to_owned(),
        r#"<xsl:template match="/"><xsl:value-of xmlns:str="http://exslt.org/strings" select="count(str:tokenize(string(/a), ''))"/></xsl:template>"#.to_owned(),
        r#"<xsl:template match="/"><xsl:for-each xmlns:str="http://exslt.org/strings" select="/|/a|/a/text()"><xsl:call-template name="t"/></xsl:for-each></xsl:template><xsl:template name="t"><xsl:variable xmlns:str="http://exslt.org/strings" name="p" select="str:padding(1000000, 'x')"/><xsl:call-template name="t"/><xsl:value-of select="$p"/></xsl:template>"#.to_owned(),
        r#"<xsl:template match="/"><x><xsl:call-template name="t"/></x></xsl:template><xsl:template name="t"><xsl:variable name="n" select="translate(/a, 'x', '&quot;')"/><xsl:attribute name="a"><xsl:value-of select="concat($n, $n, $n, $n)"/></xsl:attribute></xsl:template>"#.to_owned(),
        r#"<xsl:template match="/"><xsl:call-template name="t"/></xsl:template><xsl:template name="t"><xsl:element name="{/a}"/><xsl:element name="{/a}"/><xsl:element name="{/a}"/><xsl:element name="{/a}"/><xsl:call-template name="t"/></xsl:template>"#.to_owned(),
        r#"<xsl:template match="/"><xsl:call-template name="t"/></xsl:template><xsl:template name="t"><xsl:param name="s" select="'xxxxxxxx'"/><xsl:call-template name="t"><xsl:with-param name="s" select="concat($s, $s)"/></xsl:call-template></xsl:template>"#.to_owned(),
    ] {
        let failure = failure(&body, &long);
        println!("{body:.200}: {failure} peak {} MB", peak() >> 20);
        assert!(matches!(failure, Failure::Limit(_)), "{failure}");
    }
    assert!(peak() < 400 << 20, "{} MB", peak() >> 20);
}

#[test]
fn documents_that_take_long_to_read_are_refused() {
    let body = r#"<xsl:template match="/"><x/></xsl:template>"#;
    let attributes = |count: usize| (0..count).map(|n| format!(" a{n}=\"\"")).collect::<String>();
    let namespaces = |count: usize| (0..count).map(|n| format!(" xmlns:a{n}=\"u{n}\"")).collect::<String>();
    let large = "x".repeat(100_000);
    let quadratic =
        |declarations: &str| format!("<!DOCTYPE a [{declarations}]><a>{}</a>", "&e;".repeat(5000));
    for (document, expected) in [
        (format!("<a{}/>", attributes(200_000)), "more than 1000 attributes"),
        (format!("<!DOCTYPE a [<!ENTITY e '<b{}/>'>]><a>&e;</a>", attributes(5000)), "an entity with"),
        (format!("<a{}>{}</a>", namespaces(20_000), "<b/>".repeat(50_000)), "more than 1000 attributes"),
        (format!("<a{}>{}</a>", namespaces(900), "<b xmlns:c='d'/>".repeat(50_000)), "more namespaces"),
        (quadratic(&format!("<!ENTITY e '{large}'>")), "entities that grow"),
        (quadratic(&format!("<!ENTITY % e '{large}'>")), "entities that grow"),
        (quadratic(&format!("<!-- ]> --><!ENTITY e '{large}'>")), "entities that grow"),
        (quadratic(&format!("<!ENTITY f ']>'><!ENTITY e '{large}'>")), "entities that grow"),
        (quadratic(&format!("<!ENTITY e ''><!-- <!ENTITY e '{large}'> -->")), "entities that grow"),
        (
            format!("<!-- <!DOCTYPE ]> -->{}", quadratic(&format!("<!ENTITY e '{large}'>"))),
            "entities that grow",
        ),
        (format!("<!DOCTYPE a [<!ENTITY q '<a \"'>]>{}", deep(100_000, "")), "nested more than 256 deep"),
        (
            format!("<!DOCTYPE a [<!ENTITY e '{}'>]>{}", deep(200, ""), deep(200, "&e;")),
            "nested more than 256 deep",
        ),
        ("<?xml version=\"1.0\" encoding=é?><a/>".to_owned(), "malformed"),
        (format!("<a>{}</a>", "<b/>".repeat(500_000)), "the document takes too much"),
        (format!("<a>{}</a>", "<b c='' d='' e=''/>".repeat(100_000)), "the document takes too much"),
    ] {
        let begun = Instant::now();
        let failure = failure(body, &document);
        println!("{document:.60}: {failure} {:?} peak {} MB", begun.elapsed(), peak() >> 20);
        assert!(failure.to_string().contains(expected), "{failure}, not {expected}");
    }
    // These take no longer than others of their size.
    let ids: String = (0..20_000).map(|n| format!("<!ATTLIST b a{n} ID #IMPLIED>")).collect();
    for document in [
        format!("<!DOCTYPE a [{ids}]><a>{}</a>", "<b/>".repeat(20_000)),
        format!("<a{}>{}</a>", namespaces(900), "<b/>".repeat(20_000)),
    ] {
        let begun = Instant::now();
        let limits = Limits::default();
        let sheet = Stylesheet::compile(sheet(body).as_bytes()).expect(body);
        assert!(sheet.transform(document.as_bytes(), &limits).is_ok());
        println!("{document:.60}: {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}

#[test]
fn stylesheets_that_take_much_are_refused() {
    let namespaces = |count: usize| (0..count).map(|n| format!(" xmlns:a{n}=\"u{n}\"")).collect::<String>();
    let in_template = |inner: &str| sheet(&format!(r#"<xsl:template match="/">{inner}</xsl:template>"#));
    let limits = Limits { time: Duration::from_secs(1), memory: 64 << 20, ..Limits::default() };
    for text in [
        in_template(&format!(r#"<xsl:value-of select="1{}"/>"#, " + 1".repeat(200_000))),
        in_template(&format!(r#"<xsl:value-of select="a{}"/>"#, "|a".repeat(200_000))),
        in_template(&format!(r#"<xsl:if test="a{}"/>"#, " or a".repeat(200_000))),
        in_template(&format!("<y{}>{}</y>", namespaces(900), "<x/>".repeat(100_000))),
        in_template(&format!(
            "<y{}>{}</y>",
            namespaces(200),
            r#"<xsl:value-of select="f(1)"/>"#.repeat(20_000)
        )),
        in_template(&"<x/>".repeat(500_000)),
        in_template(&"<xsl:if test=\"1\">".repeat(240)),
        in_template(&format!("{}{}", "<xsl:if test=\"1\">".repeat(240), "</xsl:if>".repeat(240))),
        in_template(&format!("<xsl:for-each select=\"a\">{}</xsl:for-each>", "<xsl:sort/>".repeat(1000))),
        sheet(&(0..30_000).map(|n| format!("<xsl:variable name=\"v{n}\"/>")).collect::<String>()),
        sheet(&"<xsl:template match=\"a\"/>".repeat(30_000)),
        in_template(&format!(
            "<x xsl:exclude-result-prefixes=\"{}\"{}>{}</x>",
            "a0 ".repeat(100_000),
            namespaces(900),
            "<y xmlns:z=\"z\"/>".repeat(50)
        )),
    ] {
        let begun = Instant::now();
        let result = Stylesheet::compile_within(text.as_bytes(), &limits);
        println!(
            "{}: {:?} {:?} peak {} MB",
            &text[200..300.min(text.len())],
            result.as_ref().map(Stylesheet::size),
            begun.elapsed(),
            peak() >> 20
        );
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
    assert!(peak() < 500 << 20, "{} MB", peak() >> 20);
}

#[test]
fn calls_in_nested_bodies_have_stack_and_are_counted() {
    let open = "<xsl:if test=\"1\">".repeat(230);
    let close = "</xsl:if>".repeat(230);
    let body = format!(
        r#"<xsl:template match="/"><xsl:call-template name="t"/></xsl:template><xsl:template name="t">{open}<xsl:call-template name="t"/>{close}</xsl:template>"#
    );
    let failed = failure(&body, "<a/>");
    assert!(matches!(failed, Failure::Limit(_)), "{failed}");
    let plus = format!("1{}", " + 1".repeat(1990));
    let body = format!(r#"<xsl:template match="/"><x><xsl:value-of select="{plus}"/></x></xsl:template>"#);
    let sheet = Stylesheet::compile(sheet(&body).as_bytes()).expect("a stylesheet");
    let made = sheet.transform(b"<a/>", &Limits::default()).expect("a result");
    assert_eq!(made.bytes, b"<?xml version=\"1.0\"?>\n<x>1991</x>\n");
}

#[test]
fn numbers_of_any_size_are_written() {
    let zeros = "0".repeat(70_000);
    for number in [
        "1 div 0",
        "-1 div 0",
        "0 div 0",
        "1e308 * 10",
        "9007199254740993",
        "0.1",
        "-0",
        "123456789012345678901234567890",
    ] {
        let number = number.replace("1e308 * 10", &format!("1{} * 10", "0".repeat(308)));
        let body = format!(
            r###"<xsl:template match="/"><x><xsl:value-of select="format-number({number}, '{zeros}#,###.{zeros}%;({zeros})')"/><xsl:number value="{number}" format="{zeros}1" grouping-separator="{zeros}" grouping-size="1"/><xsl:number value="{number}" format="A"/><xsl:number value="{number}" format="i"/><xsl:value-of select="{number}"/><xsl:value-of select="substring('abc', {number}, {number})"/><xsl:value-of select="round({number})"/></x></xsl:template>"###
        );
        let sheet = Stylesheet::compile(sheet(&body).as_bytes()).expect("a stylesheet");
        let made = sheet.transform(b"<a/>", &Limits::default()).expect("a result");
        assert!(made.bytes.len() < 200_000, "{number:.20}: {} bytes", made.bytes.len());
    }
}

/// Resident memory of this process at its highest, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or_default() << 10
}
