//! Calls that carry several entries (`SendMessageBatch`, `PutRecords` and the like): what became of each.

use common::Error;

use crate::from_code;

/// The id of an entry in its call: its place.
#[must_use]
pub fn id(index: usize) -> String {
    index.to_string()
}

/// What a call says of an entry that it did not take.
#[derive(Debug)]
pub struct Refused {
    /// Its [`id`].
    pub id: String,
    /// AWS's code.
    pub code: String,
    /// Whether it is the fault of the entry, as AWS sees it.
    pub sender_fault: bool,
    /// What AWS says; a caller may be told.
    pub message: Option<String>,
}

/// One result for each entry, in order: a call that tells nothing of an entry has not taken it.
pub fn results<T>(
    count: usize,
    doing: &str,
    done: impl IntoIterator<Item = (String, T)>,
    refused: impl IntoIterator<Item = Refused>,
) -> Vec<Result<T, Error>> {
    let mut results: Vec<_> = (0..count)
        .map(|_| Err(Error::retryable(format!("{doing}: the answer says nothing of it"))))
        .collect();
    let mut set = |id: &str, result| {
        if let Some(place) = id.parse::<usize>().ok().and_then(|index| results.get_mut(index)) {
            *place = result;
        }
    };
    for (id, value) in done {
        set(&id, Ok(value));
    }
    for Refused { id, code, sender_fault, message } in refused {
        let error = from_code(doing, &code, sender_fault);
        set(&id, Err(message.map_or(error.clone(), |message| error.with_detail(message.as_bytes()))));
    }
    results
}

/// The failure of a call as that of each entry.
#[must_use]
pub fn all<T>(count: usize, error: &Error) -> Vec<Result<T, Error>> {
    (0..count).map(|_| Err(error.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_has_its_own_result() {
        let refused = |id: &str, code: &str, sender_fault| Refused {
            id: id.to_owned(),
            code: code.to_owned(),
            sender_fault,
            message: Some("what AWS says".to_owned()),
        };
        let done = [(id(2), "two"), ("9".to_owned(), "nobody's"), ("x".to_owned(), "nobody's")];
        let failed = [
            refused("0", "InvalidMessageContents", true),
            refused("1", "InternalError", false),
            refused("3", "ThrottlingException", true),
        ];
        let results = results(5, "sending", done, failed);
        assert_eq!(results.get(2).and_then(|result| result.as_ref().ok()), Some(&"two"));
        let statuses: Vec<_> = results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .map(|error| error.status().as_u16())
            .collect();
        assert_eq!(statuses, [422, 503, 503, 503]);
        let detail = results.first().and_then(|result| result.as_ref().err()?.detail());
        assert_eq!(detail, Some("what AWS says"));
        assert_eq!(all::<()>(2, &Error::permanent("no")).len(), 2);
    }
}
