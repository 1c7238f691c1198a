//! Bounds of a trigger as places in the stream.

use broker::document::Bounds;
pub use broker::document::ids::of_stream as check;

use super::id::Id;

/// Where a group begins, and the first id that is not wanted. Both ends are exclusive; ids win over times.
pub fn of(bounds: &Bounds) -> (Option<String>, Option<Id>) {
    let time = |time: &i64| Id::at(u64::try_from(*time).unwrap_or_default());
    let id = |text: &String| text.parse::<Id>().ok();
    let start = bounds.by_id.start.as_ref().and_then(id).or(bounds.by_date.start.as_ref().map(time));
    let end = bounds.by_id.end.as_ref().and_then(id).or(bounds.by_date.end.as_ref().map(time));
    (start.map(|start| start.to_string()), end)
}

#[cfg(test)]
mod tests {
    use broker::document::Span;

    use super::*;

    #[test]
    fn ids_win_over_times() {
        let text = |text: &str| Some(text.to_owned());
        let table = [
            (
                (None, None),
                (Some(1_646_995_200_000), Some(1_646_995_300_000)),
                (text("1646995200000-0"), text("1646995300000-0")),
            ),
            ((text("5-1"), None), (Some(9), Some(10)), (text("5-1"), text("10-0"))),
            ((text("0"), text("7")), (None, None), (text("0-0"), text("7-0"))),
            ((None, None), (Some(-5), None), (text("0-0"), None)),
        ];
        for ((start, end), (from, to), expected) in table {
            let bounds = Bounds { by_id: Span { start, end }, by_date: Span { start: from, end: to } };
            assert_eq!(check(&bounds), Ok(()));
            let (start, end) = of(&bounds);
            assert_eq!((start, end.map(|id| id.to_string())), expected);
        }
        let bounds = Bounds { by_id: Span { start: text("now"), end: None }, ..Bounds::default() };
        assert!(check(&bounds).unwrap_err().starts_with("byId.start: expected the id"));
    }
}
