//! The reader: what objects mean, and every mistake at its place.

use std::collections::BTreeMap;

use super::{Mistake, Severity, read};
use crate::bridge::{Bridge, Component, Destination, Setting};
use crate::catalogue::Catalogue;

const CATALOGUE: &str = include_str!("../../tests/fixtures/catalogue.json");

fn with_environment(text: &str, environment: &[(&str, &str)]) -> Result<Bridge, Vec<Mistake>> {
    let catalogue = Catalogue::parse(CATALOGUE).unwrap();
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
    let reading = read(text, &catalogue, &lookup);
    reading.bridge.ok_or(reading.mistakes)
}

fn bridge(text: &str) -> Bridge {
    with_environment(text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = with_environment(text, &[]).expect_err("there are mistakes in it");
    mistakes.iter().map(|mistake| mistake.render("b.yaml")).collect()
}

/// The environment of a component, secrets marked, addresses as `Kind/name` with the path.
fn environment(component: &Component) -> BTreeMap<&str, String> {
    let show = |setting: &Setting| match setting {
        Setting::Text(text) => text.clone(),
        Setting::Secret(secret) => format!("secret:{}", secret.text.clone().unwrap_or_default()),
        Setting::SecretFile(secret) => format!("file:{}", secret.text.clone().unwrap_or_default()),
        Setting::Address(Destination::Url(url)) => url.clone(),
        Setting::Address(Destination::Component { id, path }) => format!("{}/{}{path}", id.kind, id.name),
        Setting::Address(Destination::Outside(object)) => format!("{} outside", object.id),
    };
    component.environment.iter().map(|(name, setting)| (name.as_str(), show(setting))).collect()
}

fn expect_environment(text: &str, expected: &[(&str, &str)]) {
    let bridge = bridge(text);
    let expected: BTreeMap<&str, String> = expected.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    assert_eq!(environment(&bridge.components[0]), expected);
}

#[test]
fn a_webhook_source_as_the_old_controller_made_it() {
    expect_environment(
        include_str!("../../tests/fixtures/webhook.yaml"),
        &[
            ("K_COMPONENT", "webhooksource"),
            ("K_SINK", "http://event-display.demo.svc.cluster.local"),
            ("NAME", "sample"),
            ("NAMESPACE", "demo"),
            ("WEBHOOK_EVENT_SOURCE", "demo.sample"),
            ("WEBHOOK_EVENT_TYPE", "com.example.mysample.event"),
        ],
    );
}

#[test]
fn an_http_target_as_the_old_controller_made_it() {
    expect_environment(
        include_str!("../../tests/fixtures/http.yaml"),
        &[
            ("HTTP_EVENT_SOURCE", "io.triggermesh.httptarget.demo.sample"),
            ("HTTP_EVENT_TYPE", "com.example.response"),
            ("HTTP_METHOD", "GET"),
            ("HTTP_SKIP_VERIFY", "false"),
            ("HTTP_URL", "https://example.com/api?x=1"),
            ("K_COMPONENT", "httptarget"),
            ("NAME", "sample"),
            ("NAMESPACE", "demo"),
        ],
    );
}

#[test]
fn every_rule() {
    let text = include_str!("../../tests/fixtures/rules.yaml");
    let bridge = with_environment(text, &[("OUTSIDE_CA_CRT", "from outside")]).unwrap();
    let http = environment(&bridge.components[0]);
    assert_eq!(http["HTTP_HEADERS"], "a:1,a-b:true,z:text", "sorted by key, scalars in JSON form");
    assert_eq!(http["HTTP_CA_CERTIFICATE"], "file:from outside");
    assert_eq!(http["HTTP_SKIP_VERIFY"], "true");
    assert_eq!(http["LOG_LEVEL"], "secret:debug", "an override, which may be anything");
    assert_eq!(http["HTTP_METHOD"], "POST", "the spec wins over an override");
    let hook = environment(&bridge.components[1]);
    assert_eq!(hook["WEBHOOK_EVENT_EXTENSION_ATTRIBUTES_FROM"], "method,path");
    assert_eq!(hook["WEBHOOK_BASICAUTH_PASSWORD"], "secret:p:w");
    assert_eq!(hook["K_SINK"], "MemoryBroker/b/in");
    assert_eq!(hook["K_CE_OVERRIDES"], r#"{"extensions":{"team":"a"}}"#);
    let source = environment(&bridge.components[2]);
    assert_eq!(
        source["CLOUDEVENTS_BASICAUTH_CREDENTIALS"],
        r#"secret:[{"password":{"value":"x"},"username":"u"},{"password":{"value":"p:w"},"username":"v"}]"#
    );
    assert_eq!(source["CLOUDEVENTS_RATELIMITER_RPS"], "7");
    let broker = &bridge.components[3];
    assert_eq!(environment(broker)["MEMORY_BUFFER_SIZE"], "500");
    assert_eq!(broker.label, "b");
    assert!(!format!("{bridge:?}").contains("p:w"), "a secret in the debug form");
}

#[test]
fn triggers_go_to_their_broker() {
    let bridge = bridge(include_str!("../../tests/fixtures/triggers.yaml"));
    let broker = bridge.components.iter().find(|component| component.id.name == "b").unwrap();
    let trigger = &broker.triggers[0];
    let expected = serde_json::json!([
        {"exact": {"type": "a"}},
        {"any": [{"prefix": {"type": "b"}}, {"not": {"suffix": {"type": "c"}}}, {"not": [{"exact": {"x": "y"}}]}]},
        {"cesql": "type = 'a'"},
    ]);
    assert_eq!(trigger.filters, expected);
    assert_eq!(
        serde_json::Value::from(trigger.delivery.clone()),
        serde_json::json!({"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.5S"})
    );
    assert_eq!(trigger.dead_letter, Some(Destination::Url("http://127.0.0.1:1/dead".to_owned())));
    assert!(matches!(&trigger.target, Some(Destination::Component { id, .. }) if id.name == "t"));
    assert_eq!(bridge.components.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(), ["b", "t", "http"]);
}

#[test]
fn equal_names_are_told_apart() {
    let bridge = bridge(include_str!("../../tests/fixtures/labels.yaml"));
    let labels: Vec<&str> = bridge.components.iter().map(|component| component.label.as_str()).collect();
    assert_eq!(labels, ["one/memorybroker/a", "two/memorybroker/a", "cloudeventstarget/a", "c"]);
}

#[test]
fn the_label_of_a_bridge_reaches_the_adapter() {
    let text = "{apiVersion: eventing.triggermesh.io/v1alpha1, kind: MemoryBroker, \
                metadata: {name: a, labels: {bridges.triggermesh.io/id: b}, annotations: {x: y}}, spec: {broker: {port: 81}}}";
    let component = &bridge(text).components[0];
    assert_eq!(environment(component)["EVENTS_BRIDGE_IDENTIFIER"], "b");
    assert_eq!(component.cluster.annotations["x"], "y");
    assert_eq!(component.cluster.fields["broker.port"], 81);
}

/// Each file of mistakes says in comments what is expected: `# => LINE:COL: message`, in order. What stands for `…` at the
/// end of a message is worded by the brokers.
#[test]
fn mistakes_are_all_named_at_their_place() {
    let files = [
        include_str!("../../tests/fixtures/mistakes-objects.yaml"),
        include_str!("../../tests/fixtures/mistakes-spec.yaml"),
        include_str!("../../tests/fixtures/mistakes-references.yaml"),
        include_str!("../../tests/fixtures/mistakes-triggers.yaml"),
        include_str!("../../tests/fixtures/mistakes-transformations.yaml"),
        include_str!("../../tests/fixtures/mistakes-secrets.yaml"),
        include_str!("../../tests/fixtures/mistakes-cycles.yaml"),
    ];
    files.iter().for_each(|text| expect_mistakes(text));
}

/// With what the adapters themselves say of their kinds.
#[test]
fn mistakes_in_conditions_and_paths_are_named_at_their_place() {
    let text = include_str!("../../tests/fixtures/mistakes-routing.yaml");
    let catalogue = Catalogue::parse(crate::catalogue::EMBEDDED).unwrap();
    let found = read(text, &catalogue, &|_| None).mistakes;
    expect(text, found.iter().map(|mistake| mistake.render("b.yaml")).collect());
}

#[test]
fn mistakes_in_queries_are_named_at_their_place() {
    let text = include_str!("../../tests/fixtures/mistakes-jq.yaml");
    let catalogue = Catalogue::parse(crate::catalogue::EMBEDDED).unwrap();
    let found = read(text, &catalogue, &|_| None).mistakes;
    expect(text, found.iter().map(|mistake| mistake.render("b.yaml")).collect());
}

/// A broker that keeps its events has triggers that begin in the past.
#[test]
fn bounds_are_for_brokers_that_keep_events() {
    let text = include_str!("../../tests/fixtures/mistakes-bounds.yaml");
    let catalogue = Catalogue::parse(crate::catalogue::EMBEDDED).unwrap();
    let found = read(text, &catalogue, &|_| None).mistakes;
    expect(text, found.iter().map(|mistake| mistake.render("b.yaml")).collect());
    let good: String = text.split_inclusive("---\n").take(2).collect();
    let good = good.replace("    streem: orders\n", "").replace("many", "3");
    let bridge = read(&good, &catalogue, &|_| None).bridge.unwrap();
    let document = bridge.components[0].document(&|_| String::new());
    let document = broker::document::Document::parse(&document).unwrap();
    let bounds = document.triggers[0].bounds.as_ref().unwrap();
    assert_eq!(bounds.by_id.start.as_deref(), Some("0"));
    assert!(bounds.by_date.end.is_some());
    assert_eq!(bridge.components[0].environment["REDIS_STREAM"].text(), Some("default.b"));
}

/// What is wrong with stylesheets and synchronizers, and what is right.
#[test]
fn mistakes_in_stylesheets_are_named_at_their_place() {
    let text = include_str!("../../tests/fixtures/mistakes-stylesheets.yaml");
    let catalogue = Catalogue::parse(crate::catalogue::EMBEDDED).unwrap();
    let found = read(text, &catalogue, &|_| None).mistakes;
    expect(text, found.iter().map(|mistake| mistake.render("b.yaml")).collect());
}

fn expect_mistakes(text: &str) {
    expect(text, mistakes(text));
}

fn expect(text: &str, found: Vec<String>) {
    let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# => ")).collect();
    let matches = |(found, expected): (&String, &&str)| match expected.strip_suffix('…') {
        Some(start) => found.starts_with(&format!("b.yaml:{start}")),
        None => *found == format!("b.yaml:{expected}"),
    };
    let all = found.len() == expected.len() && found.iter().zip(&expected).all(matches);
    assert!(all, "found:\n{}\nexpected:\n{}", found.join("\n"), expected.join("\n"));
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let text = include_str!("../../tests/fixtures/mistakes-secrets.yaml");
    assert!(mistakes(text).iter().all(|mistake| !mistake.contains("hunter2")));
}

#[test]
fn what_is_not_yaml_hides_nothing_of_the_other_documents() {
    let files = [
        include_str!("../../tests/fixtures/mistakes-yaml.yaml"),
        include_str!("../../tests/fixtures/mistakes-repeated.yaml"),
    ];
    files.iter().for_each(|text| expect_mistakes(text));
    assert_eq!(mistakes("a: [1\nb: 2\n").len(), 1);
    assert_eq!(mistakes(""), ["b.yaml: there are no objects in it"]);
    assert_eq!(mistakes("---\n---\n"), ["b.yaml: there are no objects in it"]);
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert_eq!(mistakes(&deep).len(), 1);
    }
    let aliases: String = (0..30).map(|n| format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)).collect();
    assert!(mistakes(&format!("a0: &a0 [x]\n{aliases}"))[0].contains("aliases that stand for more"));
}

#[test]
fn warnings_are_no_mistakes() {
    let catalogue = Catalogue::parse(CATALOGUE).unwrap();
    let text = include_str!("../../tests/fixtures/warnings.yaml");
    let reading = read(text, &catalogue, &|_| None);
    assert!(reading.bridge.is_some() && reading.mistakes.iter().all(|m| m.severity == Severity::Warning));
    expect(text, reading.mistakes.iter().map(|mistake| mistake.render("b.yaml")).collect());
    let filters = &reading.bridge.unwrap().components[0].triggers[0].filters;
    assert_eq!(filters[0], serde_json::json!({"exact": {"type": "a"}}), "the one the brokers take");
}

#[test]
fn what_a_mistake_repeats_stays_in_its_line() {
    let found = mistakes("{apiVersion: v1, kind: \"\\e[31mX\\nY\", metadata: {name: x}}");
    assert!(found[0].contains(r"'\u{1b}[31mX\u{a}Y'"), "{found:?}");
}

#[test]
fn broken_texts_are_mistakes_and_never_a_panic() {
    let text = include_str!("../../tests/fixtures/rules.yaml");
    for (at, c) in text.char_indices().step_by(13) {
        let _ = with_environment(&text[..at], &[]);
        let without = [&text[..at], &text[at + c.len_utf8()..]].concat();
        let _ = with_environment(&without, &[]);
        for odd in ["\u{0}", "\t", "&a *a", "!x ", "{", "- ", "? ", "| ", "\"", "é", "<<: *a\n", "%"] {
            let _ = with_environment(&[&text[..at], odd, &text[at..]].concat(), &[]);
        }
    }
}
