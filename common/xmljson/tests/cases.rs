//! What becomes of documents: the table of the contract, the rules of the mapping, and what is refused.

use xmljson::{MAX_DEPTH, convert};

fn text(xml: impl AsRef<[u8]>) -> String {
    match convert(xml.as_ref()) {
        Ok(json) => String::from_utf8(json).expect("UTF-8"),
        Err(invalid) => invalid.to_string(),
    }
}

#[test]
fn documents_become_json() {
    for (xml, json) in [
        ("<note><to>Tove</to></note>", r#"{"note": {"to": "Tove"}}"#),
        // Only the last piece of text is kept, and markup of any kind divides pieces.
        ("<p>one <b>two</b> three</p>", r##"{"p": {"#content": "three", "b": "two"}}"##),
        ("<p>one<b>two</b></p>", r##"{"p": {"#content": "one", "b": "two"}}"##),
        ("<p>one<b>two</b>\n</p>", r#"{"p": {"b": "two"}}"#),
        ("<a>x<![CDATA[y]]>z</a>", r#"{"a": "z"}"#),
        ("<a>x<![CDATA[y < z]]></a>", r#"{"a": "y \u003c z"}"#),
        ("<a>x<!-- c -->y</a>", r#"{"a": "y"}"#),
        ("<a>x<?p i?>y</a>", r#"{"a": "y"}"#),
        ("<a>x &amp; y &#x41;&#66;&lt;&gt;&apos;&quot;</a>", r#"{"a": "x \u0026 y AB\u003c\u003e'\""}"#),
        // Attributes, names without prefixes, lists.
        (r#"<a b="1" n:c='2'/>"#, r#"{"a": {"-b": "1", "-c": "2"}}"#),
        (r#"<n:a xmlns:n="u" xmlns="v">t</n:a>"#, r##"{"a": {"#content": "t", "-n": "u", "-xmlns": "v"}}"##),
        ("<l><i>1</i><j/><i>2</i><i>3</i></l>", r#"{"l": {"i": ["1", "2", "3"], "j": ""}}"#),
        (r#"<l><i k="1"/><i>2</i></l>"#, r#"{"l": {"i": [{"-k": "1"}, "2"]}}"#),
        (r#"<a b="1" b="2"/>"#, r#"{"a": {"-b": ["1", "2"]}}"#),
        ("<a b=\" x \r\n y&#10;\"/>", r#"{"a": {"-b": " x \n y\n"}}"#),
        ("<a/>", r#"{"a": ""}"#),
        // Scalars are strings, without what cannot be seen at their ends.
        ("<a>\r\n 1.50 \u{a0}\u{200b}</a>", r#"{"a": "1.50"}"#),
        ("<a>x\r\ny\rz</a>", r#"{"a": "x\ny\nz"}"#),
        // Several roots, and text around them.
        ("<a>1</a><b>2</b><a>3</a>", r#"{"a": ["1", "3"], "b": "2"}"#),
        ("before <a>1</a>", r##"{"#content": "before", "a": "1"}"##),
        ("before <a>1</a>\n", r#"{"a": "1"}"#),
        ("<a>1</a> behind", r##"{"#content": "behind", "a": "1"}"##),
        ("\u{feff}<a>1</a>", r#"{"a": "1"}"#),
        // What comes behind the first element is kept up to a mistake.
        ("<a>1</a><b>2</c>", r#"{"a": "1"}"#),
        ("<a>1</a><b>", r#"{"a": "1"}"#),
        ("<a>1</a> & ", r#"{"a": "1"}"#),
        ("<a>1</a></b>", r#"{"a": "1"}"#),
        // Declarations; what a document type says is passed over.
        ("<?xml version=\"1.0\"?><a/>", r#"{"a": ""}"#),
        ("<?xml version='1.0' encoding='Utf-8' standalone='yes'?>\n<a/>", r#"{"a": ""}"#),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a>1</a>", r#"{"a": "1"}"#),
        ("<!DOCTYPE a [<!ENTITY x \"y\"><!ELEMENT a ANY>]><a>1</a>", r#"{"a": "1"}"#),
        ("<é>ü</é>", r#"{"é": "ü"}"#),
    ] {
        assert_eq!(text(xml), format!("{json}\n"), "{xml}");
    }
    assert_eq!(text(b"<a>1</a> \xff"), "{\"a\": \"1\"}\n");
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for xml in [
        "",
        "text",
        "{\"a\": 1}",
        "<a>",
        "<a></b>",
        "<a><b></a></b>",
        "</a>",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"<\"></a>",
        "<a b=\"&x;\"/>",
        "<a>&nbsp;</a>",
        "<a>& b</a>",
        "<a>&#0;</a>",
        "<a>&#x1F;</a>",
        "<a b='&#x1F;'/>",
        "<a>&#xD800;</a>",
        "<a>]]></a>",
        "<a>\u{1}</a>",
        "<a><!-- -- --></a>",
        "<a><!-- </a>",
        "<a><![CDATA[</a>",
        "<1/>",
        "<a:b:c/>",
        "<a -b='1'/>",
        "<?xml version=\"1.1\"?><a/>",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
    ] {
        let text = text(xml);
        assert!(text.starts_with("invalid XML: "), "{xml}: {text}");
    }
    assert!(text(b"<a>\xff</a>").starts_with("invalid XML: a byte that no XML has"));
    // What is repeated of the document stays on one line, and short.
    assert!(text("<a></\r\n>").contains(r"</\r\n>"), "{}", text("<a></\r\n>"));
    assert!(text(format!("<a></{}>", "b".repeat(5000))).len() < 300);
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(text(utf16).starts_with("invalid XML: "));
}

#[test]
fn nothing_grows_and_nothing_is_fetched() {
    let mut laughs = "<!DOCTYPE l [<!ENTITY a0 \"ha\">".to_owned();
    for n in 1..20 {
        laughs.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    for (declared, used) in [
        (laughs.as_str(), "&a19;"),
        ("<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">", "&x;"),
        ("<!DOCTYPE l [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;", "&x;"),
        ("<!DOCTYPE l [<!ENTITY x \"&x;\">", "&x;"),
    ] {
        for element in [format!("<l>{used}</l>"), format!("<l a=\"{used}\"/>")] {
            let text = text(format!("{declared}]>{element}"));
            assert!(text.starts_with("invalid XML: ") && text.len() < 200, "{text}");
        }
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |levels: usize| format!("{}x{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert!(text(deep(MAX_DEPTH)).starts_with("{\"a\": {\"a\": "));
    for levels in [MAX_DEPTH + 1, 300_000] {
        assert!(text(deep(levels)).contains("more than 1000 elements within one another"));
    }
    assert!(text("<a>".repeat(300_000)).starts_with("invalid XML: more than"));
}

#[test]
fn what_is_large_is_taken_in_time() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}='{n}'")).collect();
    assert!(text(format!("<a{attributes}/>")).len() > 1_000_000);
    let value = "x".repeat(4 << 20);
    assert_eq!(text(format!("<a b='{value}'/>")).len(), value.len() + 18);
    assert_eq!(text("<a/>".repeat(200_000)).matches("\"\"").count(), 200_000);
    let references = "&lt;".repeat(300_000);
    assert_eq!(text(format!("<a>{references}</a>")).matches("\\u003c").count(), 300_000);
}
