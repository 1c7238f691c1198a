//! Tables of filters and events; the index must agree with asking every trigger.

use common::Event;

use super::{Filter, Index, read};
use crate::document::{Node, Problems};

fn event() -> Event {
    let mut event = Event::new("1", "/shop/berlin", "order.created").unwrap();
    event.set("subject", "42").unwrap();
    event.set("time", "2024-01-02T03:04:05Z").unwrap();
    event.set("dataschema", "http://schemas/order").unwrap();
    event.set("datacontenttype", "application/json; charset=utf-8").unwrap();
    event.set("region", "eu").unwrap();
    event
}

/// The filter, the number of problems and the number of warnings.
fn compile(text: &str) -> (Option<Filter>, Vec<String>, Vec<String>) {
    let mut problems = Problems::default();
    let mut warnings = Vec::new();
    let filter = read(&Node::parse(text).unwrap(), "f", &mut problems, &mut warnings);
    (filter, problems.0, warnings)
}

#[test]
fn dialects() {
    let table = [
        ("exact: {type: order.created}", true),
        ("exact: {type: order.created, region: eu}", true),
        ("exact: {type: order.created, region: us}", false),
        ("exact: {type: Order.created}", false),
        ("exact: {missing: x}", false),
        ("exact: {specversion: '1.0'}", true),
        ("exact: {time: '2024-01-02T03:04:05Z'}", true),
        ("exact: {schemaurl: http://schemas/order}", true),
        ("exact: {datamediatype: application/json}", true),
        ("exact: {subject: '42'}", true),
        ("prefix: {type: order.}", true),
        ("prefix: {type: created}", false),
        ("prefix: {missing: x}", false),
        ("suffix: {type: .created, source: berlin}", true),
        ("suffix: {source: paris}", false),
        ("all: [{exact: {region: eu}}, {prefix: {type: order}}]", true),
        ("all: [{exact: {region: eu}}, {prefix: {type: cart}}]", false),
        ("any: [{exact: {region: us}}, {prefix: {type: order}}]", true),
        ("any: [{exact: {region: us}}, {prefix: {type: cart}}]", false),
        ("not: {exact: {region: us}}", true),
        ("not: {exact: {region: eu}}", false),
        ("not: {exact: {missing: x}}", true),
        ("not: [{exact: {region: us}}]", true),
        ("not: [{exact: {region: us}}, {exact: {region: eu}}]", false),
        ("not: {not: {exact: {region: eu}}}", true),
        ("{prefix: {}, exact: {region: eu}, all: [], not: null, cesql: ''}", true),
        ("cesql: \"type = 'order.created' AND region = 'eu'\"", true),
        ("cesql: \"region = 'us'\"", false),
        ("cesql: \"EXISTS missing\"", false),
    ];
    for (text, passes) in table {
        let (filter, problems, warnings) = compile(text);
        assert_eq!((problems, warnings), (vec![], vec![]), "{text}");
        assert_eq!(filter.unwrap().passes(&event()), passes, "{text}");
    }
}

#[test]
fn empty_is_no_filter() {
    for text in ["{}", "{exact: {}, prefix: {}, suffix: null, all: [], any: [], not: null}", "null"] {
        let (filter, problems, warnings) = compile(text);
        assert!(filter.is_none() && problems.is_empty() && warnings.is_empty(), "{text}");
    }
}

#[test]
fn mistakes_are_named() {
    let table = [
        ("regex: {type: x}", "f: unknown dialect 'regex': it must be one of"),
        ("exact: {type: ''}", "f.exact.type: the value is empty"),
        ("exact: {type: null}", "f.exact.type: the value is empty"),
        ("exact: {type: 5}", "f.exact.type: expected text, found a number: put it in quotes"),
        ("exact: {Type: x}", "f.exact.Type: not an attribute name"),
        ("exact: type", "f.exact: expected an object, found text"),
        ("all: {exact: {type: x}}", "f.all: expected a list, found an object"),
        ("any: [{}]", "f.any[0]: the filter is empty"),
        ("not: [{all: []}]", "f.not[0]: the filter is empty"),
        ("not: {exact: {type: [x]}}", "f.not.exact.type: expected text, found a list"),
        ("cesql: \"type = \"", "f.cesql: "),
        ("cesql: [x]", "f.cesql: expected text, found a list"),
        ("text", "f: expected an object, found text"),
    ];
    for (text, problem) in table {
        let (filter, problems, _) = compile(text);
        assert!(filter.is_none(), "{text}");
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(problem), "{text}: {problems:?}");
    }
    let deep = format!("{}{{exact: {{type: x}}}}{}", "{not: ".repeat(60), "}".repeat(60));
    assert!(compile(&deep).1[0].contains("nested deeper"));
}

#[test]
fn the_first_dialect_counts_and_says_so() {
    let (filter, problems, warnings) = compile("{any: [{exact: {region: us}}], prefix: {type: order}}");
    assert!(problems.is_empty());
    assert!(filter.unwrap().passes(&event()));
    assert_eq!(warnings, ["f: only 'prefix' counts, 'any' beside it is ignored"]);
    assert_eq!(compile("{exact: {type: x}, regex: y}").2.len(), 1);
}

#[test]
fn index_agrees_with_asking_every_trigger() {
    let texts = [
        "exact: {type: order.created}",
        "exact: {type: order.created, region: us}",
        "exact: {region: eu}",
        "prefix: {type: order}",
        "any: [{exact: {type: a}}, {exact: {region: eu}}]",
        "any: [{exact: {type: order.created}}, {exact: {region: eu}}]",
        "any: [{exact: {type: a}}, {prefix: {region: e}}]",
        "all: [{exact: {type: order.created}}, {exact: {region: us}}]",
        "all: [{suffix: {type: d}}, {exact: {region: eu}}]",
        "not: {exact: {region: us}}",
        "exact: {schemaurl: http://schemas/order}",
        "{}",
    ];
    let filters = || texts.iter().map(|text| Vec::from_iter(compile(text).0)).collect::<Vec<_>>();
    let index = Index::new(filters());
    let mut other = Event::new("2", "/", "a").unwrap();
    other.set("region", "us").unwrap();
    for event in [event(), other, Event::new("3", "/", "zzz").unwrap()] {
        let asked: Vec<u32> = (0..)
            .zip(filters())
            .filter(|(_, filters)| filters.iter().all(|filter| filter.passes(&event)))
            .map(|(position, _)| position)
            .collect();
        assert_eq!(index.select(&event).to_vec(), asked);
    }
}

#[test]
fn index_divides_by_what_is_rare() {
    let filters = (0..1000)
        .map(|n| Vec::from_iter(compile(&format!("exact: {{type: order.created, region: r{n}}}")).0))
        .collect();
    let index = Index::new(filters);
    assert!(index.scan.is_empty());
    assert_eq!(index.tables.len(), 1);
    assert_eq!((index.tables[0].0.as_str(), index.tables[0].1.len()), ("region", 1000));
}
