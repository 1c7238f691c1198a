//! The store in files: versions, keys of any form, what a crash leaves, folders that cannot be written.

use std::future::Future;

use super::*;

/// A folder of this test alone, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("trestle-checkpoint-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn store(&self) -> FileCheckpoints {
        FileCheckpoints::open(&self.0).expect("a writable folder")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn wait<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    crate::worker::runtime().expect("a runtime").block_on(future)
}

fn swap(store: &FileCheckpoints, key: &str, version: Option<u64>, value: &str) -> Option<Record> {
    wait(store.compare_and_swap(key, version, value)).expect("a writable store")
}

#[test]
fn only_the_version_that_was_read_is_replaced() {
    let folder = Folder::new();
    let store = folder.store();
    assert_eq!(wait(store.load("a")).expect("readable"), None);
    assert_eq!(swap(&store, "a", Some(1), "x"), None);
    let first = swap(&store, "a", None, "x").expect("the first");
    assert_eq!(first, Record { value: "x".to_owned(), version: 1 });
    assert_eq!(swap(&store, "a", None, "y"), None);
    let second = swap(&store, "a", Some(1), "line\nline \u{0} \u{1f600} \"").expect("the second");
    assert_eq!(swap(&store, "a", Some(1), "z"), None);
    // Another process that opens the folder sees the same.
    assert_eq!(wait(folder.store().load("a")).expect("readable"), Some(second));
}

#[test]
fn keys_of_any_form_are_kept_apart_and_listed() {
    let folder = Folder::new();
    let store = folder.store();
    let long = format!("p/{}", "ä".repeat(500));
    let longer = format!("{long}x");
    let keys = ["p/a", "p/A", "p/../b", "p/", "q", "p/a.checkpoint", &long, &longer];
    for key in keys {
        swap(&store, key, None, key).expect("a new key");
    }
    for key in keys {
        let record = wait(store.load(key)).expect("readable").expect("stored");
        assert_eq!((record.value.as_str(), record.version), (key, 1));
    }
    let mut expected: Vec<_> = keys.into_iter().filter(|key| key.starts_with("p/")).collect();
    expected.sort_unstable();
    assert_eq!(wait(store.list("p/")).expect("readable"), expected);
    assert_eq!(wait(store.list("r")).expect("readable"), Vec::<String>::new());
}

#[test]
fn what_a_crash_leaves_is_the_old_record_and_a_file_that_nobody_reads() {
    let folder = Folder::new();
    let store = folder.store();
    swap(&store, "a", None, "old").expect("the first");
    let half = store.path("a").expect("a path").with_extension("new");
    std::fs::write(&half, br#"{"key":"a","vers"#).expect("half a record");
    assert_eq!(wait(store.load("a")).expect("readable").expect("stored").value, "old");
    assert_eq!(wait(store.list("")).expect("readable"), ["a"]);
    swap(&store, "a", Some(1), "new").expect("the second");
    assert!(!half.exists(), "the left-over is replaced and renamed");
    assert_eq!(wait(store.load("a")).expect("readable").expect("stored").value, "new");
}

#[test]
fn a_file_that_makes_no_sense_is_an_error_and_not_a_new_beginning() {
    let folder = Folder::new();
    let store = folder.store();
    for text in ["", "1\nold", "{}", "\u{0}\u{0}\u{0}"] {
        std::fs::write(store.path("a").expect("a path"), text).expect("written");
        let error = wait(store.load("a")).expect_err("refused");
        assert!(error.chain().starts_with("reading the position in "), "{}", error.chain());
        wait(store.compare_and_swap("a", None, "x")).expect_err("refused");
    }
}

#[test]
fn a_folder_that_was_asked_for_must_be_writable() {
    let folder = Folder::new();
    let file = folder.0.join("file");
    std::fs::write(&file, "").expect("written");
    let below = file.join("below");
    let below = below.to_str().expect("text");
    let error = FileCheckpoints::of_setting(Some(below)).expect_err("refused");
    assert!(
        error.problems.concat().starts_with("CHECKPOINT_DIR must be a folder that can be written"),
        "{error}"
    );
    let made = folder.0.join("a/b");
    FileCheckpoints::of_setting(made.to_str()).expect("made");
    assert!(made.is_dir());
    assert_eq!(std::fs::read_dir(&made).expect("readable").count(), 0, "nothing is left of the probe");
}

#[test]
fn without_a_folder_positions_live_as_long_as_the_process() {
    let store = FileCheckpoints { folder: None };
    let first = swap(&store, "a", None, "x").expect("the first");
    assert_eq!(first.version, 1);
    assert_eq!(swap(&store, "a", Some(1), "y").expect("the second").version, 2);
    assert_eq!(wait(store.load("a")).expect("readable"), None);
}
