//! Results that are not those of libxslt: what it ignores, or makes wrong, and here is as XSLT 1.0 says; and what is not there,
//! which is told with its place.

use xslt::{Limits, Stylesheet};

fn sheet(body: &str) -> String {
    format!(
        "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" xmlns:str=\"http://exslt.org/strings\" \
         exclude-result-prefixes=\"str\"><xsl:output omit-xml-declaration=\"yes\" indent=\"no\"/>\n{body}</xsl:stylesheet>"
    )
}

fn result(body: &str, document: &str) -> String {
    let sheet = Stylesheet::compile(sheet(body).as_bytes()).expect(body);
    match sheet.transform(document.as_bytes(), &Limits::default()) {
        Ok(made) => String::from_utf8(made.bytes).expect("UTF-8").replace('\n', ""),
        Err(failure) => failure.to_string(),
    }
}

fn sorted(how: &str, words: &str) -> String {
    let document: String = words.split(' ').map(|word| format!("<w>{word}</w>")).collect();
    let body = format!(
        r#"<xsl:template match="/"><xsl:for-each select="//w"><xsl:sort {how}/><xsl:value-of select="concat(., ' ')"/></xsl:for-each></xsl:template>"#
    );
    result(&body, &format!("<r>{document}</r>")).trim().to_owned()
}

#[test]
fn texts_are_sorted_by_the_alphabet_where_that_is_asked_for() {
    let words = "b A a B é e f Z";
    for (how, expected) in [
        ("", "A B Z a b e f é"),
        (r#"case-order="upper-first""#, "A a B b e é f Z"),
        (r#"case-order="lower-first""#, "a A b B é e f Z"),
        (r#"lang="en""#, "a A b B é e f Z"),
        (r#"lang="de-AT" case-order="upper-first" order="descending""#, "Z f é e b B a A"),
        (r#"lang="{'fr'}" case-order="{'upper-first'}""#, "A a B b e é f Z"),
    ] {
        assert_eq!(sorted(how, words), expected, "{how}");
    }
    let failed = "the stylesheet at line 2: xsl:sort: 'sv' is not there";
    assert_eq!(sorted(r#"lang="{'sv'}""#, words), failed);
}

#[test]
fn what_is_not_there_is_told_with_its_place() {
    let sort = |how: &str| {
        format!(
            "<xsl:template match=\"/\">\n <xsl:for-each select=\"a\"><xsl:sort {how}/></xsl:for-each></xsl:template>"
        )
    };
    let number = |how: &str| format!("<xsl:template match=\"/\">\n  <xsl:number {how}/></xsl:template>");
    for (body, expected) in [
        (sort(r#"lang="sv""#), "line 3, column 27: 'lang' of xsl:sort: 'sv' is not there"),
        (sort(r#"case-order="any""#), "line 3, column 27: 'case-order' of xsl:sort: 'any' is not there"),
        (sort(r#"data-type="date""#), "line 3, column 27: 'data-type' of xsl:sort: 'date' is not there"),
        (sort(r#"order="up""#), "line 3, column 27: 'order' of xsl:sort: 'up' is not there"),
        (sort(r#"order="""#), "line 3, column 27: 'order' of xsl:sort: it is empty"),
        (number(r#"lang="el""#), "line 3, column 3: 'lang' of xsl:number: 'el' is not there"),
        (
            number(r#"letter-value="traditional""#),
            "line 3, column 3: 'letter-value' of xsl:number: 'traditional' is not there",
        ),
        (
            "<xsl:template match=\"/\">\n<a b=\"{$c}\"/><xsl:variable name=\"c\"/></xsl:template>".to_owned(),
            "line 3, column 1: the attribute 'b': there is no variable '$c'",
        ),
        (
            "<xsl:template match=\"a[$c]\"/>\n<xsl:template name=\"t\"><xsl:param name=\"c\"/></xsl:template>".to_owned(),
            "line 2, column 1: 'match' of xsl:template: there is no variable '$c'",
        ),
        (
            "<xsl:template match=\"/\">\n<xsl:value-of select=\"namespace::*\"/></xsl:template>".to_owned(),
            "line 3, column 1: 'select' of xsl:value-of: the axis of namespaces is not there",
        ),
    ] {
        let mistake = Stylesheet::compile(sheet(&body).as_bytes()).map(drop).expect_err(&body);
        assert_eq!(mistake.to_string(), expected);
    }
}

#[test]
fn what_is_made_is_well_formed() {
    for (body, expected) in [
        ("<xsl:comment>a---</xsl:comment>", "<!--a- - - -->"),
        ("<xsl:comment>--</xsl:comment>", "<!--- - -->"),
        (r#"<xsl:processing-instruction name="a">?>??></xsl:processing-instruction>"#, "<?a ? >?? >?>"),
        (
            r#"<xsl:processing-instruction name="xml">x</xsl:processing-instruction>"#,
            "the stylesheet at line 2: 'xml' is no name of a processing instruction",
        ),
        (r#"<e a="{str:decode-uri('%00%EF%BF%BF')}"/>"#, r#"<e a=""/>"#),
        (r#"<xsl:element name="xml:a" namespace="u"/>"#, r#"<a xmlns="u"/>"#),
        (r#"<xsl:element name="p:a" namespace="http://www.w3.org/XML/1998/namespace"/>"#, "<xml:a/>"),
        (
            r#"<e><xsl:attribute name=" xmlns ">u</xsl:attribute></e>"#,
            "the stylesheet at line 2: ' xmlns ' is no name",
        ),
        // libxslt makes another element of both.
        (
            r#"<p:s xmlns:p="u"><p:t><xsl:attribute name="p:a" namespace="v">1</xsl:attribute></p:t></p:s>"#,
            r#"<p:s xmlns:p="u"><p:t xmlns:ns_1="v" ns_1:a="1"/></p:s>"#,
        ),
        (
            r#"<ns_1:s xmlns:ns_1="u"><ns_1:t><xsl:attribute name="a" namespace="v">1</xsl:attribute></ns_1:t></ns_1:s>"#,
            r#"<ns_1:s xmlns:ns_1="u"><ns_1:t xmlns:ns_2="v" ns_2:a="1"/></ns_1:s>"#,
        ),
    ] {
        assert_eq!(result(&format!(r#"<xsl:template match="/">{body}</xsl:template>"#), "<r/>"), expected);
    }
}

#[test]
fn a_neighbour_that_takes_too_much_takes_it_from_nobody_else() {
    let greedy = r#"<xsl:template match="/"><xsl:call-template name="t"/></xsl:template><xsl:template name="t"><xsl:param name="s" select="'xxxxxxxx'"/><xsl:call-template name="t"><xsl:with-param name="s" select="concat($s, $s)"/></xsl:call-template></xsl:template>"#;
    let modest = r#"<xsl:template match="/"><x><xsl:value-of select="count(//a)"/></x></xsl:template>"#;
    let document = format!("<r>{}</r>", "<a/>".repeat(1000));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert!(result(greedy, "<a/>").contains("it makes too much"));
                }
            });
        }
        for _ in 0..50 {
            let sheet = Stylesheet::compile(sheet(modest).as_bytes()).expect(modest);
            let limits = Limits { memory: 1 << 20, ..Limits::default() };
            assert_eq!(
                sheet.transform(document.as_bytes(), &limits).map(|made| made.bytes),
                Ok(b"<x>1000</x>".to_vec())
            );
        }
    });
}
