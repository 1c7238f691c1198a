//! The language as gojq has it, where jaq is otherwise or has less.

use std::sync::Arc;

use common::Event;
use jq::{Bounds, Query};

fn event(data: &str) -> Event {
    let mut event = Event::new("7", "/orders", "com.example.order").expect("valid");
    event.set("region", "eu").expect("valid");
    event.set_data("application/json", data.to_owned()).expect("valid");
    event
}

/// The output, or what is wrong with the query, or how it failed.
fn output(query: &str, event: &Event) -> String {
    match Query::new(query) {
        Ok(query) => match Arc::new(query).run(event, Bounds::default()) {
            Ok(json) => String::from_utf8(json).expect("UTF-8"),
            Err(failure) => format!("{failure}"),
        },
        Err(mistake) => mistake.to_string(),
    }
}

#[track_caller]
fn all(cases: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (query, input, expected) in cases {
        let found = output(query, &event(input));
        if found != *expected {
            wrong.push_str(&format!("{query}  of {input}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_language_is_that_of_gojq() {
    all(&[
        // Paths and updates.
        (".a.b.c = 1", "null", r#"{"a":{"b":{"c":1}}}"#),
        (".[2] = 1", "null", "[null,null,1]"),
        (".[-1] = 9", "[1,2]", "[1,9]"),
        (".[5] = 1", "[1]", "[1,null,null,null,null,1]"),
        (".a += 1 | .b //= 7 | .c |= 3", r#"{"a": 1}"#, r#"{"a":2,"b":7,"c":3}"#),
        ("del(.[0, 2])", "[1,2,3,4]", "[2,4]"),
        ("del(.a, .b.c)", r#"{"a": 1, "b": {"c": 2, "d": 3}}"#, r#"{"b":{"d":3}}"#),
        ("del(.[1:3])", "[1,2,3,4]", "[1,4]"),
        ("delpaths([[\"a\"], [\"b\", 0]])", r#"{"a": 1, "b": [1, 2]}"#, r#"{"b":[2]}"#),
        ("to_entries", r#"{"b": 1, "a": 2}"#, r#"[{"key":"a","value":2},{"key":"b","value":1}]"#),
        ("with_entries(.value += 1)", r#"{"b": 1}"#, r#"{"b":2}"#),
        (
            "from_entries",
            r#"[{"name": "a", "value": 1}, {"k": "b", "v": 2}, {"key": "c"}]"#,
            r#"{"a":1,"b":2,"c":null}"#,
        ),
        ("[paths]", r#"{"a": [1]}"#, r#"[["a"],["a",0]]"#),
        ("[leaf_paths]", r#"{"a": [1]}"#, r#"[["a",0]]"#),
        ("getpath([\"a\", \"b\"])", "null", "null"),
        ("setpath([\"a\", 0]; 1)", "null", r#"{"a":[1]}"#),
        ("[.[] | select(. > 1)]", "[1,2,3]", "[2,3]"),
        (".[1:], .[:-1], .[1:2]", "[1,2,3]", "[2]"),
        (".[1:3]", r#""äöü""#, r#""öü""#),
        (".[1:2] = [7, 8]", "[1,2,3]", "[1,7,8,3]"),
        ("map_values(. + 1), map_values(empty)", r#"{"a": 1}"#, "{}"),
        ("pick(.a.b)", r#"{"a": {"b": 1, "c": 2}, "d": 3}"#, r#"{"a":{"b":1}}"#),
        ("walk(if type == \"number\" then . + 1 else . end)", r#"[1, {"a": 2}]"#, r#"[2,{"a":3}]"#),
        ("[tostream]", r#"{"a": [1]}"#, r#"[[["a",0],1],[["a",0]],[["a"]]]"#),
        ("fromstream(tostream)", r#"{"a": [1, {"b": 2}]}"#, r#"{"a":[1,{"b":2}]}"#),
        // Lists.
        (
            "sort, sort_by(.a), group_by(.a), unique_by(.a) | length",
            r#"[{"a": 2, "b": 1}, {"a": 1}, {"a": 2}]"#,
            "2",
        ),
        ("sort", r#"[{}, [], "a", 1, true, false, null]"#, r#"[null,false,true,1,"a",[],{}]"#),
        (
            "sort_by(.a, .b)",
            r#"[{"a": 2, "b": 2}, {"a": 2, "b": 1}, {"a": 1}]"#,
            r#"[{"a":1},{"a":2,"b":1},{"a":2,"b":2}]"#,
        ),
        (
            "group_by(.a) | map(map(.b))",
            r#"[{"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 3}]"#,
            "[[2],[1,3]]",
        ),
        (
            "[min_by(.a).b, max_by(.a).b, min, max]",
            r#"[{"a": 1, "b": 1}, {"a": 1, "b": 2}]"#,
            r#"[1,2,{"a":1,"b":1},{"a":1,"b":2}]"#,
        ),
        ("min, max", "[]", "null"),
        ("unique", "[2,1,2]", "[1,2]"),
        ("add, (map([.]) | add)", "[1,2]", "[1,2]"),
        ("add", "[]", "null"),
        ("any, all", "[true,false]", "false"),
        ("flatten, flatten(1)", "[1,[2,[3]]]", "[1,2,[3]]"),
        ("transpose", "[[1],[2,3]]", "[[1,2],[null,3]]"),
        ("[combinations]", "[[1,2],[3,4]]", "[[1,3],[1,4],[2,3],[2,4]]"),
        ("[combinations(2)]", "[0,1]", "[[0,0],[0,1],[1,0],[1,1]]"),
        ("reverse, index(2), rindex(2), indices(2)", "[2,1,2]", "[0,2]"),
        ("indices([1,2])", "[0,1,2,1,2]", "[1,3]"),
        (". - [2]", "[1,2,3]", "[1,3]"),
        ("contains([\"ba\"]), inside([\"bar\", \"x\"])", r#"["bar"]"#, "true"),
        ("bsearch(2), bsearch(0)", "[1,2,3]", "-1"),
        ("IN(.[]; 2, 3), (.[] | IN(1)), INDEX(.)", "[1,2]", r#"{"1":1,"2":2}"#),
        (
            "[limit(2; .[])], first(.[]), last(.[]), nth(1; .[]), first, last, isempty(.[])",
            "[1,2,3]",
            "false",
        ),
        ("[range(3)], [range(1; 3)], [range(5; 0; -2)]", "null", "[5,3,1]"),
        (
            "[while(. < 10; . * 2)], until(. > 10; . * 2), [repeat(. * 2; 1)]",
            "1",
            "line 1, column 48: there is no function 'repeat/2'",
        ),
        ("[limit(3; repeat(. * 2))], [recurse(if . < 3 then . + 1 else empty end)]", "1", "[1,2,3]"),
        ("toarray, (. as [$a, {b: $c}] | $a + $c)", r#"[1, {"b": 2}]"#, "3"),
        ("reduce .[] as $x (0; . + $x), [foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[1,1],[2,3]]"),
        ("label $out | .[] | if . > 1 then ., break $out else . end", "[1,2,3]", "2"),
        // Strings.
        ("length, utf8bytelength", r#""äöü""#, "6"),
        ("length", "-5", "5"),
        ("ascii_downcase, ascii_upcase, explode, (explode | implode)", r#""aB""#, r#""aB""#),
        ("split(\", \"), split(\",\\\\s*\"; null), join(\"-\")?", r#""a, b""#, r#"["a","b"]"#),
        ("join(\", \")", r#"["a", 1, null, true]"#, r#""a, 1, , true""#),
        (". / \"\", \"ab\" * 3, (\"x\" * 0)", r#""ab""#, "null"),
        (
            "ltrimstr(\"a\"), rtrimstr(\"c\"), trimstr(\"a\"), startswith(\"a\"), endswith(\"c\")",
            r#""abc""#,
            "true",
        ),
        ("ltrim, rtrim, trim", r#""  a ""#, r#""a""#),
        (
            "test(\"B\"; \"i\"), test(\"b\"), [match(\"(?<x>b)(z)?\").captures[] | [.offset, .length, .string, .name]]",
            r#""äbc""#,
            r#"[[1,1,"b","x"],[-1,0,null,null]]"#,
        ),
        ("[match(\"\"; \"g\").offset]", r#""äb""#, "[0,1,2]"),
        ("capture(\"(?<a>[a-z]+)-(?<n>\\\\d+)\")", r#""xyz-14""#, r#"{"a":"xyz","n":"14"}"#),
        ("[scan(\"[a-z]\")], [scan(\"([a-z])(\\\\d)\")]", r#""a1b2""#, r#"[["a","1"],["b","2"]]"#),
        (
            "sub(\"(?<x>a)\"; \"<\\(.x)>\"), gsub(\"a\"; \"b\"), gsub(\"^\"; \">\"), [splits(\"a\")]",
            r#""aa""#,
            r#"["","",""]"#,
        ),
        ("gsub(\"(?<d>\\\\d)\"; \":\\(.d);\")", r#""a1b2""#, r#""a:1;b:2;""#),
        (
            "@text, @json, @html, @uri, @base64, (@base64 | @base64d), @sh",
            r#""<é '>""#,
            r#""'\u003cé '\\''\u003e'""#,
        ),
        ("@uri", r#""ü -_.~""#, r#""%C3%BC%20-_.~""#),
        ("@csv", r#"[1, "a\"b", null, true]"#, r#""1,\"a\"\"b\",,true""#),
        ("@tsv", r#"[1, "a\tb", null]"#, r#""1\ta\\tb\t""#),
        ("@base64 \"x\\(.)y\"", r#""ab""#, r#""xYWI=y""#),
        ("format(\"json\")", "[1]", r#""[1]""#),
        ("tojson, (tojson | fromjson)", r#"{"a": [1.0, "<\u0001"]}"#, r#"{"a":[1.0,"\u003c\u0001"]}"#),
        (
            "fromjson",
            r#""[1""#,
            "cannot parse string (\"[1\") as JSON: at byte 2: comma or end of sequence expected",
        ),
        ("\"\\(1 + 1) \\(.)\"", r#"{"a": "b"}"#, r#""2 {\"a\":\"b\"}""#),
        ("ascii, ([65] | implode)", "65", r#""A""#),
        // Types.
        (
            "[.[] | type]",
            r#"[null, true, 1, "a", [], {}]"#,
            r#"["null","boolean","number","string","array","object"]"#,
        ),
        ("[.[] | scalars], [.[] | iterables], [.[] | values] | length", r#"[null, 1, []]"#, "2"),
        ("keys, has(\"a\"), (\"a\" | in({\"a\": 1}))", r#"{"b": 1, "a": 2}"#, "true"),
        ("has(0), has(5)", "[1]", "false"),
        (". * {a: {c: 2}}", r#"{"a": {"b": 1}}"#, r#"{"a":{"b":1,"c":2}}"#),
        ("not, (. and false), (. or false), (.a? // \"default\")", "true", r#""default""#),
        ("if . then 1 elif false then 2 end, abs, toboolean?", "-3", "3"),
        (".a as $x | [$x, $__loc__]", r#"{"a": 1}"#, "line 1, column 17: there is no variable '$__loc__'"),
        ("[env, env.HOME, $ENV, $ENV.HOME]", "1", "[{},null,{},null]"),
        ("debug, debug(\"x\"), stderr", "1", "1"),
        ("splits(\"a\")?, getpath([\"x\"])?, ascii?", "1", r#""\u0001""#),
        // Times.
        ("todate, (todate | fromdate)", "1700000000", "1700000000"),
        ("todate", "1700000000", r#""2023-11-14T22:13:20Z""#),
        ("gmtime | mktime", "1700000000", "1700000000"),
        ("strftime(\"%A, %B %d, %Y\")", "1435677542", r#""Tuesday, June 30, 2015""#),
        ("strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime", r#""2015-03-05T23:51:47Z""#, "1425599507"),
        ("now | type", "1", r#""number""#),
        ("gmtime", "1700000000.5", "[2023,10,14,22,13,20.5,2,317]"),
        ("gmtime, localtime | mktime", "1700000000", "1700000000"),
        ("strptime(\"%d.%m.%Y\")", r#""24.12.2025""#, "[2025,11,24,0,0,0,3,357]"),
        ("strftime(\"%j %H:%M %z\"), (gmtime | todate)", "0", r#""1970-01-01T00:00:00Z""#),
        ("fromdate", r#""2015-03-05T23:51:47+01:00""#, "1425595907"),
        ("fromdate", r#""yesterday""#, r#"string ("yesterday") is no date: premature end of input"#),
        ("strftime(\"%Q\")", "0", r#"no format of a time: string ("%Q")"#),
        ("todate", "1e300", "no time: number (1e300)"),
        // Floats.
        (
            "[pow(2; 10), atan2(0; 1), fmin(1; 2), ldexp(1; 4), fma(2; 3; 4), hypot(3; 4)]",
            "1",
            "[1024,0,1,16,10,5]",
        ),
        (
            "[frexp, modf, logb, significand, trunc, fabs, cbrt, exp10, gamma, lgamma]",
            "8",
            "[[0.5,4],[0,8],3,1,8,8,2,100000000,5040,8.525161361065413]",
        ),
        ("[.[] | isnan, isinfinite, isnormal]", "[1, 0]", "[false,false,true,false,false,false]"),
        ("nan | isnan", "1", "true"),
        (
            "[.[] | floor, ceil, round]",
            "[12345678901234567890, -1.5]",
            "[12345678901234567890,12345678901234567890,12345678901234567890,-2,-1,-2]",
        ),
        ("[jn(1; 0), jn(0; 0), (yn(0; 1) == (1 | y0))]", "1", "[0,1,true]"),
        // Formats.
        (
            "@html",
            r#""<a href='x'>\"&\"</a>""#,
            r#""\u0026lt;a href=\u0026#39;x\u0026#39;\u0026gt;\u0026quot;\u0026amp;\u0026quot;\u0026lt;/a\u0026gt;""#,
        ),
        ("@html | @htmld", r#""<&lt;>""#, r#""\u003c\u0026lt;\u003e""#),
        ("[.[] | @base64d]", r#"["YWI=", "YWI", "4pyT"]"#, r#"["ab","ab","✓"]"#),
        ("@base64d", r#""%""#, "cannot decode base64: Invalid symbol 37, offset 0."),
        ("@uri | ., @urid", r#""a b/ü""#, r#""a b/ü""#),
    ]);
}
