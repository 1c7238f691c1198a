//! Every row of section 7 of the contract (`flow-routing.md`), and the paths of gjson.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;

use common::Event;
use routing::{
    CeContext, Path, Splitter, context,
    splitter::{Problem, Spec},
};

fn event(data: &str) -> Event {
    let mut event = Event::new("7", "/shop", "com.example.order").unwrap();
    event.set("subject", "4711").unwrap();
    event.set("region", "eu").unwrap();
    event.set("time", "2026-01-02T03:04:05Z").unwrap();
    event.set_data("application/json", data.to_owned()).unwrap();
    event
}

#[test]
fn paths_are_those_of_gjson() {
    let data = r#"{
        "name": {"first": "Tom", "last": "Anderson"}, "age": 37, "children": ["Sara", "Alex", "Jack"],
        "fav.movie": "Deer Hunter", "friends": [
            {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"]},
            {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"]},
            {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"]}
        ], "twice": {"a": 1}, "twice": {"b": 2}, "1": "one"}"#;
    for (path, expected) in [
        ("name.last", r#""Anderson""#),
        ("age", "37"),
        ("children", r#"["Sara", "Alex", "Jack"]"#),
        ("children.#", "3"),
        ("children.1", r#""Alex""#),
        ("child*.2", r#""Jack""#),
        ("c?ildren.0", r#""Sara""#),
        (r"fav\.movie", r#""Deer Hunter""#),
        ("friends.#.first", r#"["Dale","Roger","Jane"]"#),
        ("friends.1.last", r#""Craig""#),
        (r#"friends.#(last=="Murphy").first"#, r#""Dale""#),
        (r#"friends.#(last=="Murphy")#.first"#, r#"["Dale","Jane"]"#),
        ("friends.#(age>45)#.last", r#"["Craig","Murphy"]"#),
        (r#"friends.#(first%"D*").last"#, r#""Murphy""#),
        (r#"friends.#(first!%"D*").last"#, r#""Craig""#),
        (r#"friends.#(nets.#(=="fb"))#.first"#, r#"["Dale","Roger"]"#),
        ("friends.#(nets.0)#.nets.0", r#"["ig","fb","ig"]"#),
        ("friends.#.nets.#", "[3,2,2]"),
        ("friends.#.first|#", "3"),
        ("friends.#.first|1", r#""Roger""#),
        ("friends.#(age>100)#", "[]"),
        ("children|@this|0", r#""Sara""#),
        ("@this.age", "37"),
        ("1", r#""one""#),
        ("twice.b", "2"),
        ("friends.#.missing", "[]"),
    ] {
        let path: Path = path.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(
            path.find(data).unwrap().map(|found| found.text().into_owned()).as_deref(),
            Some(expected),
            "{path:?}"
        );
    }
    for path in
        ["nothing", "age.x", "children.3", "children.x", "name.first.x", "friends.#(age>100).last", "name.#"]
    {
        assert_eq!(path.parse::<Path>().unwrap().find(data).unwrap(), None, "{path}");
    }
    for (path, character) in
        [("a.@sort", 2), ("..a", 0), ("{a,b}", 0), ("a.[b]", 2), ("!1", 0), ("a.#(b", 2), ("a.#(b)c", 6)]
    {
        assert_eq!(path.parse::<Path>().unwrap_err().character, character, "{path}");
    }
}

fn splitter(path: &str) -> Splitter {
    let extensions = BTreeMap::from([("part".to_owned(), "item".to_owned())]);
    let context = CeContext { event_type: "foo.bar.type", source: "splitter", extensions: &extensions };
    Splitter::new(&Spec { path, context, numbered: false }).unwrap()
}

#[test]
fn splitting() {
    for (path, data, expected) in [
        ("items", r#"{"items": [1]}"#, &["1"][..]),
        ("items", r#"{"items": [1, "two"]}"#, &["1", r#""two""#]),
        ("items", r#"{"items": [{"a": 1.0}, [2 ], null]}"#, &[r#"{"a": 1.0}"#, "[2 ]", "null"]),
        ("items", r#"{"items": "scalar"}"#, &[r#""scalar""#]),
        ("items", r#"{"items": {"a": 1}}"#, &[r#"{"a": 1}"#]),
        ("items", r#"{"items": null}"#, &["null"]),
        ("items", r#"{"items": []}"#, &[]),
        ("items", "{}", &[]),
        ("items", "7", &[]),
        ("", "[1, 2]", &["1", "2"]),
        ("@this", " [1, 2] ", &["1", "2"]),
        ("", r#"{"a": 1}"#, &[r#"{"a": 1}"#]),
        ("a.b.0", r#"{"a": {"b": [[1, 2], 3]}}"#, &["1", "2"]),
        (
            "friends.#.first",
            r#"{"friends": [{"first": "A"}, {"last": "B"}, {"first": "C"}]}"#,
            &[r#""A""#, r#""C""#],
        ),
        ("friends.#(age>1)#", r#"{"friends": [{"age": 1}, {"age": 2}]}"#, &[r#"{"age": 2}"#]),
    ] {
        let splitter = splitter(path);
        let event = event(data);
        let parts: Vec<Event> = splitter.split(&event).unwrap().map(Result::unwrap).collect();
        let found: Vec<&[u8]> = parts.iter().map(|part| &**part.data().unwrap()).collect();
        let expected: Vec<&[u8]> = expected.iter().map(|part| part.as_bytes()).collect();
        assert_eq!(found, expected, "{path} of {data}");
        for (number, part) in parts.iter().enumerate() {
            let attributes: Vec<(&str, &str)> =
                part.attributes().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(
                attributes,
                [
                    ("id", format!("7-{number}").as_str()),
                    ("source", "splitter"),
                    ("type", "foo.bar.type"),
                    ("part", "item"),
                    ("datacontenttype", "application/json"),
                ],
                "no time, no subject, none of the original's extensions"
            );
        }
    }
    let refused = splitter("items").with_max_parts(2).split(&event(r#"{"items": [1, 2, 3]}"#)).unwrap_err();
    assert_eq!(refused.to_string(), "the event has 3 parts, more than 2");
    assert_eq!(splitter("items").split(&event("{")).unwrap_err().to_string(), "the data is no JSON");
    let none = Event::new("1", "/s", "t").unwrap();
    assert_eq!(splitter("").split(&none).unwrap().len(), 0, "there is nothing to split");
}

#[test]
fn mistakes_of_a_splitter() {
    let extensions =
        BTreeMap::from([("subject".to_owned(), "x".to_owned()), ("PART".to_owned(), "y".to_owned())]);
    let context = CeContext { event_type: "", source: "", extensions: &extensions };
    let problems = Splitter::new(&Spec { path: "a.@keys", context, numbered: false }).unwrap_err();
    use context::Problem::{Extension, Source, Type};
    assert!(matches!(
        problems.as_slice(),
        [
            Problem::Path(mistake),
            Problem::Context(Type(_)),
            Problem::Context(Source(_)),
            Problem::Context(Extension(name, _)),
        ] if mistake.position.column == 3 && name == "subject"
    ));
}

#[test]
fn numbered_parts_say_which_they_are() {
    let extensions = BTreeMap::from([("SplitCount".to_owned(), "1".to_owned())]);
    let none = BTreeMap::new();
    let context = CeContext { event_type: "part", source: "/splitter", extensions: &none };
    let spec = Spec { path: "items", context, numbered: true };
    let event = event(r#"{"items": [1, 2]}"#);
    let parts: Vec<Event> =
        Splitter::new(&spec).unwrap().split(&event).unwrap().map(Result::unwrap).collect();
    for (number, part) in parts.iter().enumerate() {
        let number = number.to_string();
        for (name, value) in
            [("splitid", "7"), ("splitsource", event.source()), ("splitindex", &number), ("splitcount", "2")]
        {
            assert_eq!(part.get(name), Some(value), "{name}");
        }
    }
    let clash = Spec { context: CeContext { extensions: &extensions, ..context }, ..spec };
    let problems = Splitter::new(&clash).unwrap_err();
    assert!(
        matches!(&problems[..], [Problem::Context(context::Problem::Extension(name, _))] if name == "SplitCount"),
        "{problems:?}"
    );
}
