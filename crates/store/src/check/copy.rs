//! Rows copied as they were, from the pages of a damaged file into a new one.

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use rustc_hash::FxHashSet;

use super::lost::Lost;
use super::tree::{Row, Source};
use crate::fault::Inner;
use crate::hash::hash64;

/// A table that is copied row by row.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// Its columns that are in the index below, in the index's order (the row's number last, where it has one).
    pub(super) columns: &'static str,
    /// An index that holds all of these columns of every row: rows whose own page is damaged come from there.
    pub(super) from: Option<&'static str>,
    /// An index that holds every row's time first, and the row's number last or the key behind it: says what is missing.
    pub(super) dated: Option<(&'static str, Key)>,
    /// What its rows are, where losing them has to be said.
    pub(super) what: Option<&'static str>,
}

/// How an entry of an index names its row.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// By its number.
    Row,
    /// By this many columns behind the first one; they are the first of the row.
    Columns(usize),
}

const fn table(name: &'static str, what: Option<&'static str>) -> Table {
    Table { name, columns: "", from: None, dated: None, what }
}

/// In this order: what is referred to comes first.
pub(super) const TABLES: [Table; 16] = [
    table("meta", Some("notes")),
    table("unmatched", None),
    Table { dated: Some(("message_time", Key::Row)), ..table("message", Some("publications of events")) },
    table("message_body", None),
    Table { dated: Some(("delivery_time", Key::Columns(3))), ..table("delivery", Some("deliveries")) },
    table("settlement", Some("acknowledgements")),
    table("advisory", Some("notices of brokers")),
    Table {
        columns: "kind, a, b, c, id",
        from: Some("sqlite_autoindex_series_1"),
        ..table("series", Some("series of figures"))
    },
    table("rollup", Some("figures of the map")),
    table("name", None),
    Table {
        columns: "service, operation, id",
        from: Some("sqlite_autoindex_journey_root_1"),
        ..table("journey_root", None)
    },
    Table { columns: "text, id", from: Some("sqlite_autoindex_journey_shape_1"), ..table("journey_shape", None) },
    table("journey_member", None),
    Table {
        columns: "parent_trace, child_trace, child_span, parent_span, how",
        from: Some("trace_join_parent"),
        ..table("trace_join", Some("joins of traces"))
    },
    table("closed_trace", None),
    table("rejected", Some("refusals in words")),
];

/// Adds a row; false when what was read is none of this table.
pub(super) fn put(conn: &Connection, table: &str, columns: &str, values: &[Value]) -> Inner<bool> {
    let marks = vec!["?"; values.len()].join(", ");
    let columns = if columns.is_empty() { String::new() } else { format!("({columns})") };
    let mut put = conn.prepare_cached(&format!("INSERT OR IGNORE INTO {table}{columns} VALUES({marks})"))?;
    match put.execute(params_from_iter(values)) {
        Ok(added) => Ok(added > 0),
        Err(e) if matches!(e.sqlite_error_code(), Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch)) => {
            Ok(false)
        }
        Err(e) => Err(e.into()),
    }
}

/// The values of a row as its table has them: the row's number in its column, columns that came later empty.
pub(super) fn whole(row: &Row, width: usize) -> Vec<Value> {
    let mut values = row.values.clone();
    if let Some(first @ Value::Null) = values.first_mut() {
        *first = Value::Integer(row.id);
    }
    while values.len() < width {
        values.push(Value::Null);
    }
    values
}

/// Number of columns of a table.
pub(super) fn width(conn: &Connection, table: &str) -> Inner<usize> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1)";
    Ok(conn.query_row(sql, [table], |r| r.get::<_, i64>(0))? as usize)
}

/// Copies a table; says what is known to be lost of it.
pub(super) fn copy(source: &Source<'_>, conn: &Connection, table: &Table) -> Inner<Lost> {
    let mut lost = Lost::of(table.what.unwrap_or(table.name));
    let width = width(conn, table.name)?;
    let (mut kept, mut broken) = (FxHashSet::default(), 0);
    source.rows(table.name, &mut |row| {
        let values = whole(&row, width);
        if !row.cut && values.len() == width && put(conn, table.name, "", &values)? {
            kept.insert(key(&row, table, &values));
        } else {
            broken += 1;
        }
        Ok(())
    })?;
    if let Some(index) = table.from {
        source.rows(index, &mut |row| {
            let mut values = row.values;
            if values.len() != table.columns.split(", ").count() {
                return Ok(());
            }
            if table.name == "series" {
                // When it was is found out from its figures.
                values.extend([const { Value::Integer(0) }; 3]);
                put(conn, table.name, "kind, a, b, c, id, first, last, live", &values)?;
            } else {
                put(conn, table.name, table.columns, &values)?;
            }
            Ok(())
        })?;
        if is_damaged(source, table.name) && is_damaged(source, index) {
            lost.count = None;
        }
        return Ok(lost);
    }
    let Some((index, by)) = table.dated else {
        lost.count = if is_damaged(source, table.name) { None } else { Some(broken) };
        return Ok(lost);
    };
    let mut missing = 0;
    source.rows(index, &mut |row| {
        let key = match by {
            Key::Row => row.points_to().unwrap_or_default() as u64,
            Key::Columns(n) => hashed(row.values.get(1..=n).unwrap_or_default())?,
        };
        if !kept.contains(&key) {
            missing += 1;
            lost.cover(row.number(0), row.number(0));
        }
        Ok(())
    })?;
    lost.add(missing);
    // Where both are damaged there may be more than anything tells.
    if is_damaged(source, table.name) && is_damaged(source, index) {
        lost.count = None;
    }
    Ok(lost)
}

fn key(row: &Row, table: &Table, values: &[Value]) -> u64 {
    match table.dated {
        Some((_, Key::Columns(n))) => hashed(values.get(..n).unwrap_or_default()).unwrap_or_default(),
        _ => row.id as u64,
    }
}

fn hashed(values: &[Value]) -> Inner<u64> {
    Ok(hash64(format!("{values:?}").as_bytes()))
}

/// Whether a page of this table or index cannot be read.
pub(super) fn is_damaged(source: &Source<'_>, name: &str) -> bool {
    source.damaged.borrow().values().any(|of| of == name)
}

/// A value of the counters or notes of a damaged file.
pub(super) fn value_of(source: &Source<'_>, table: &str, key: &str) -> Inner<Option<Value>> {
    let mut found = None;
    source.rows(table, &mut |row| {
        if row.text(0) == Some(key) {
            found = row.values.get(1).cloned();
        }
        Ok(())
    })?;
    Ok(found)
}
