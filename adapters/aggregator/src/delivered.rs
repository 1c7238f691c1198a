//! Which parts were delivered of late: what comes again is acknowledged without a second delivery.
//!
//! In memory, and where a file is given in it as well: what is written before anybody is answered is known to the next process
//! after a kill. It is not synced to the disk, as a process that is killed does not take along what it has written.

use std::{
    collections::{HashSet, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use routing::aggregator::{Group, Mark};

/// A part as a hash, the same in every process.
pub type Key = u128;

/// That of a part.
pub fn key(group: &Group, mark: &Mark) -> Key {
    routing::aggregator::id(group, [mark]).as_u128()
}

/// A memory of so many.
#[derive(Debug)]
pub struct Delivered {
    capacity: usize,
    known: HashSet<Key>,
    /// The same, oldest first.
    order: VecDeque<Key>,
    journal: Option<Journal>,
}

/// The same in a file: keys one behind the other.
#[derive(Debug)]
struct Journal {
    path: PathBuf,
    file: File,
    keys: usize,
}

impl Delivered {
    /// What a file remembers, or nothing.
    ///
    /// # Errors
    /// When the file cannot be read and written.
    pub fn open(capacity: usize, path: Option<&Path>) -> io::Result<Self> {
        let mut delivered = Self { capacity, known: HashSet::new(), order: VecDeque::new(), journal: None };
        let Some(path) = path else { return Ok(delivered) };
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        // A last one may be there in part.
        let (keys, _) = bytes.as_chunks();
        keys.iter().for_each(|key| delivered.insert(Key::from_le_bytes(*key)));
        delivered.journal = Some(Journal::begin(path, &delivered.order)?);
        Ok(delivered)
    }

    /// Whether a part was delivered.
    pub fn knows(&self, key: Key) -> bool {
        self.known.contains(&key)
    }

    /// Remembers some, and forgets the oldest where there are too many.
    pub fn remember(&mut self, keys: &[Key]) {
        keys.iter().for_each(|key| self.insert(*key));
        let Some(journal) = &mut self.journal else { return };
        let kept = if journal.keys + keys.len() > self.capacity.saturating_mul(2).max(1024) {
            Journal::begin(&journal.path, &self.order).map(|begun| *journal = begun)
        } else {
            journal.append(keys)
        };
        if let Err(error) = kept {
            tracing::error!(%error, "what was delivered cannot be written to AGGREGATOR_REMEMBERED_FILE");
        }
    }

    fn insert(&mut self, key: Key) {
        if self.known.insert(key) {
            self.order.push_back(key);
        }
        while self.order.len() > self.capacity {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.known.remove(&oldest));
        }
    }
}

impl Journal {
    /// Puts a file with these in the place of the one that is there.
    fn begin(path: &Path, keys: &VecDeque<Key>) -> io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        fs::write(&name, bytes)?;
        fs::rename(&name, path)?;
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, keys: keys.len() })
    }

    fn append(&mut self, keys: &[Key]) -> io::Result<()> {
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        self.keys += keys.len();
        self.file.write_all(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut delivered = Delivered::open(2, None).expect("no file");
        delivered.remember(&[1, 2, 2, 3]);
        assert!(!delivered.knows(1) && delivered.knows(2) && delivered.knows(3));
        assert_eq!((delivered.known.len(), delivered.order.len()), (2, 2));
        let mut none = Delivered::open(0, None).expect("no file");
        none.remember(&[1]);
        assert!(!none.knows(1));
    }

    #[test]
    fn a_file_remembers_for_the_next_process() {
        let folder = kit::Folder::new().expect("a folder");
        let path = folder.path().join("delivered");
        let open = || Delivered::open(3, Some(&path)).expect("a file");
        let mut first = open();
        first.remember(&[1, 2]);
        first.remember(&[3, 4]);
        let mut second = open();
        assert_eq!(second.order, [2, 3, 4]);
        (0..10_000).for_each(|key| second.remember(&[key]));
        assert!(fs::metadata(&path).expect("a file").len() <= 16 * 1025, "it is made anew");
        assert_eq!(open().order, [9_997, 9_998, 9_999]);
        // As after a crash in the middle of a write.
        let mut torn = fs::read(&path).expect("a file");
        torn.truncate(torn.len() - 5);
        fs::write(&path, torn).expect("written");
        assert_eq!(open().order, [9_997, 9_998]);
        assert!(Delivered::open(3, Some(Path::new("/nowhere/at/all"))).is_err());
    }
}
