//! What wants to read, to write, or never to end.

mod refused;

use refused::{failure, sheet};
use xslt::{Failure, Limits, Stylesheet};

fn mistake(text: &str) -> String {
    Stylesheet::compile(text.as_bytes()).map(drop).expect_err(text).to_string()
}

#[test]
fn nothing_is_read_from_outside() {
    for element in ["import", "include"] {
        let text = sheet(&format!(r#"<xsl:{element} href="file:///etc/passwd"/>"#));
        assert!(
            mistake(&text).ends_with("cannot be used: nothing is read from outside"),
            "{}",
            mistake(&text)
        );
    }
    for address in ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/", "x.xml"] {
        let body = format!(
            r#"<xsl:template match="/"><xsl:copy-of select="document('{address}')"/></xsl:template>"#
        );
        assert!(failure(&body, "<a/>").to_string().contains("cannot read anything from outside"));
    }
    for entity in [r#"SYSTEM "file:///etc/passwd""#, r#"PUBLIC "x" "http://127.0.0.1:1/""#] {
        let document = format!("<!DOCTYPE a [<!ENTITY e {entity}>]><a>&e;</a>");
        let body = r#"<xsl:template match="/"><x><xsl:value-of select="a"/></x></xsl:template>"#;
        let sheet = Stylesheet::compile(sheet(body).as_bytes()).expect(body);
        let result = sheet.transform(document.as_bytes(), &Limits::default());
        assert!(matches!(result, Err(Failure::Document(_))), "{result:?}");
    }
}

#[test]
fn nothing_is_written() {
    let body = r#"<xsl:template match="/"><exsl:document href="/tmp/written-by-xslt"><a/></exsl:document></xsl:template>"#;
    assert!(mistake(&sheet(body)).ends_with("exsl:document is no instruction"), "{}", mistake(&sheet(body)));
    assert!(!std::path::Path::new("/tmp/written-by-xslt").exists());
}

#[test]
fn entity_bombs_are_refused() {
    let mut bomb = String::from("<!DOCTYPE a [<!ENTITY e0 \"ha\">");
    for level in 1..30 {
        let inner = format!("&e{};", level - 1).repeat(10);
        bomb.push_str(&format!("<!ENTITY e{level} \"{inner}\">"));
    }
    bomb.push_str("]><a>&e29;</a>");
    let quadratic =
        format!("<!DOCTYPE a [<!ENTITY e \"{}\">]><a>{}</a>", "x".repeat(100_000), "&e;".repeat(100_000));
    let circle = r#"<!DOCTYPE a [<!ENTITY e "&f;"><!ENTITY f "&e;">]><a>&e;</a>"#.to_owned();
    let body = r#"<xsl:template match="/"><xsl:value-of select="a"/></xsl:template>"#;
    for document in [bomb, quadratic, circle] {
        let failure = failure(body, &document);
        assert!(matches!(failure, Failure::Document(_) | Failure::Limit(_)), "{failure}");
    }
    let text = format!("<!DOCTYPE a [<!ENTITY e \"&e;\">]>{}", sheet("&e;"));
    assert!(!mistake(&text).is_empty());
}

#[test]
fn deep_documents_and_expressions_are_refused() {
    let body = r#"<xsl:template match="/"><xsl:copy-of select="."/></xsl:template>"#;
    for depth in [257, 1_000_000] {
        let document = "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(failure(body, &document).to_string().contains("nested more than 256 deep"));
        let unclosed = "<a b='>'>".repeat(depth);
        assert!(failure(body, &unclosed).to_string().contains("nested more than 256 deep"));
    }
    let select = "(".repeat(10_000) + "1" + &")".repeat(10_000);
    let text = sheet(&format!(r#"<xsl:template match="/"><xsl:value-of select="{select}"/></xsl:template>"#));
    assert!(mistake(&text).contains("nested too deeply"));
    let select = "1".to_owned() + &"[1]".repeat(10_000);
    let text = sheet(&format!(r#"<xsl:template match="/"><xsl:value-of select="{select}"/></xsl:template>"#));
    // A long one is none that is deep.
    assert!(Stylesheet::compile(text.as_bytes()).is_ok());
}

#[test]
fn endless_templates_are_given_up() {
    for body in [
        r#"<xsl:template match="/"><xsl:call-template name="a"/></xsl:template><xsl:template name="a"><xsl:call-template name="a"/></xsl:template>"#,
        r#"<xsl:template match="/"><xsl:apply-templates select="/"/></xsl:template>"#,
        r#"<xsl:template match="/"><xsl:call-template name="a"/></xsl:template><xsl:template name="a"><e><xsl:call-template name="a"/></e></xsl:template>"#,
        r#"<xsl:attribute-set name="a" use-attribute-sets="a"/><xsl:template match="/"><e xsl:use-attribute-sets="a"/></xsl:template>"#,
        r#"<xsl:variable name="a" select="$b"/><xsl:variable name="b" select="$a"/><xsl:template match="/"/>"#,
    ] {
        let failure = failure(body, "<a/>");
        assert!(matches!(failure, Failure::Limit(_) | Failure::Run { .. }), "{failure}");
    }
}

#[test]
fn what_grows_without_end_is_given_up() {
    let wide: String = (0..3000).map(|number| format!("<i>{number}</i>")).collect();
    let wide = format!("<a>{wide}</a>");
    for body in [
        // 2^40 letters.
        r#"<xsl:template match="/"><xsl:call-template name="a"><xsl:with-param name="s" select="'xx'"/><xsl:with-param name="n" select="40"/></xsl:call-template></xsl:template><xsl:template name="a"><xsl:param name="s"/><xsl:param name="n"/><xsl:choose><xsl:when test="$n"><xsl:call-template name="a"><xsl:with-param name="s" select="concat($s, $s)"/><xsl:with-param name="n" select="$n - 1"/></xsl:call-template></xsl:when><xsl:otherwise><xsl:value-of select="$s"/></xsl:otherwise></xsl:choose></xsl:template>"#,
        // 3000^3 elements.
        r#"<xsl:template match="/"><xsl:for-each select="//i"><xsl:for-each select="//i"><xsl:for-each select="//i"><x/></xsl:for-each></xsl:for-each></xsl:for-each></xsl:template>"#,
        // 3000^3 comparisons, and nothing made.
        r#"<xsl:template match="/"><xsl:if test="//i[//i[//i = 'x'] = 'y']"/></xsl:template>"#,
        r#"<xsl:template match="/"><xsl:value-of select="count(//i[preceding::i[following::i[. = 'x']]])"/></xsl:template>"#,
    ] {
        let failure = failure(body, &wide);
        assert!(matches!(failure, Failure::Limit(_)), "{failure}");
    }
}
