//! The filters of parts, one after the other, to be held against what the parts hold.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::bloom;
use crate::filter::{SLICES, slice_may_hold, slice_of};
use crate::filters::{Parts, each_in_group, slices_of};

/// The filter of one part.
#[derive(Default)]
pub(super) struct Filter {
    /// As earlier versions wrote it.
    before: Option<Vec<u8>>,
    /// Slice by slice.
    slices: Option<Vec<Vec<u8>>>,
}

impl Filter {
    /// Whether there is none at all.
    pub(super) fn is_missing(&self) -> bool {
        self.before.is_none() && self.slices.is_none()
    }

    /// Whether it may hold a value.
    pub(super) fn may_hold(&self, value: &[u8]) -> bool {
        let sliced = |slices: &Vec<Vec<u8>>| slices.get(slice_of(value)).is_none_or(|s| slice_may_hold(s, value));
        self.before.as_ref().is_some_and(|bits| bloom::may_hold(bits, value))
            || self.slices.as_ref().is_some_and(sliced)
    }
}

/// Filters of one sort of parts, with the last group that was read.
pub(super) struct Filters<'c> {
    conn: &'c Connection,
    parts: Parts,
    /// Whether the file is new enough to have them in slices.
    sliced: bool,
    group: (i64, i64),
    of_group: BTreeMap<i64, Vec<Vec<u8>>>,
}

impl<'c> Filters<'c> {
    /// Those of a file, whatever version wrote it.
    pub(super) fn new(conn: &'c Connection, parts: Parts) -> rusqlite::Result<Filters<'c>> {
        let sliced = conn.table_exists(None, "value_slice")?;
        Ok(Filters { conn, parts, sliced, group: (0, -1), of_group: BTreeMap::new() })
    }

    /// The filter of a part.
    pub(super) fn of(&mut self, part: i64) -> rusqlite::Result<Filter> {
        let before = match self.parts {
            Parts::Messages => "SELECT bits FROM message_filter WHERE block = ?1",
            _ => "SELECT bits FROM chunk_filter WHERE chunk = ?1",
        };
        let before = self.conn.prepare_cached(before)?.query_row([part], |r| r.get(0)).optional()?;
        if !self.sliced {
            return Ok(Filter { before, slices: None });
        }
        let single = self
            .conn
            .prepare_cached("SELECT bits FROM value_filter WHERE parts = ?1 AND part = ?2")?
            .query_row(params![self.parts as i64, part], |r| Ok(slices_of(r.get_ref(0)?.as_blob()?)))
            .optional()?;
        let slices = match single {
            Some(slices) => Some(slices),
            None => self.in_group(part)?,
        };
        Ok(Filter { before, slices })
    }

    fn in_group(&mut self, part: i64) -> rusqlite::Result<Option<Vec<Vec<u8>>>> {
        if part < self.group.0 || part > self.group.1 {
            let found = self
                .conn
                .prepare_cached(
                    "SELECT first, last FROM value_slice WHERE parts = ?1 AND slice = 0 AND first <= ?2 AND last >= ?2",
                )?
                .query_row(params![self.parts as i64, part], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            let Some(group) = found else { return Ok(None) };
            self.group = (0, -1);
            self.of_group.clear();
            let mut slices = self
                .conn
                .prepare_cached("SELECT slice, bits FROM value_slice WHERE parts = ?1 AND first = ?2 AND slice = ?3")?;
            for slice in 0..SLICES {
                slices
                    .query_row(params![self.parts as i64, group.0, slice as i64], |r| {
                        each_in_group(r.get_ref(1)?.as_blob()?, &mut |part, bits| {
                            let own = self.of_group.entry(part).or_insert_with(|| vec![Vec::new(); SLICES]);
                            own[slice] = bits.to_vec();
                        });
                        Ok(())
                    })
                    .optional()?;
            }
            self.group = group;
        }
        Ok(self.of_group.get(&part).cloned())
    }
}
