//! The pages of a file as they lie there, the committed ones of its write-ahead log on top: what is left when the database
//! engine gives up (<https://www.sqlite.org/fileformat2.html>).

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::schema::beside;
use crate::{Result, StoreError};

/// Length of the log's header, and of what stands before each page in it, bytes.
const LOG_HEAD: u64 = 32;
const FRAME_HEAD: u64 = 24;

/// All pages of a workspace.
pub(super) struct Pages {
    file: File,
    log: Option<File>,
    /// Where the newest committed version of a page begins in the log.
    in_log: HashMap<u32, u64>,
    /// Length of a page, bytes.
    pub(super) size: usize,
    /// Bytes of a page that are used.
    pub(super) usable: usize,
    /// Number of pages.
    pub(super) count: u32,
    /// Bytes read since this was last taken.
    pub(super) read: Cell<u64>,
}

/// A number of four bytes, the highest first.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

impl Pages {
    /// Opens the file for reading; nothing is changed. Errors when it cannot be read or is no database.
    pub(super) fn open(path: &Path) -> Result<Pages> {
        let io = |e| StoreError::io(path, e);
        let mut file = File::open(path).map_err(io)?;
        let mut head = [0; 100];
        file.read_exact(&mut head).map_err(io)?;
        let size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        if !head.starts_with(b"SQLite format 3\0") || size < 512 || !size.is_power_of_two() {
            return Err(StoreError::Foreign {
                path: path.to_path_buf(),
                detail: "it is no SQLite database".to_owned(),
            });
        }
        let length = file.metadata().map_err(io)?.len();
        let count = u32::try_from(length / size as u64).unwrap_or(u32::MAX);
        let usable = size - usize::from(head[20]);
        let mut pages = Pages { file, log: None, in_log: HashMap::new(), size, usable, count, read: Cell::new(0) };
        match File::open(beside(path, "-wal")) {
            Ok(log) => pages.read_log(log).map_err(io)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(e)),
        }
        Ok(pages)
    }

    /// Notes the pages of the log up to the last commit that is whole; behind it lies what was never acknowledged.
    fn read_log(&mut self, mut log: File) -> std::io::Result<()> {
        let mut head = [0; LOG_HEAD as usize];
        if log.metadata()?.len() <= LOG_HEAD || log.read_exact(&mut head).is_err() {
            return Ok(());
        }
        let big_endian = match u32_at(&head, 0) {
            Some(0x377f_0682) => false,
            Some(0x377f_0683) => true,
            _ => return Ok(()),
        };
        let mut sum = checksum((0, 0), &head[..24], big_endian);
        if u32_at(&head, 8) != Some(self.size as u32) || Some(sum) != u32_at(&head, 24).zip(u32_at(&head, 28)) {
            return Ok(());
        }
        let salt = head[16..24].to_vec();
        let (mut at, mut pending) = (LOG_HEAD, Vec::new());
        let mut frame = vec![0; FRAME_HEAD as usize + self.size];
        while log.read_exact(&mut frame).is_ok() {
            sum = checksum(sum, &frame[..8], big_endian);
            sum = checksum(sum, &frame[FRAME_HEAD as usize..], big_endian);
            if frame[8..16] != salt || Some(sum) != u32_at(&frame, 16).zip(u32_at(&frame, 20)) {
                break;
            }
            pending.push((u32_at(&frame, 0).unwrap_or_default(), at + FRAME_HEAD));
            at += frame.len() as u64;
            if let Some(count) = u32_at(&frame, 4).filter(|count| *count > 0) {
                self.count = count;
                self.in_log.extend(pending.drain(..));
            }
        }
        self.log = Some(log);
        Ok(())
    }

    /// Length of all of them, bytes.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.count) * self.size as u64
    }

    /// A page by its number (the first is 1); nothing when it is beyond the end or cannot be read.
    pub(super) fn get(&self, number: u32) -> Option<Vec<u8>> {
        if number == 0 || number > self.count {
            return None;
        }
        let mut page = vec![0; self.size];
        let (mut file, at) = match (self.in_log.get(&number), &self.log) {
            (Some(at), Some(log)) => (log, *at),
            _ => (&self.file, u64::from(number - 1) * self.size as u64),
        };
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(&mut page).ok()?;
        self.read.set(self.read.get() + self.size as u64);
        Some(page)
    }
}

/// The log's running checksum.
fn checksum((mut a, mut b): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |w: &[u8]| {
        let w = [w[0], w[1], w[2], w[3]];
        if big_endian { u32::from_be_bytes(w) } else { u32::from_le_bytes(w) }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(word(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}
