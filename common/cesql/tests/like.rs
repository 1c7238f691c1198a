//! `LIKE` against the plainest definition of it, on random patterns and texts.

use cesql::Expression;

/// The definition: every way to split the text is tried.
fn like(pattern: &[&str], text: &[char]) -> bool {
    let Some((piece, pattern)) = pattern.split_first() else { return text.is_empty() };
    match (*piece, text.split_first()) {
        ("%", _) => (0..=text.len()).any(|skipped| like(pattern, text.get(skipped..).unwrap_or_default())),
        ("_", Some((_, text))) => like(pattern, text),
        (_, Some((first, text))) => piece.ends_with(*first) && like(pattern, text),
        (_, None) => false,
    }
}

#[test]
fn random_patterns_match_what_the_definition_says() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut matched = 0;
    for _ in 0..40_000 {
        let length = random.usize(0..7);
        let pattern: Vec<_> =
            (0..length).filter_map(|_| random.choice(["%", "%", "_", "a", "b", "é", r"\%", r"\_"])).collect();
        let length = random.usize(0..8);
        let text: Vec<_> =
            (0..length).filter_map(|_| random.choice(['a', 'a', 'b', 'é', '%', '_'])).collect();
        let event = [("subject", String::from_iter(&text))];
        let event = event.each_ref().map(|(name, text)| (*name, text.as_str()));
        let expression = format!("subject LIKE '{}'", pattern.concat());
        let expected = like(&pattern, &text);
        let matches = Expression::parse(&expression).is_ok_and(|expression| expression.matches(&event));
        assert_eq!(matches, expected, "{expression} for {text:?}");
        matched += usize::from(expected);
    }
    assert!(matched > 1_000, "{matched}");
}
