//! Room on the disk that is kept free, and what keeps batches from being stored.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use flowglass_store::{StoreError, free_bytes};

use crate::studio::lock;

/// Kept free unless asked otherwise, bytes: room to delete something, and for what else runs on this machine.
pub const RESERVE: u64 = 500_000_000;

/// Whether there is room for more, shared by the writer and by whoever shows it.
#[derive(Debug)]
pub(crate) struct Room {
    workspace: PathBuf,
    reserve: AtomicU64,
    /// Why the last batch could not be stored; nothing once one was.
    fault: Mutex<Option<String>>,
}

impl Room {
    /// Room on the disk of a workspace of which so many bytes are kept free.
    pub(crate) fn new(workspace: &Path, reserve: u64) -> Room {
        Room { workspace: workspace.to_owned(), reserve: AtomicU64::new(reserve), fault: Mutex::default() }
    }

    /// Keeps so many bytes free from now on.
    #[cfg(test)]
    pub(crate) fn reserve(&self, bytes: u64) {
        self.reserve.store(bytes, Ordering::Relaxed);
    }

    /// Why nothing more is taken now, if so.
    pub(crate) fn shortage(&self) -> Option<String> {
        let reserve = self.reserve.load(Ordering::Relaxed);
        if reserve == 0 {
            return None;
        }
        // Where the system does not say, writing tells.
        let free = free_bytes(&self.workspace).ok()?;
        (free < reserve).then(|| {
            let mb = |bytes: u64| bytes / 1_000_000;
            format!(
                "only {} MB are left on the disk of {}, and {} MB are kept free: nothing more is stored until there is room \
                 again; senders keep their data and try again",
                mb(free),
                self.workspace.display(),
                mb(reserve)
            )
        })
    }

    /// Notes what became of a batch.
    pub(crate) fn note(&self, outcome: Result<(), &StoreError>) {
        *lock(&self.fault) = outcome.err().map(|error| error.to_string());
    }

    /// What keeps batches from being stored, for people.
    pub(crate) fn problem(&self) -> Option<String> {
        self.shortage().or_else(|| lock(&self.fault).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_until_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(folder.path(), u64::MAX);
        assert!(room.shortage().is_some_and(|words| words.contains("kept free")));
        assert_eq!(room.problem(), room.shortage());
        room.reserve(1);
        assert_eq!(room.problem(), None);
        let full = StoreError::Full { path: "w.flowglass".into() };
        room.note(Err(&full));
        assert!(room.problem().is_some_and(|words| words.contains("no space left")));
        room.note(Ok(()));
        assert_eq!(room.problem(), None);
    }
}
