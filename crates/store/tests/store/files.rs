//! Files that are missing, foreign, newer, damaged, held or full: a clear error, and nothing is lost.

use std::fs;
use std::path::Path;

use flowglass_model::Rejected;
use flowglass_store::{Access, EventFilter, JourneyFilter, Reader, StoreError, UnmatchedPublication, Writer};

use crate::build::{Scratch, T0, span, trace_id};

fn refused<T>(result: Result<T, StoreError>) -> StoreError {
    match result {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error,
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut out: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    out.sort();
    out
}

#[test]
fn a_missing_workspace_is_named_and_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.flowglass");
    for error in [refused(Reader::open(&path)), refused(Writer::open(&path, Access::Open))] {
        assert!(matches!(error, StoreError::Missing { .. }) && error.to_string().contains("none.flowglass"), "{error}");
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_second_writer_is_told_who_holds_the_workspace() {
    let mut w = Scratch::new();
    let error = refused(Writer::open(&w.path, Access::Create));
    let text = error.to_string();
    assert!(matches!(error, StoreError::Held { .. }), "{error:?}");
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    w.write(|tx| tx.add_spans(&[span(1, 1, T0)]).unwrap());
    drop(w.writer);
    w.writer = Writer::open(&w.path, Access::Open).unwrap();
    assert_eq!(w.reader().stats().unwrap().spans, 1);
}

#[test]
fn readers_see_what_was_committed_while_the_writer_works() {
    let mut w = Scratch::new();
    let r = w.reader();
    assert_eq!(r.stats().unwrap().spans, 0);
    let mut tx = w.writer.begin().unwrap();
    tx.add_spans(&[span(1, 1, T0)]).unwrap();
    assert_eq!(r.stats().unwrap().spans, 0, "not committed yet");
    assert_eq!(Reader::open(&w.path).unwrap().stats().unwrap().spans, 0, "opening works in the middle of a write");
    tx.commit().unwrap();
    assert_eq!((r.stats().unwrap().spans, r.trace(trace_id(1)).unwrap().len()), (1, 1));
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "these are my notes, not a workspace. ".repeat(400)).unwrap();
    let before = fs::read(&path).unwrap();
    for error in [refused(Reader::open(&path)), refused(Writer::open(&path, Access::Create))] {
        assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(folder.path()), ["notes.txt"]);
    assert!(matches!(refused(Writer::open(folder.path(), Access::Create)), StoreError::Foreign { .. }));
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(1);").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    for error in [refused(Reader::open(&path)), refused(Writer::open(&path, Access::Create))] {
        assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_workspace_says_so() {
    let w = Scratch::new();
    let Scratch { folder, path, writer } = w;
    drop(writer);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 1000").unwrap();
    for error in [refused(Reader::open(&path)), refused(Writer::open(&path, Access::Open))] {
        assert!(matches!(error, StoreError::Newer { found: 1000, .. }), "{error:?}");
        assert!(error.to_string().contains("update Flowglass"), "{error}");
    }
    drop(folder);
}

#[test]
fn a_damaged_workspace_says_so() {
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&(0..500).map(|i| span(i, i, T0)).collect::<Vec<_>>()).unwrap());
    let Scratch { folder, path, writer } = w;
    drop(writer);
    let good = fs::read(&path).unwrap();
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    for error in [refused(Reader::open(&path)), refused(Writer::open(&path, Access::Open))] {
        assert!(matches!(error, StoreError::Corrupt { .. }), "cut short: {error:?}");
    }
    let mut scribbled = good.clone();
    scribbled[8_192..].iter_mut().for_each(|b| *b = 0x5a);
    fs::write(&path, scribbled).unwrap();
    let error = match Reader::open(&path) {
        Ok(reader) => refused(reader.trace(trace_id(1))),
        Err(error) => error,
    };
    assert!(matches!(error, StoreError::Corrupt { .. }), "scribbled over: {error:?}");
    fs::write(&path, good).unwrap();
    assert_eq!(Reader::open(&path).unwrap().stats().unwrap().spans, 500);
    drop(folder);
}

#[test]
fn a_full_disk_loses_only_the_batch_that_did_not_fit() {
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&[span(1, 1, T0)]).unwrap());
    w.writer.limit_bytes(1_200_000).unwrap();
    let mut stored = 1u64;
    let error = loop {
        let spans: Vec<_> = (0..300u64).map(|i| large_span(stored * 1_000 + i)).collect();
        let mut tx = w.writer.begin().unwrap();
        let result = tx.add_spans(&spans);
        match result.and_then(|()| tx.commit()) {
            Ok(()) => stored += 300,
            Err(error) => break error,
        }
        assert!(stored < 100_000, "the limit holds nothing back");
    };
    assert!(matches!(error, StoreError::Full { .. }) && error.to_string().contains("intact"), "{error}");
    assert_eq!(w.reader().stats().unwrap().spans, stored);
    assert_eq!(w.reader().trace(trace_id(1)).unwrap(), [span(1, 1, T0)]);
    w.writer.limit_bytes(1 << 40).unwrap();
    w.write(|tx| tx.add_spans(&[span(2, 2, T0)]).unwrap());
    assert_eq!(w.reader().stats().unwrap().spans, stored + 1, "and goes on when there is room");
}

/// A span that does not compress well: its text depends on every digit of the seed.
fn large_span(seed: u64) -> flowglass_model::Span {
    let mut s = span(seed + 10, seed + 10, T0);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise: String = (0..40)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        })
        .collect();
    s.attributes.push(("noise".into(), noise.into()));
    s
}

/// `/proc` refuses new files to everybody, root included.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_may_not_be_written_is_named() {
    let error = refused(Writer::open(Path::new("/proc/self/flowglass.test"), Access::Create));
    assert!(error.to_string().contains("/proc/self/flowglass.test"), "{error}");
    assert!(matches!(error, StoreError::ReadOnly { .. } | StoreError::Io { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_workspace_in_a_read_only_folder_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&[span(1, 1, T0)]).unwrap());
    let Scratch { folder, path, writer } = w;
    drop(writer);
    fs::remove_file(folder.path().join("test.flowglass.lock")).unwrap();
    let allow = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let spans = Reader::open(&path).and_then(|r| r.stats()).map(|s| s.spans);
    let writer = Writer::open(&path, Access::Open).map(drop);
    // Root may write anywhere: then only reading is told apart.
    let may_write = fs::write(folder.path().join("probe"), "").is_ok();
    allow(0o755);
    assert_eq!(spans.unwrap(), 1);
    assert_eq!(matches!(writer, Err(StoreError::ReadOnly { .. })), !may_write, "{writer:?}");
}

#[test]
fn rejections_are_counted_for_ever_and_the_newest_kept_in_words() {
    let mut w = Scratch::new();
    let rejected = |n: u64| Rejected { source: "f".into(), at: format!("line {n}"), reason: "no".into(), count: 2 };
    w.write(|tx| tx.add_rejected(&(0..1_500).map(rejected).collect::<Vec<_>>(), Some(T0)).unwrap());
    w.write(|tx| {
        tx.add_rejected(&[rejected(9_999)], None).unwrap();
        tx.add_dropped(4).unwrap();
    });
    let r = w.reader();
    assert_eq!((r.stats().unwrap().rejected, r.stats().unwrap().dropped), (3_002, 4));
    let newest = r.rejected(10_000).unwrap();
    assert_eq!(newest.len(), 1_000);
    assert_eq!(newest[0], (None, rejected(9_999)));
    assert_eq!(newest[1], (Some(T0), rejected(1_499)));
}

#[test]
fn notes_are_kept() {
    let mut w = Scratch::new();
    let note = UnmatchedPublication { count: 2, source: "service:a".into(), topic: "topic:nats/t".into(), at: T0 };
    w.write(|tx| {
        tx.set_unmatched("k", Some(&note)).unwrap();
        tx.set_meta("config", "/a/b.toml").unwrap();
    });
    drop(w.writer);
    w.writer = Writer::open(&w.path, Access::Open).unwrap();
    w.write(|tx| {
        assert_eq!(tx.unmatched("k").unwrap(), Some(note));
        tx.set_unmatched("k", None).unwrap();
        assert_eq!(tx.unmatched("k").unwrap(), None);
        assert_eq!(tx.meta("config").unwrap().as_deref(), Some("/a/b.toml"));
    });
    assert_eq!(w.reader().meta("other").unwrap(), None);
}

#[test]
fn an_empty_workspace_answers_everything_with_nothing() {
    let w = Scratch::new();
    let r = w.reader();
    let stats = r.stats().unwrap();
    assert_eq!((stats.spans, stats.events, stats.oldest, stats.newest), (0, 0, None, None));
    assert!(stats.bytes > 0);
    assert!(r.series(None, None).unwrap().is_empty() && r.participants_seen().unwrap().is_empty());
    assert!(r.find("x").unwrap().is_empty() && r.destinations(None, None).unwrap().is_empty());
    let (since, until) = (Some(T0), Some(T0));
    assert_eq!(r.nearest_series(since, until, &|_| true).unwrap(), (None, None));
    assert_eq!(r.nearest_journeys(&JourneyFilter { since, until, ..JourneyFilter::default() }).unwrap(), (None, None));
    assert_eq!(r.nearest_events(&EventFilter { since, until, ..EventFilter::default() }).unwrap(), (None, None));
}
