//! Documents as tmctl, the old controller and people write them, and what is wrong with others.

use std::time::Duration;

use super::{Bounds, Document, Span};
use crate::credentials::Credentials;
use crate::policy::{Backoff, Options};

#[test]
fn reads_what_tmctl_and_the_controller_write() {
    let document = Document::parse(
        r#"
ingest: {user: me, password: "1234"}
triggers:
  orders:
    filters:
    - exact: {type: order}
      prefix: {}
      suffix: null
      all: []
      any: []
      not: null
    - {}
    target:
      url: http://localhost:8081
      deliveryOptions:
        retry: 3
        backoffPolicy: linear
        backoffDelay: PT2S
        deadLetterURL: http://dls/x
    bounds: {byId: {start: "", end: ""}, byDate: null}
    someday: {unknown: true}
  audit:
    filters: null
    target: {url: ""}
    deliveryOptions: {concurrency: 4, orderBy: partitionkey, backoffPolicy: "", timeout: 5s}
  bare: {}
  nothing: null
later: 1
"#,
    )
    .unwrap();
    assert_eq!(document.warnings, Vec::<String>::new());
    assert_eq!(document.ingest, Some(Credentials::new("me", "1234")));
    let names: Vec<_> = document.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    assert_eq!(names, ["orders", "audit", "bare", "nothing"]);
    let orders = &document.triggers[0];
    assert_eq!(orders.filters.len(), 1);
    assert_eq!(
        orders.options,
        Options {
            url: Some("http://localhost:8081".into()),
            dead_letter_url: Some("http://dls/x".into()),
            retry: 3,
            backoff: Backoff::Linear,
            delay: Duration::from_secs(2),
            ..Options::default()
        }
    );
    assert_eq!(
        document.triggers[1].options,
        Options {
            concurrency: 4,
            order_by: Some("partitionkey".into()),
            timeout: Some(Duration::from_secs(5)),
            ..Options::default()
        }
    );
    assert_eq!(document.triggers[2].options, Options::default());
    assert!(document.triggers[3].filters.is_empty());
}

#[test]
fn json_is_good_too_and_the_new_place_wins() {
    let document = Document::parse(
        r#"{"triggers":{"t":{"target":{"url":"https://x/","deliveryOptions":{"retry":9}},"deliveryOptions":{"retry":1}}}}"#,
    )
    .unwrap();
    assert_eq!(document.triggers[0].options.retry, 1);
    for empty in ["{}", "", "null", "# nothing\n", "triggers: {}", "triggers:", "ingest: {}", "ingest: null"]
    {
        let document = Document::parse(empty).unwrap();
        assert!(document.triggers.is_empty() && document.ingest.is_none(), "{empty}");
    }
}

#[test]
fn every_mistake_is_named_by_trigger_and_field() {
    let broken = Document::parse(
        r#"
ingest: {password: hush}
triggers:
  a: {filters: [{exact: {type: x}}, {regexp: {type: x}}], target: {url: "ftp://x"}}
  b: {filters: {}, deliveryOptions: {retry: many}}
  c: {deliveryOptions: {retry: -1, backoffPolicy: fast, backoffDelay: soon, deadLetterURL: here, concurrency: 0, orderBy: A}}
  d: {bounds: {byId: {start: [1]}, byDate: {end: soon}, from: x}, target: [x], ephemeral: 1}
  e: {target: {url: "http://"}}
  f: 5
"#,
    )
    .unwrap_err();
    let expected = [
        "ingest.user: a password needs a user",
        "triggers.a.filters[1]: unknown dialect 'regexp'",
        "triggers.a.target.url: expected an absolute http or https URL",
        "triggers.b.filters: expected a list, found an object",
        "triggers.c.deliveryOptions.backoffPolicy: expected one of constant, linear, exponential",
        "triggers.c.deliveryOptions.orderBy: not an attribute name",
        "triggers.c.deliveryOptions.deadLetterURL: expected an absolute http or https URL",
        "triggers.c.deliveryOptions.retry: expected a whole number from 0 to 1000000",
        "triggers.c.deliveryOptions.backoffDelay: must be a duration",
        "triggers.c.deliveryOptions.concurrency: expected a whole number from 1 to 1000",
        "triggers.d.bounds.byId.start: expected text, found a list",
        "triggers.d.bounds.byDate.end: expected a time (RFC 3339)",
        "triggers.d.ephemeral: expected true or false",
        "triggers.d.target: expected an object, found a list",
        "triggers.e.target.url: expected an absolute http or https URL",
        "triggers.f: expected an object, found a number",
    ];
    assert_eq!(broken.0.len(), expected.len(), "{:#?}", broken.0);
    for (problem, expected) in broken.0.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem} | {expected}");
    }
}

#[test]
fn bounds_are_read_and_judged_by_the_broker() {
    let text = r#"
triggers:
  a: {bounds: {byId: {start: "1646995200000-0", end: 17}, byDate: null}}
  b: {bounds: {byDate: {start: "2022-03-11T10:40:00.5Z", end: ""}}, ephemeral: true}
  c: {bounds: {byId: {start: "", end: null}, byDate: {}}}
"#;
    let document = Document::parse(text).unwrap();
    let bounds: Vec<_> = document.triggers.iter().map(|trigger| trigger.bounds.clone()).collect();
    let by_id = Span { start: Some("1646995200000-0".to_owned()), end: Some("17".to_owned()) };
    let by_date = Span { start: Some(1_646_995_200_500), end: None };
    assert_eq!(bounds[0], Some(Bounds { by_id, by_date: Span::default() }));
    assert_eq!(bounds[1], Some(Bounds { by_id: Span::default(), by_date }));
    assert_eq!(bounds[2], None);
    assert!(document.triggers[1].ephemeral && !document.triggers[0].ephemeral);
    assert_eq!(document.check_bounds(|_| Ok(())), Ok(()));
    let broken = document.check_bounds(|_| Err("no".to_owned())).unwrap_err();
    assert_eq!(broken.0, ["triggers.a.bounds: no", "triggers.b.bounds: no"]);
}

#[test]
fn no_credential_in_any_message() {
    for text in [
        "ingest: {user: me, password: [hunter2]}",
        "ingest: {user: me, password: hunter2\ntriggers: {",
        "ingest: {user: me, password: hunter2}\n  x: y",
        "ingest: {user: 'a:hunter2', password: x}",
        "{\"ingest\": {\"user\": \"me\", \"password\": \"hunter2\" \"x\"}}",
    ] {
        let broken = Document::parse(text).unwrap_err();
        assert!(!broken.to_string().contains("hunter2"), "{broken}");
        assert!(!broken.to_string().is_empty());
    }
    let document = Document::parse("ingest: {user: me, password: hunter2}").unwrap();
    assert!(!format!("{document:?}").contains("hunter2"));
}

#[test]
fn hostile_documents_end_soon() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let before = format!("*a{}, ", n - 1).repeat(10);
        bomb.push_str(&format!("a{n}: &a{n} [{before}]\n"));
    }
    assert!(Document::parse(&bomb).is_err());
    assert!(Document::parse(&"[".repeat(100_000)).is_err());
    assert!(Document::parse(&"{\"a\":".repeat(100_000)).is_err());
    assert!(Document::parse("triggers: {a: {}, a: {}}").is_err());
    assert!(Document::parse("{\"triggers\": {\"a\": {}, \"a\": {}}}").is_err());
    assert!(Document::parse("triggers: {? [a] : {}}").is_err());
}
