//! Expressions and events made to overflow the stack, to take for ever, or to fill the memory.

use std::{iter::repeat_n, thread};

use cesql::{EvaluationError, Expression, MAX_DEPTH, MAX_LENGTH, Value};

/// Less than any thread of ours has; a recursion over the length of an expression needs far more.
const STACK: usize = 1 << 20;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread").join().expect("no panic");
}

fn value(expression: &str) -> Value<'static> {
    let expression = Expression::parse(expression).unwrap_or_else(|error| panic!("{error}"));
    let copy = expression.clone();
    drop(expression);
    let (value, error) = copy.evaluate(&[]);
    assert_eq!(error, None);
    value.into_owned()
}

#[test]
fn beyond_the_longest_expression_nothing_is_read() {
    on_a_small_stack(|| {
        for piece in ["(", "NOT ", "-", "a AND ", "a(", "1 IN (", "'", "\\", "a,", "é"] {
            let error = Expression::parse(&piece.repeat(100_000)).unwrap_err();
            let length = piece.len() * 100_000;
            let expected =
                format!("line 1, column 1: the expression has {length} bytes, expected at most {MAX_LENGTH}");
            assert_eq!(error.to_string(), expected);
        }
        let longest = format!("1{}", " ".repeat(MAX_LENGTH - 1));
        assert_eq!(value(&longest), Value::Integer(1));
        assert!(Expression::parse(&format!("{longest} ")).is_err());
    });
}

#[test]
fn parentheses_are_counted_whatever_they_are_for() {
    on_a_small_stack(|| {
        let nested =
            |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for (open, close) in [
            ("(", ")"),
            ("NOT(", ")"),
            ("abs(", ")"),
            ("nope(", ")"),
            ("1 IN (", ")"),
            ("TRUE AND 1 < 1 + 1 * -(", ")"),
            ("TRUE AND 1 < 1 + 1 * CONCAT(1 IN (", "))"),
        ] {
            let per_level = open.matches('(').count();
            let deepest = nested(open, close, MAX_DEPTH / per_level);
            drop(Expression::parse(&deepest).unwrap().clone().evaluate(&[]));
            for depth in [MAX_DEPTH / per_level + 1, MAX_LENGTH / (open.len() + close.len()) - 1] {
                let error = Expression::parse(&nested(open, close, depth)).unwrap_err();
                assert_eq!(error.message, "expected at most 64 levels of parentheses");
            }
        }
        let unclosed = Expression::parse(&"(".repeat(MAX_LENGTH)).unwrap_err();
        assert_eq!(unclosed.to_string(), "line 1, column 65: expected at most 64 levels of parentheses");
    });
}

#[test]
fn long_chains_take_no_stack() {
    on_a_small_stack(|| {
        let chain = |piece: &str, last: &str| {
            format!("{}{last}", piece.repeat((MAX_LENGTH - last.len()) / piece.len()))
        };
        assert_eq!(value(&chain("NOT NOT ", "TRUE")), Value::Boolean(true));
        assert_eq!(value(&chain("--", "'1'")), Value::Integer(1));
        assert_eq!(value(&chain("TRUE AND ", "TRUE")), Value::Boolean(true));
        assert_eq!(value(&chain("FALSE OR ", "FALSE")), Value::Boolean(false));
        assert_eq!(value(&chain("1=", "1")), Value::Boolean(true));
        assert_eq!(value(&chain("1-1+", "1")), Value::Integer(1));
        assert_eq!(value(&chain("1*", "1")), Value::Integer(1));
        assert_eq!(value(&chain("1*1+0=1 AND ", "TRUE")), Value::Boolean(true));
        let tests = format!("1{}", " IN (1)".repeat(9_000));
        assert_eq!(value(&tests), Value::Boolean(true));
        let tests = format!("TRUE{}", " LIKE 'true'".repeat(5_000));
        assert_eq!(value(&tests), Value::Boolean(true));
        let arguments = format!("LENGTH(CONCAT({}1))", "1,".repeat(30_000));
        assert_eq!(value(&arguments), Value::Integer(30_001));
        let unknown = Expression::parse(&chain("f()+", "1")).unwrap();
        assert_eq!(unknown.warnings().len(), 16);
    });
}

#[test]
fn like_never_takes_a_choice_back() {
    let text = "a".repeat(100_000);
    let event = [("subject", text.as_str())];
    let wildcards = Expression::parse(&format!("subject LIKE '{}b'", "%a".repeat(30_000))).unwrap();
    assert_eq!(wildcards.evaluate(&event), (Value::Boolean(false), None));
    let every = Expression::parse(&format!("subject LIKE '{}'", "%_".repeat(30_000))).unwrap();
    assert!(every.matches(&event));
    let percents = Expression::parse(&format!("subject LIKE '{}a'", "%".repeat(60_000))).unwrap();
    assert!(percents.matches(&event));
    // The one form that looks at a text again and again is stopped by the bound on the work.
    let gap = Expression::parse(&format!("subject LIKE '%{}_b%'", "a".repeat(50_000))).unwrap();
    assert_eq!(gap.evaluate(&event), (Value::Boolean(false), Some(EvaluationError::TooMuchWork)));
    assert!(!gap.matches(&event));
}

#[test]
fn what_an_evaluation_costs_is_bounded() {
    let (subject, id) = ("ΐ".repeat(500_000), "x".repeat(1_000_000));
    let event = [("subject", subject.as_str()), ("id", id.as_str())];
    let list = |item: &str| repeat_n(item, 5_000).collect::<Vec<_>>().join(",");
    for expression in [
        format!("CONCAT({})", list("subject")),
        format!("CONCAT_WS(subject,{})", list("1")),
        format!("CONCAT({})", list("UPPER(id)")),
        format!("{}subject{}", "UPPER(LOWER(".repeat(30), "))".repeat(30)),
        format!("subject IN ({})", list("TRIM(id)")),
        format!("TRUE{}", " AND LENGTH(subject) > 0".repeat(2_500)),
        format!("FALSE{}", " OR subject LIKE '%y%'".repeat(2_500)),
    ] {
        let expression = Expression::parse(&expression).unwrap();
        assert_eq!(expression.evaluate(&event).1, Some(EvaluationError::TooMuchWork));
    }
    let fits = Expression::parse("LENGTH(CONCAT(subject, UPPER(id))) = 1500000").unwrap();
    assert!(fits.matches(&event));
}

#[test]
fn no_text_panics() {
    const PIECES: [&str; 60] = [
        "(",
        ")",
        ",",
        "'",
        "\"",
        "\\",
        "'a'",
        "\"b\"",
        "'%_'",
        "'\\'",
        "%",
        "_",
        "+",
        "-",
        "*",
        "/",
        "=",
        "!",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "<>",
        " ",
        "\n",
        "\t",
        "AND",
        "or",
        "XOR",
        "NOT",
        "like",
        "IN",
        "EXISTS",
        "TRUE",
        "false",
        "0",
        "1",
        "7",
        "2147483647",
        "-2147483648",
        "a",
        "id",
        "subject",
        "1x",
        "é",
        "日本",
        "🦀",
        "\0",
        "LENGTH(",
        "CONCAT(",
        "CONCAT_WS(",
        "LEFT('é',",
        "RIGHT('é',",
        "SUBSTRING('日本',",
        "ABS(",
        "INT(",
        "BOOL(",
        "IS_INT(",
        "UPPER(",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let (mut read, mut passed) = (0, 0);
    for _ in 0..60_000 {
        let length = random.usize(1..12);
        let separator = random.choice(["", " "]).unwrap_or_default();
        let pieces: Vec<_> = (0..length).filter_map(|_| random.choice(PIECES)).collect();
        let text = pieces.join(separator);
        match Expression::parse(&text) {
            Ok(expression) => {
                read += 1;
                passed += usize::from(expression.matches(&[("id", "7"), ("subject", "é'\\%")]));
            }
            Err(error) => {
                assert!(text.is_char_boundary(error.position.offset), "{text:?}: {error:?}");
                assert!(!error.to_string().contains('\n'), "{error:?}");
            }
        }
    }
    assert!(read > 500 && passed > 5, "{read} read, {passed} passed");
}
