//! Damaged files: found, and everything saved that does not lie on the damaged page.

use std::fs;
use std::path::{Path, PathBuf};

use flowglass_model::SpanId;
use flowglass_store::{Access, Reader, Repaired, StoreError, Writer};

use crate::build::{Scratch, T0, checked, repaired, span, trace_id};
use crate::load::{EVENTS, Load, TRACES, all_events};

/// Length of a page of a workspace, bytes.
const PAGE: usize = 8_192;
const BATCHES: u64 = 60;
/// Enough noise that bodies reach over several pages.
const LOAD: Load = Load { spans: 12, noise: 160 };

/// A page of a file, as the database engine's own statistics have it: what it belongs to, its sort, its rows.
#[derive(Debug, Clone)]
struct Place {
    name: String,
    sort: String,
    number: usize,
    rows: u64,
}

fn places(path: &Path) -> Vec<Place> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut all = conn.prepare("SELECT name, pagetype, pageno, ncell FROM dbstat ORDER BY pageno").unwrap();
    let place = |r: &rusqlite::Row<'_>| {
        let (number, rows): (i64, i64) = (r.get(2)?, r.get(3)?);
        Ok(Place { name: r.get(0)?, sort: r.get(1)?, number: number as usize, rows: rows as u64 })
    };
    all.query_map([], place).unwrap().map(Result::unwrap).collect()
}

/// A closed workspace with everything in it.
fn workspace() -> (tempfile::TempDir, PathBuf) {
    let mut w = Scratch::new();
    for n in 0..BATCHES {
        w.write(|tx| LOAD.put(tx, n).unwrap());
    }
    let Scratch { folder, path, writer } = w;
    drop(writer);
    (folder, path)
}

/// Bytes that a seed stands for (xorshift, Marsaglia 2003).
fn scribble(page: &mut [u8], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for byte in page {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = (state >> 24) as u8;
    }
}

fn lost(repaired: &Repaired, what: &str) -> u64 {
    let of = repaired.lost.iter().find(|l| l.what == what);
    of.map_or(0, |l| l.count.unwrap_or_else(|| panic!("how many {what} are lost is not known: {repaired:?}")))
}

#[test]
fn a_sound_workspace_is_sound_and_says_what_was_read() {
    let (_folder, path) = workspace();
    let before = fs::read(&path).unwrap();
    let found = checked(&path).unwrap();
    assert!(found.is_sound(), "{found:#?}");
    assert_eq!(found.stats.spans, BATCHES * TRACES * LOAD.spans);
    assert_eq!((found.journeys, found.payloads), (BATCHES * TRACES, BATCHES * EVENTS));
    assert!(
        found.chunks > 0 && found.chunks_without_checksum == 0 && found.payloads_without_checksum == 0,
        "{found:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    let into = path.with_extension("saved");
    let saved = repaired(&path, &into).unwrap();
    assert!(saved.lost.is_empty() && saved.pages.is_empty() && !saved.retell, "{saved:?}");
    assert!(checked(&into).unwrap().is_sound());
    assert_eq!((saved.stats.spans, saved.stats.events), (found.stats.spans, found.stats.events));
    assert!(matches!(repaired(&path, &into), Err(StoreError::Io { .. })), "what is there is not written over");
}

/// Each page in turn, filled with random bytes.
#[test]
fn a_damaged_page_costs_only_what_it_held() {
    let (folder, path) = workspace();
    let good = fs::read(&path).unwrap();
    let places = places(&path);
    let (spans, all) = (BATCHES * TRACES * LOAD.spans, BATCHES * EVENTS);
    // Every sort of page of every table, and of the many the first and last few.
    let mut sorts: std::collections::BTreeMap<(String, String), Vec<Place>> = Default::default();
    places.iter().for_each(|p| sorts.entry((p.name.clone(), p.sort.clone())).or_default().push(p.clone()));
    let every = std::env::var_os("FLOWGLASS_EVERY_PAGE").is_some();
    let few = |of: Vec<Place>| match of.len() {
        n if n > 3 && !every => vec![of[0].clone(), of[n / 2].clone(), of[n - 1].clone()],
        _ => of,
    };
    let chunks: Vec<u64> = {
        let conn = rusqlite::Connection::open(&path).unwrap();
        let mut all = conn.prepare("SELECT items FROM chunk").unwrap();
        all.query_map([], |r| r.get::<_, i64>(0)).unwrap().map(|n| n.unwrap() as u64).collect()
    };
    let mut tried = 0;
    let damaged = folder.path().join("damaged.flowglass");
    let into = folder.path().join("saved.flowglass");
    for place in sorts.into_values().flat_map(few).filter(|p| p.number > 1) {
        let mut bytes = good.clone();
        scribble(&mut bytes[(place.number - 1) * PAGE..][..PAGE], place.number as u64);
        fs::write(&damaged, &bytes).unwrap();
        assert!(!checked(&damaged).unwrap().is_sound(), "{place:?} is not seen");
        let saved = repaired(&damaged, &into).unwrap_or_else(|e| panic!("{place:?}: {e}"));
        assert_eq!(fs::read(&damaged).unwrap(), bytes, "the old file stays as it is");
        let after = checked(&into).unwrap();
        let after: Vec<_> = after.problems.iter().filter(|p| !p.part.starts_with("payloads")).collect();
        assert!(after.is_empty(), "{place:?}: {after:#?} {saved:#?}");

        let named = |p: &Place| saved.pages.iter().any(|(page, _)| *page as usize == p.number);
        assert!(place.sort == "overflow" || named(&place), "{place:?}: {saved:?}");
        let r = Reader::open(&into).unwrap();
        let mut there = 0;
        for n in 0..BATCHES {
            for t in LOAD.traces(n) {
                let (want, got) = (LOAD.spans_of(n, t), r.trace(trace_id(t)).unwrap());
                assert!(got.iter().all(|s| want.contains(s)), "{place:?}");
                there += got.len() as u64;
            }
        }
        let events = all_events(&r);
        let wanted: Vec<_> = (0..BATCHES).flat_map(|n| LOAD.messages(n)).collect();
        let whole = events.iter().filter(|m| wanted.contains(m)).count() as u64;
        let journeys = checked(&into).unwrap().journeys;
        assert_eq!(lost(&saved, "spans"), spans - there, "{place:?}: {saved:?}");
        let gone = lost(&saved, "spans") + lost(&saved, "log records");
        match (place.name.as_str(), place.sort.as_str()) {
            ("chunk", "internal") => assert_eq!(there, spans),
            // A chunk reaches over many pages, each of which belongs to it alone.
            ("chunk", "overflow") => assert!(chunks.contains(&gone), "{place:?}: {saved:?}"),
            ("chunk", _) => assert!(gone > 0, "{place:?}: {saved:?}"),
            _ => assert_eq!(there, spans, "{place:?}"),
        }
        match (place.name.as_str(), place.sort.as_str()) {
            ("message", "leaf") => assert_eq!(events.len() as u64, all - place.rows, "{place:?}: {saved:?}"),
            ("message_body", "leaf") => assert_eq!(whole, all - place.rows, "{place:?}"),
            ("message_body", "overflow") => assert_eq!(whole, all - 1, "{place:?}"),
            _ => assert_eq!(whole, all, "{place:?}"),
        }
        match place.name.as_str() {
            "journey" | "name" | "journey_member" => assert!(saved.retell, "{place:?}"),
            _ => {}
        }
        match (place.name.as_str(), place.sort.as_str()) {
            ("journey", "leaf") => assert_eq!(journeys, BATCHES * TRACES - place.rows, "{place:?}"),
            ("name", "leaf") => {}
            _ => assert_eq!(journeys, BATCHES * TRACES, "{place:?}"),
        }
        println!("{} {} {}: {:?}", place.name, place.sort, place.number, saved.lost);
        tried += 1;
        drop(r);
        fs::remove_file(&into).unwrap();
    }
    println!("{tried} of {} pages were damaged in turn", places.len());
    assert!(tried > 40, "{tried}");
}

#[test]
fn what_a_chunk_cost_is_told_by_period_and_trace() {
    let (folder, path) = workspace();
    let body = places(&path).into_iter().rfind(|p| p.name == "chunk" && p.sort == "overflow").unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // A single bit: only the checksum sees it.
    bytes[(body.number - 1) * PAGE + 1_000] ^= 4;
    fs::write(&path, bytes).unwrap();
    let found = checked(&path).unwrap();
    assert!(found.problems.iter().any(|p| p.part == "spans and log records"), "{found:#?}");
    let saved = repaired(&path, &folder.path().join("saved.flowglass")).unwrap();
    let spans = saved.lost.iter().find(|l| l.what == "spans").unwrap();
    assert!(spans.count.is_some_and(|n| n > 0) && spans.first >= Some(T0) && spans.last > spans.first, "{saved:#?}");
    assert!(!spans.traces.is_empty() && saved.retell, "{saved:#?}");
}

#[test]
fn what_stands_only_in_the_log_is_saved_too() {
    let mut w = Scratch::new();
    w.write(|tx| LOAD.put(tx, 0).unwrap());
    let copy = w.folder.path().join("copy.flowglass");
    for suffix in ["", "-wal"] {
        let mut from = w.path.clone().into_os_string();
        from.push(suffix);
        let mut to = copy.clone().into_os_string();
        to.push(suffix);
        fs::copy(from, to).unwrap();
    }
    let saved = repaired(&copy, &w.folder.path().join("saved.flowglass")).unwrap();
    assert_eq!((saved.stats.spans, saved.stats.events), (TRACES * LOAD.spans, EVENTS));
    assert!(matches!(repaired(&w.path, &w.folder.path().join("other")), Err(StoreError::Held { .. })));
}

#[test]
fn what_was_deleted_does_not_come_back() {
    let mut w = Scratch::new();
    w.write(|tx| tx.add_spans(&(1..=300).map(|i| span(i, i, T0)).collect::<Vec<_>>()).unwrap());
    w.write(|tx| tx.erase_traces(&[trace_id(7)]).unwrap());
    assert!(w.writer.is_unswept());
    let Scratch { folder, path, writer } = w;
    drop(writer);
    assert!(checked(&path).unwrap().is_sound(), "{:#?}", checked(&path));
    let into = folder.path().join("saved.flowglass");
    let saved = repaired(&path, &into).unwrap();
    assert_eq!((saved.stats.spans, saved.lost.len()), (299, 0), "{saved:?}");
    assert!(Reader::open(&into).unwrap().find_span(SpanId::new(8u64.to_be_bytes()).unwrap()).unwrap().is_empty());
    assert!(!Writer::open(&into, Access::Open).unwrap().is_unswept());
}

#[test]
fn what_is_no_workspace_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    assert!(matches!(checked(&path), Err(StoreError::Missing { .. })));
    fs::write(&path, "notes ".repeat(1_000)).unwrap();
    assert!(matches!(checked(&path), Err(StoreError::Foreign { .. })));
    assert!(matches!(repaired(&path, &folder.path().join("new")), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().filter(|e| e.as_ref().unwrap().file_name() == "new").count(), 0);
}
