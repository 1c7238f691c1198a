//! Queries that never end, or that make much of little, and input that is made to hurt: each ends within its bounds, and the
//! thread that evaluates can be one with little stack.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use common::Event;
use jq::{Bounds, Exceeded, Failure, Query};

/// Less than what queries have in production, so that all of them end soon.
const BOUNDS: Bounds = Bounds { time: Duration::from_millis(300), bytes: 32 << 20 };

/// Far beyond any bound, on a machine that is busy too.
const PATIENCE: Duration = Duration::from_secs(60);

/// One test at a time: bounds on memory are kept by a look at the process, which the others share.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(query: &str, data: impl Into<String>) -> Result<Vec<u8>, Failure> {
    within(BOUNDS, query, data)
}

fn within(bounds: Bounds, query: &str, data: impl Into<String>) -> Result<Vec<u8>, Failure> {
    let mut event = Event::new("7", "/orders", "com.example.order").expect("valid");
    event.set_data("application/json", data.into()).expect("valid");
    Arc::new(Query::new(query).expect("compiles")).run(&event, bounds)
}

/// Resident memory of this process at its highest, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or_default() << 10
}

#[test]
fn queries_that_never_end_are_ended() {
    let _alone = alone();
    let queries = [
        "[range(1e9)]",
        "[range(1e9)] | length",
        "range(infinite)",
        "last(range(1e12))",
        "[repeat(1)]",
        "repeat(.)",
        "def f: f; f",
        "def f: .+1 | f; f",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: {a: f}; f",
        "def f(g): f(g | g); f(.)",
        "def f(g): f(g); f(.)",
        "def f(g): g | f(g | . + 1); f(. + 1)",
        "def f: ., (f, f); [f]",
        "[recurse([.])]",
        "recurse([., .])",
        "[recurse(. + 1)]",
        "[limit(1e9; repeat(1))]",
        "until(false; .)",
        "[while(true; .)]",
        "last(repeat(.))",
        "reduce range(1e12) as $x (0; . + 1)",
        "foreach range(1e12) as $x (0; . + 1)",
        "reduce repeat(1) as $x (0; . + $x)",
        "label $out | repeat(.)",
        "first(range(1e12) | select(. < 0))",
        "[.[]?, repeat(1)]",
        "path(repeat(.))",
        "[paths(repeat(true))]",
        "(repeat(.)) = 1",
        "def f: (.a |= f); f",
        "\"x\" | until(length > 1e12; . + .)",
        "sort_by(range(1e12))",
        "[[1, 2][] | [repeat(1)]]",
        "[1, 2] | sort_by(repeat(1))",
        "[1, 2] | group_by(range(1e12))",
        "[1, 2] | min_by(repeat(1))",
        "[1, 2] | unique_by(repeat(1))",
        "any(repeat(false); .)",
        "all(repeat(true); .)",
        "isempty(repeat(empty))",
        "repeat(empty)",
        "limit(0; repeat(1)), limit(1; repeat(empty))",
        "try repeat(error) catch .",
        "def f: try error catch f; f",
        "def f: f?; f",
        "(repeat(1) | empty) // 1",
        "skip(1e12; repeat(1))",
        "[1] | IN(repeat(2))",
        "INDEX(repeat({a: 1}); .a)",
        "[splits(\"a\"), repeat(1)]",
        "combinations(1e9)",
        "[range(30) | [0, 1]] | [combinations]",
        "fromstream(repeat([[0], 1]))",
        "walk(repeat(.))",
        "[range(1e9) as $x | $x]",
        "ascii(repeat(1))?",
        "\"\\(repeat(1))\"",
        "{a: repeat(1)} | empty",
        "[.. | repeat(1)]",
        "def a: b; def b: a; a",
    ];
    for query in queries {
        let Ok(compiled) = Query::new(query) else { continue };
        let event = Event::new("7", "/orders", "com.example.order").expect("valid");
        let begun = Instant::now();
        let result = Arc::new(compiled).run(&event, BOUNDS);
        let spent = begun.elapsed();
        println!("{query}: {result:?} {spent:?} peak {} MB", peak() >> 20);
        assert!(spent < PATIENCE, "{query}: {spent:?}");
        if let Ok(json) = &result {
            assert!(json.len() < 100, "{query}");
        }
    }
    assert!(peak() < 600 << 20, "{} MB", peak() >> 20);
}

#[test]
fn much_out_of_little_is_refused() {
    let _alone = alone();
    for (query, data) in [
        ("reduce range(64) as $x (\"x\"; . + .)", "1"),
        ("reduce range(64) as $x ([1]; . + .)", "1"),
        ("\"x\" * 1e12", "1"),
        ("[range(100)] | map(. as $x | \"x\" * 1e6)", "1"),
        ("reduce range(64) as $x (10; . * .)", "1"),
        ("reduce range(100000) as $x (.; . * .)", "12345678901234567890"),
        ("reduce range(64) as $x (0; [., .]) | tojson", "1"),
        ("reduce range(64) as $x (0; [., .])", "1"),
        ("reduce range(64) as $x (0; {a: ., b: .}) | [..] | length", "1"),
        (
            "(reduce range(64) as $x (0; [., .])) as $a | (reduce range(64) as $x (0; [., .])) as $b | $a == $b",
            "1",
        ),
        ("(reduce range(64) as $x (0; [., .])) as $a | [$a, 1] | sort, unique, (. - [$a]), index([$a])", "1"),
        ("(reduce range(64) as $x (0; {a: ., b: .})) as $a | $a * $a | contains($a)", "1"),
        ("reduce range(64) as $x (0; [., .]) | error", "1"),
        ("reduce range(64) as $x (0; [., .]) | \"\\(.)\" | length", "1"),
        ("reduce range(100000) as $x (0; [.])", "1"),
        ("reduce range(100000) as $x (null; {a: .})", "1"),
        ("reduce range(100000) as $x (\"[]\"; \"[\" + . + \"]\") | fromjson", "1"),
        ("[limit(100000; repeat(\"[\"))] | add | fromjson", "1"),
        ("[range(1000)] | [combinations(5)]?, [.[] as $a | .[] as $b | .[] as $c | [$a, $b, $c]]", "1"),
        (".[1e15] = 1", "[]"),
        (".[10000000] = 1", "[]"),
        ("[range(1000000)] | implode", "1"),
        ("[splits(\"\")]", "1"),
        ("\"a\" * 100000 | gsub(\"\"; \"b\" * 10000)", "1"),
        ("\"a\" * 100000 | [match(\"a*?\"; \"g\")] | length", "1"),
        ("@json \"\\(reduce range(40) as $x ([]; [., .]))\"", "1"),
        ("[range(200000)] | map([range(1000)])", "1"),
        ("reduce range(200000) as $x ({}; .[$x | tostring] = [range(1000)])", "1"),
        ("[recurse(if . < 1e7 then . + 1 else empty end)]", "1"),
        ("path(.. | repeat(.))", "[1]"),
        ("\"%\" + \"0\" * 1000 + \"d\" as $f | now | strftime($f * 100000)", "1"),
    ] {
        let begun = Instant::now();
        let result = run(query, data);
        let spent = begun.elapsed();
        println!("{query}: {:?} {spent:?} peak {} MB", result.as_ref().map(Vec::len), peak() >> 20);
        assert!(spent < PATIENCE, "{query}: {spent:?}");
        assert!(result.map_or(0, |json| json.len()) < 32 << 20, "{query}");
    }
}

#[test]
fn no_pattern_is_catastrophic() {
    let _alone = alone();
    let text = format!("\"{}!\"", "a".repeat(200_000));
    for query in [
        "test(\"(a+)+$\")",
        "test(\"(a*)*b\")",
        "test(\"(a|aa)+$\")",
        "test(\"(.*)*x\")",
        "test(\"(a?){50}a{50}$\")",
        "[match(\".*b|a\"; \"g\")] | length",
        "[match(\"a.*b|a\"; \"g\").offset] | length",
        "test(\"((a{1,100}){1,100}){1,100}\")",
        "test(\"(a{1000}){1000}\")",
        "test(\"\\\\w{100000}\")",
        "test(\"(\" * 100000)",
        "test(\"[\" * 100000)",
        "gsub(\"(a*)*\"; \"b\") | length",
        "[scan(\"(a)(a)(a)(a)(a)(a)(a)(a)\")] | length",
        "split(\"a\") | length",
        "[splits(\"a\")] | length",
        "test(\"x\" * 100000)",
        "indices(\"a\") | length",
        "indices(\"a\" * 100000) | length",
        "index(\"aab\")",
        "sub(\"a*\"; \"\"), ascii_downcase | length",
        "explode | length",
        ". * 1000 | test(\"(a|b|c|d)*e\")",
        ". * 20 | test(\"(a?){50}a{50}$\")",
        ". * 50 | test(\"(a|b|c|d)*e\")",
    ] {
        let begun = Instant::now();
        let result = run(query, text.clone());
        let spent = begun.elapsed();
        println!("{query}: {result:?} {spent:?}");
        assert!(spent < PATIENCE, "{query}: {spent:?}");
    }
}

#[test]
fn deep_and_large_data_are_refused_or_taken_in_time() {
    let _alone = alone();
    let run = |query: &str, data: String| within(Bounds { time: PATIENCE, ..BOUNDS }, query, data);
    let deep =
        |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
        for levels in [1000, 100_000, 1_000_000] {
            assert_eq!(
                run(".", deep(open, close, levels)),
                Err(Failure::Exceeded(Exceeded::Depth)),
                "{open} {levels}"
            );
        }
    }
    assert_eq!(run(".", deep("[", "]", 500)).map(|json| json.len()), Ok(1001));
    assert_eq!(run("[.]", deep("[", "]", 512)), Err(Failure::Exceeded(Exceeded::Depth)));
    assert_eq!(run("[..] | length", deep("[", "]", 400)), Ok(b"401".to_vec()));
    assert!(matches!(run(".", "[".repeat(1_000_000)), Err(Failure::Exceeded(Exceeded::Depth))));
    assert_eq!(run(". == .", "9".repeat(9000)), Ok(b"true".to_vec()));
    assert!(matches!(run(".", "9".repeat(1_000_000)), Err(Failure::Data(_))));
    assert!(matches!(run(".", format!("0.{}1", "0".repeat(1_000_000))), Err(Failure::Data(_))));
    assert!(run(".", "1e999999999".to_owned()).is_ok());
    let many = format!("[{}1]", "1,".repeat(500_000));
    assert_eq!(run("length", many), Ok(b"500001".to_vec()));
    let names: String = (0..100_000).map(|n| format!("\"{n}\":{n},")).collect();
    assert_eq!(run("length", format!("{{{names}\"a\":1}}")), Ok(b"100001".to_vec()));
}

#[test]
fn a_query_that_is_itself_too_much_is_a_mistake() {
    let _alone = alone();
    let compiled =
        |text: String| Query::new(&text).map(drop).map_err(|mistake| mistake.to_string().len() < 300);
    let size = 20_000;
    for text in [
        "(".repeat(size),
        "[".repeat(size),
        format!("{}1{}", "(".repeat(size), ")".repeat(size)),
        "-".repeat(size) + "1",
        ".a".repeat(size),
        format!(".{}", " | .".repeat(size / 2)),
        format!("1{}", " + 1".repeat(size / 2)),
        format!("1{}", ", 1".repeat(size / 2)),
        "if 1 then ".repeat(size / 4),
        "\"\\(".repeat(size),
        "try ".repeat(size),
        ".[".repeat(size),
        "def f: ".repeat(size / 2),
        format!("1{}", "?".repeat(size)),
        "x".repeat(100_000),
        "{a: ".repeat(size / 2),
        "1 as $x | ".repeat(size / 4) + "1",
    ] {
        let begun = Instant::now();
        let result = compiled(text.clone());
        println!("{:.20}: {result:?} {:?}", text, begun.elapsed());
        assert_ne!(result, Err(false), "{text:.20}");
    }
}
