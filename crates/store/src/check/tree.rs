//! Rows read from the pages themselves: each page that is whole gives what it holds, whatever became of the pages around it.
//!
//! Pages below a damaged one are found by the file's pointer map, which says of every page whose child it is (workspaces are
//! made with `auto_vacuum`, so that there is one).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::pages::{Pages, u32_at};
use super::plain;
use crate::fault::Inner;
use crate::progress::{Unit, Watch};
use crate::{Result, StoreError, schema};

const INDEX_INNER: u8 = 2;
const TABLE_INNER: u8 = 5;
const INDEX_LEAF: u8 = 10;
const TABLE_LEAF: u8 = 13;
/// Pointer map: this page is a root; this page is a child of another.
const IS_ROOT: u8 = 1;
const IS_CHILD: u8 = 5;

/// A row of a table, or an entry of an index.
pub(super) struct Row {
    /// Its number, in tables that have one.
    pub(super) id: i64,
    /// Its columns.
    pub(super) values: Vec<Value>,
    /// Its end lies on a page that is damaged: the last column is missing.
    pub(super) cut: bool,
}

impl Row {
    /// A column as a number.
    pub(super) fn number(&self, column: usize) -> Option<i64> {
        match self.values.get(column) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// A column as bytes.
    pub(super) fn bytes(&self, column: usize) -> Option<&[u8]> {
        match self.values.get(column) {
            Some(Value::Blob(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// A column as text.
    pub(super) fn text(&self, column: usize) -> Option<&str> {
        match self.values.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The last column of an index entry: the number of its row.
    pub(super) fn points_to(&self) -> Option<i64> {
        self.number(self.values.len().checked_sub(1)?)
    }
}

/// A damaged file.
pub(super) struct Source<'w> {
    pages: Pages,
    watch: &'w Watch<'w>,
    roots: BTreeMap<String, u32>,
    /// Pages that cannot be read, with what they belong to.
    pub(super) damaged: RefCell<BTreeMap<u32, String>>,
    /// Tables and indexes whose pages were all looked at.
    looked_at: RefCell<BTreeSet<String>>,
}

impl<'w> Source<'w> {
    /// Opens the file. Its list of tables may itself be damaged: then tables lie where they always lie.
    pub(super) fn open(path: &Path, watch: &'w Watch<'w>) -> Result<Source<'w>> {
        let pages = Pages::open(path)?;
        watch.begin("the list of tables", pages.bytes(), Unit::Bytes).map_err(|fault| fault.at(path))?;
        let mut source =
            Source { pages, watch, roots: BTreeMap::new(), damaged: RefCell::default(), looked_at: RefCell::default() };
        source.roots.insert("sqlite_schema".to_owned(), 1);
        let mut found = BTreeMap::new();
        let read = source.rows("sqlite_schema", &mut |row| {
            // Triggers have no pages.
            if let (Some(name), Some(root)) = (row.text(1), row.number(3).filter(|root| *root > 0)) {
                found.insert(name.to_owned(), root as u32);
            }
            Ok(())
        });
        read.map_err(|f| f.at(path))?;
        if !source.damaged.borrow().is_empty() {
            // Roots are the first pages of the file, in the order in which its tables were made.
            let usual = usual_roots().map_err(|e| StoreError::sqlite(path, e))?;
            usual.into_iter().for_each(|(name, root)| _ = found.entry(name).or_insert(root));
        }
        source.roots.extend(found);
        Ok(source)
    }

    /// Number of the format of the file, 0 where its first page is lost.
    pub(super) fn format(&self) -> u32 {
        self.pages.get(1).and_then(|page| u32_at(&page, 60)).unwrap_or_default()
    }

    /// Whether the file has such a table or index.
    pub(super) fn has(&self, name: &str) -> bool {
        self.roots.contains_key(name)
    }

    /// Looks at what was not read so far: what is made anew may lie on damaged pages, too.
    pub(super) fn look_at_rest(&self) -> Inner<()> {
        let rest = |name: &&String| !self.looked_at.borrow().contains(*name);
        let names: Vec<String> = self.roots.keys().filter(rest).cloned().collect();
        names.iter().try_for_each(|name| self.rows(name, &mut |_| Ok(())))
    }

    /// All rows that are left of a table or index.
    pub(super) fn rows(&self, name: &str, each: &mut dyn FnMut(Row) -> Inner<()>) -> Inner<()> {
        let Some(root) = self.roots.get(name) else { return Ok(()) };
        self.watch.turn_to(plain(name))?;
        // What was read before is read once more, and counts once.
        let anew = self.looked_at.borrow_mut().insert(name.to_owned());
        let mut seen = BTreeSet::new();
        let broken = self.walk(*root, (name, anew), &mut seen, each)?;
        if broken {
            for page in self.children_of(*root) {
                if !seen.contains(&page) {
                    self.walk(page, (name, anew), &mut seen, each)?;
                }
            }
        }
        Ok(())
    }

    /// Goes through a page and those below it; whether one of them is damaged.
    fn walk(
        &self,
        from: u32,
        (name, anew): (&str, bool),
        seen: &mut BTreeSet<u32>,
        each: &mut dyn FnMut(Row) -> Inner<()>,
    ) -> Inner<bool> {
        let (mut open, mut broken) = (vec![from], false);
        while let Some(number) = open.pop() {
            if !seen.insert(number) {
                continue;
            }
            let Some(page) = self.pages.get(number).and_then(|p| Page::new(p, number, &self.pages)) else {
                self.damaged.borrow_mut().insert(number, name.to_owned());
                broken = true;
                continue;
            };
            let mut below = page.children();
            below.reverse();
            open.extend(below);
            self.counted(anew)?;
            if page.kind == TABLE_INNER {
                continue;
            }
            for at in &page.cells {
                match page.row(usize::from(*at)) {
                    Some(row) => {
                        if row.cut {
                            broken = true;
                        }
                        self.counted(anew)?;
                        each(row)?;
                    }
                    None => {
                        self.damaged.borrow_mut().insert(number, name.to_owned());
                        broken = true;
                    }
                }
            }
        }
        Ok(broken)
    }

    /// Tells what was read meanwhile.
    fn counted(&self, anew: bool) -> Inner<()> {
        let read = self.pages.read.take();
        self.watch.step(if anew { read } else { 0 })
    }

    /// Pages of a tree as the pointer map has them.
    fn children_of(&self, root: u32) -> Vec<u32> {
        let Pages { usable, count, .. } = self.pages;
        let per_map = (usable / 5) as u32;
        let mut parents = BTreeMap::new();
        let mut map = 2;
        while map <= count {
            let page = self.pages.get(map).unwrap_or_default();
            for entry in 0..per_map {
                let at = entry as usize * 5;
                let (Some(kind), Some(parent)) = (page.get(at), u32_at(&page, at + 1)) else { break };
                if *kind == IS_CHILD {
                    parents.insert(map + 1 + entry, parent);
                } else if *kind == IS_ROOT {
                    parents.insert(map + 1 + entry, 0);
                }
            }
            map += per_map + 1;
        }
        let belongs = |page: u32| {
            let mut at = page;
            // A tree is never deeper than this; a damaged map may go in circles.
            for _ in 0..32 {
                match parents.get(&at) {
                    _ if at == root => return true,
                    Some(parent) if *parent != 0 => at = *parent,
                    _ => return false,
                }
            }
            false
        };
        parents.keys().copied().filter(|page| *page != root && belongs(*page)).collect()
    }
}

/// Where the tables of every workspace lie.
fn usual_roots() -> rusqlite::Result<Vec<(String, u32)>> {
    let conn = Connection::open_in_memory()?;
    schema::make(&conn)?;
    let mut statement = conn.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    rows.collect()
}

/// A page of a tree whose head makes sense.
struct Page<'p> {
    pages: &'p Pages,
    bytes: Vec<u8>,
    kind: u8,
    cells: Vec<u16>,
    right: Option<u32>,
}

impl<'p> Page<'p> {
    fn new(bytes: Vec<u8>, number: u32, pages: &'p Pages) -> Option<Page<'p>> {
        let head = if number == 1 { 100 } else { 0 };
        let kind = *bytes.get(head)?;
        let first = match kind {
            INDEX_INNER | TABLE_INNER => head + 12,
            INDEX_LEAF | TABLE_LEAF => head + 8,
            _ => return None,
        };
        let u16_at = |at: usize| bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
        let count = usize::from(u16_at(head + 3)?);
        let cells: Vec<u16> = (0..count).map(|i| u16_at(first + i * 2)).collect::<Option<_>>()?;
        let end = first + count * 2;
        let inside = |at: &u16| usize::from(*at) >= end && usize::from(*at) + 4 <= pages.usable;
        let apart = cells.iter().collect::<BTreeSet<_>>().len() == cells.len();
        if !cells.iter().all(inside) || !apart {
            return None;
        }
        let right = (first == head + 12).then(|| u32_at(&bytes, head + 8)).flatten();
        Some(Page { pages, bytes, kind, cells, right })
    }

    fn children(&self) -> Vec<u32> {
        let Some(right) = self.right else { return Vec::new() };
        let left = self.cells.iter().filter_map(|at| u32_at(&self.bytes, usize::from(*at)));
        left.chain([right]).collect()
    }

    /// The row of a cell; nothing when it makes no sense.
    fn row(&self, mut at: usize) -> Option<Row> {
        if self.kind == INDEX_INNER {
            at += 4;
        }
        let (length, next) = varint(&self.bytes, at)?;
        let (id, next) = if self.kind == TABLE_LEAF { varint(&self.bytes, next)? } else { (0, next) };
        let length = usize::try_from(length).ok().filter(|n| *n <= 1 << 30)?;
        let local = self.local(length);
        let mut payload = self.bytes.get(next..(next + local).min(self.pages.usable))?.to_vec();
        if payload.len() < local {
            return None;
        }
        if local < length {
            let mut page = u32_at(&self.bytes, next + local)?;
            while payload.len() < length {
                // The chain of pages behind a long row.
                let Some(more) = self.pages.get(page) else { break };
                let part = (length - payload.len()).min(self.pages.usable - 4);
                payload.extend_from_slice(more.get(4..4 + part)?);
                page = u32_at(&more, 0)?;
            }
        }
        let cut = payload.len() < length;
        let values = record(&payload)?;
        Some(Row { id: id as i64, values, cut })
    }

    /// Bytes of a row of this length that lie on the page itself.
    fn local(&self, length: usize) -> usize {
        let usable = self.pages.usable;
        let most = if self.kind == TABLE_LEAF { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        let rest = least + length.saturating_sub(least) % (usable - 4);
        match length {
            _ if length <= most => length,
            _ if rest <= most => rest,
            _ => least,
        }
    }
}

/// A number of one to nine bytes, and where the next begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for i in 0..8 {
        let byte = *bytes.get(at + i)?;
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, at + i + 1));
        }
    }
    Some((value << 8 | u64::from(*bytes.get(at + 8)?), at + 9))
}

/// The columns of a record. A column that is cut off, and those behind it, are left out.
fn record(bytes: &[u8]) -> Option<Vec<Value>> {
    let (head, mut at) = varint(bytes, 0)?;
    let head = usize::try_from(head).ok().filter(|h| *h <= bytes.len())?;
    let (mut data, mut out) = (head, Vec::new());
    while at < head {
        let (kind, next) = varint(bytes, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let Some(part) = data.checked_add(length).and_then(|end| bytes.get(data..end)) else { break };
        data += length;
        out.push(match kind {
            0 => Value::Null,
            1..=6 => Value::Integer(integer(part)),
            7 => Value::Real(f64::from_bits(integer(part) as u64)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            _ if kind % 2 == 0 => Value::Blob(part.to_vec()),
            _ => Value::Text(String::from_utf8(part.to_vec()).ok()?),
        });
    }
    Some(out)
}

/// A number of one to eight bytes with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|b| *b >= 0x80) { -1i64 } else { 0 };
    bytes.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))
}
