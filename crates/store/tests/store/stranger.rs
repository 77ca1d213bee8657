//! Workspaces that somebody else made: what they bring along does not run, and what they claim is not believed.

use flowglass_model::filter::{Filter, View};
use flowglass_store::{Access, EventFilter, JourneyFilter, LogFilter, Reader, StoreError, Writer, probe_chunk};

use crate::build::{Scratch, T0, checked, span, trace_id};

/// A good workspace, closed, and a connection with which somebody changes it.
fn tampered(with: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&[span(1, 1, T0)]).unwrap());
    let Scratch { folder, path, writer } = w;
    drop(writer);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch(with).unwrap();
    drop(other);
    (folder, path)
}

/// Changes what is in the tables without the engine looking after types, as somebody does who writes the file himself.
fn untyped(path: &std::path::Path, with: &str) {
    let opened = || {
        let conn = rusqlite::Connection::open(path).unwrap();
        conn.execute_batch("PRAGMA writable_schema = ON").unwrap();
        conn
    };
    let conn = opened();
    conn.execute_batch(
        "CREATE TEMP TABLE as_it_was AS SELECT name, sql FROM sqlite_schema;
         UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, ', ''), ' STRICT', '') WHERE type = 'table';
         UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'; PRAGMA writable_schema = RESET;",
    )
    .unwrap();
    conn.execute_batch(with).unwrap_or_else(|e| panic!("{with}: {e}"));
    conn.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = (SELECT w.sql FROM as_it_was w WHERE w.name = sqlite_schema.name) WHERE type = 'table';",
    )
    .unwrap();
    drop(conn);
    drop(opened());
}

fn refusals(path: &std::path::Path) -> Vec<StoreError> {
    [Reader::open(path).err(), Writer::open(path, Access::Open).err()].into_iter().flatten().collect()
}

#[test]
fn what_no_workspace_has_is_named_and_nothing_of_it_runs() {
    for (with, word) in [
        ("CREATE TRIGGER evil AFTER INSERT ON meta BEGIN DELETE FROM chunk; END;", "trigger “evil”"),
        (
            "CREATE TRIGGER evil AFTER INSERT ON chunk BEGIN INSERT INTO meta VALUES('forward', 'http://evil.example'); END;",
            "“evil”",
        ),
        ("CREATE VIEW evil AS SELECT randomblob(1000000000) FROM meta;", "view “evil”"),
        ("ALTER TABLE meta RENAME TO old; CREATE VIEW meta AS SELECT key, value FROM old;", "table “old”"),
        ("CREATE INDEX evil ON meta(abs(-9223372036854775807 - length(value)));", "index “evil”"),
        ("CREATE TABLE evil(a); INSERT INTO evil VALUES(zeroblob(1000000));", "table “evil”"),
        ("CREATE TABLE \"\u{1b}[31m\u{202e}\"(a);", "table “\\u{1b}[31m\\u{202e}”"),
        (
            "DROP TRIGGER journey_comes; CREATE TRIGGER journey_comes AFTER INSERT ON journey BEGIN DELETE FROM journey; END;",
            "trigger “journey_comes”",
        ),
        ("ALTER TABLE meta ADD COLUMN more TEXT AS (hex(zeroblob(100000000)));", "meta"),
    ] {
        let (_folder, path) = tampered(with);
        let before = std::fs::read(&path).unwrap();
        let errors = refusals(&path);
        assert_eq!(errors.len(), 2, "{with}");
        for error in errors {
            assert!(matches!(error, StoreError::Foreign { .. }) && error.to_string().contains(word), "{with}: {error}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before, "{with}: it was changed");
        let found = checked(&path).unwrap();
        assert!(found.problems.iter().any(|p| p.detail.contains(word)), "{with}: {:?}", found.problems);
    }
}

#[test]
fn what_is_missing_is_named() {
    let (_folder, path) = tampered("DROP TABLE rejected;");
    for error in refusals(&path) {
        assert!(matches!(error, StoreError::Corrupt { .. }) && error.to_string().contains("rejected"), "{error}");
    }
    // What other tools leave for the planner does no harm.
    let (_folder, path) = tampered("ANALYZE;");
    assert!(refusals(&path).is_empty());
}

#[test]
fn wrong_types_and_huge_claims_are_errors_and_no_more() {
    for with in [
        "UPDATE chunk SET body = 'text';",
        "UPDATE chunk SET body = zeroblob(200000000);",
        // A chunk that says it has 4 GiB.
        "UPDATE chunk SET body = x'02ffffffff28b52ffd00580100';",
        "UPDATE chunk SET items = 'many', first = 1.5, last = x'00';",
        "UPDATE trace_chunk SET first = 9223372036854775807, items = 9223372036854775807;",
        "UPDATE trace_chunk SET first = -1, items = -1;",
        "UPDATE trace_chunk SET trace = 'not an id';",
        "UPDATE trace_chunk SET first = 'x', items = NULL;",
        "UPDATE counter SET value = 'x';",
        "UPDATE counter SET value = -9223372036854775808;",
        "UPDATE meta SET value = x'00ff';",
        "UPDATE series SET a = x'ff', kind = 7;",
        "UPDATE rollup SET count = 9223372036854775807, bucket = -9223372036854775808;",
        "UPDATE chunk SET id = 9223372036854775807;",
    ] {
        let mut w = Scratch::new();
        w.write(|tx| tx.add_spans(&[span(1, 1, T0)]).unwrap());
        let Scratch { folder: _folder, path, writer } = w;
        drop(writer);
        untyped(&path, with);
        assert!(!matches!(Reader::open(&path), Err(StoreError::Foreign { .. })), "{with}: the tables are ours");
        if let Ok(reader) = Reader::open(&path) {
            let _ = reader.stats();
            let _ = reader.trace(trace_id(1));
            let _ = reader.find("anything");
            let _ = reader.series(None, None);
            let _ = reader.journeys(&JourneyFilter { limit: 10, ..JourneyFilter::default() });
            let words = Filter::parse("anything", View::Logs).unwrap();
            let _ = reader.logs(&LogFilter { filter: words, limit: 10, ..LogFilter::default() });
        }
        let _ = checked(&path);
        if let Ok(mut writer) = Writer::open(&path, Access::Open)
            && let Ok(mut tx) = writer.begin()
        {
            let _ = tx.add_spans(&[span(2, 2, T0)]);
            let _ = tx.commit();
        }
    }
}

/// Values within values, 20,000 deep: a list of one list of one list … Reading it must not use up the stack.
#[test]
fn depth_that_no_writer_writes_is_refused() {
    // One resource whose only attribute nests: no namespace, name "", no environment, instance, version, layer; one attribute
    // with the key "k"; kind 6 of a value is a list, of one. What follows does not matter.
    let mut raw = vec![1, 0, 0, 0, 0, 0, 0, 1, 1, b'k'];
    raw.extend([6, 1].repeat(20_000));
    let error = probe_chunk(&raw).unwrap_err();
    assert!(error.contains("chunk header"), "{error}");
}

#[test]
fn filters_are_values_and_never_sql() {
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&[span(1, 1, T0), span(2, 2, T0)]).unwrap());
    let reader = w.reader();
    let before = reader.stats().unwrap();
    for text in [
        "' OR 1=1 --",
        "'; DROP TABLE chunk; --",
        "\") OR (\"1\"=\"1",
        "x' UNION SELECT value FROM meta --",
        "%",
        "_",
        "NEAR(a b)",
        "a* OR b*",
        "\"a\" AND NOT \"b\"",
        "{col}:x",
        "^x",
        "\0",
        "\\",
        "?1",
        ":name",
        "$1",
        "@x",
    ] {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('*', "\\*"));
        for term in ["", "service:", "operation:", "key.orderId:", "@http.route:", "topic:"] {
            let expression = format!("{term}{quoted}");
            if let Ok(filter) = Filter::parse(&expression, View::Journeys) {
                let page = reader.journeys(&JourneyFilter { filter, limit: 10, ..JourneyFilter::default() }).unwrap();
                assert!(page.rows.is_empty(), "{expression}");
            }
            if let Ok(filter) = Filter::parse(&expression, View::Events) {
                let page = reader.events(&EventFilter { filter, limit: 10, ..EventFilter::default() }).unwrap();
                assert!(page.rows.is_empty(), "{expression}");
            }
            if let Ok(filter) = Filter::parse(&expression, View::Logs) {
                let page = reader.logs(&LogFilter { filter, limit: 10, ..LogFilter::default() }).unwrap();
                assert!(page.rows.is_empty(), "{expression}");
            }
        }
        assert!(reader.find(text).unwrap().is_empty(), "{text}");
    }
    assert_eq!(reader.stats().unwrap(), before);
}
