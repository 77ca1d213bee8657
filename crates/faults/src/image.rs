//! What of each file is durable, and what was written since.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a disk writes in one piece, bytes.
const SECTOR: usize = 512;

enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Default)]
struct Image {
    durable: Vec<u8>,
    since: Vec<Change>,
}

/// All files, by path.
#[derive(Default)]
pub(crate) struct Images(BTreeMap<PathBuf, Image>);

impl Images {
    /// Notes a file that is opened; what it holds is durable.
    pub(crate) fn open(&mut self, path: &Path) {
        let image = || Image { durable: fs::read(path).unwrap_or_default(), since: Vec::new() };
        self.0.entry(path.to_owned()).or_insert_with(image);
    }

    /// Notes that a file is gone.
    pub(crate) fn remove(&mut self, path: &Path) {
        self.0.remove(path);
    }

    /// Notes a write.
    pub(crate) fn write(&mut self, path: &Path, at: usize, bytes: &[u8]) {
        if let Some(image) = self.0.get_mut(path) {
            image.since.push(Change::Write(at, bytes.to_vec()));
        }
    }

    /// Notes another length.
    pub(crate) fn truncate(&mut self, path: &Path, length: usize) {
        if let Some(image) = self.0.get_mut(path) {
            image.since.push(Change::Length(length));
        }
    }

    /// Makes durable what was written.
    pub(crate) fn sync(&mut self, path: &Path) {
        if let Some(Image { durable, since }) = self.0.get_mut(path) {
            since.drain(..).for_each(|change| change.apply(durable));
        }
    }

    /// What was written never becomes durable.
    pub(crate) fn forget(&mut self, path: &Path) {
        if let Some(image) = self.0.get_mut(path) {
            image.since.clear();
        }
    }

    /// Writes the files as a power cut leaves them.
    pub(crate) fn leave(&mut self, seed: u64) -> std::io::Result<()> {
        let mut chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        // xorshift (Marsaglia 2003).
        let mut draw = move || {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance >> 11
        };
        for (path, mut image) in std::mem::take(&mut self.0) {
            for change in image.since {
                match (draw() % 4, change) {
                    (0 | 1, _) => {}
                    (2, change) => change.apply(&mut image.durable),
                    (_, Change::Write(at, bytes)) => {
                        let sectors = bytes.len().div_ceil(SECTOR).max(1);
                        let part = (draw() as usize % sectors * SECTOR).min(bytes.len());
                        Change::Write(at, bytes[..part].to_vec()).apply(&mut image.durable);
                    }
                    (_, change) => change.apply(&mut image.durable),
                }
            }
            fs::write(&path, &image.durable)?;
        }
        Ok(())
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Change::Length(length) => to.resize(length, 0),
            Change::Write(at, bytes) => {
                if to.len() < at + bytes.len() {
                    to.resize(at + bytes.len(), 0);
                }
                to[at..at + bytes.len()].copy_from_slice(&bytes);
            }
        }
    }
}
