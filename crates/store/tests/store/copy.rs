//! Copies of a workspace, beside its writer and in its own place.

use std::fs;
use std::path::Path;

use flowglass_store::{Access, Reader, StoreError, Writer, compact};

use crate::build::{Scratch, T0, checked, span, trace_id};

fn filled(traces: std::ops::Range<u64>) -> Scratch {
    let mut w = Scratch::new();
    w.write(|tx| traces.for_each(|n| tx.add_spans(&[span(n, 1, T0 + n as i64)]).unwrap()));
    w
}

fn is_sound(path: &Path) -> bool {
    checked(path).unwrap().is_sound()
}

#[test]
fn a_copy_made_while_others_write_has_all_that_was_committed_before() {
    let mut w = filled(0..500);
    let to = w.folder.path().join("copy.flowglass");
    let (from, target) = (w.path.clone(), to.clone());
    let (begun, begins) = std::sync::mpsc::channel();
    let copying = std::thread::spawn(move || {
        let reader = Reader::open(&from).unwrap();
        begun.send(()).unwrap();
        reader.copy_to(&target, &mut |_| true).unwrap().unwrap()
    });
    begins.recv().unwrap();
    let mut more = 500;
    while !copying.is_finished() {
        w.write(|tx| tx.add_spans(&[span(more, 1, T0)]).unwrap());
        more += 1;
    }
    let copied = copying.join().unwrap();
    let copy = Reader::open(&to).unwrap();
    let spans = copy.stats().unwrap().spans;
    assert!((500..=more).contains(&spans), "{spans} of {more}");
    // One state: counters, traces and figures are of the same commit.
    assert_eq!((0..more).filter(|n| !copy.trace(trace_id(*n)).unwrap().is_empty()).count() as u64, spans);
    assert_eq!(copied.after, fs::metadata(&to).unwrap().len());
    assert!(is_sound(&to));
    drop(copy);
    let mut copy = Writer::open(&to, Access::Open).unwrap();
    copy.begin().unwrap().commit().unwrap();
    assert!(copy.can_shrink().unwrap(), "a copy gives room back as its original does");
}

#[test]
fn a_cancelled_copy_leaves_nothing_and_no_file_is_overwritten() {
    let w = filled(0..50);
    let to = w.folder.path().join("cancelled.flowglass");
    assert!(w.reader().copy_to(&to, &mut |_| false).unwrap().is_none());
    let left = fs::read_dir(w.folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.contains("cancelled")));
    let to = w.folder.path().join("copy.flowglass");
    fs::write(&to, "mine").unwrap();
    let error = w.reader().copy_to(&to, &mut |_| true).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }) && error.to_string().contains("copy.flowglass"), "{error}");
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    let nowhere = w.folder.path().join("none").join("copy.flowglass");
    assert!(w.reader().copy_to(&nowhere, &mut |_| true).is_err());
    // What a crash left of an earlier one is no obstacle.
    let to = w.folder.path().join("other.flowglass");
    fs::write(w.folder.path().join("other.flowglass.part"), "half").unwrap();
    assert!(w.reader().copy_to(&to, &mut |_| true).unwrap().is_some());
    assert!(!w.folder.path().join("other.flowglass.part").exists());
}

#[test]
fn compacting_gives_back_what_nothing_uses() {
    let mut w = filled(0..3_000);
    let gone: Vec<_> = (0..2_900).map(trace_id).collect();
    w.write(|tx| tx.erase_traces(&gone).unwrap());
    while w.write(|tx| tx.sweep().unwrap()) {}
    let Scratch { folder, path, writer } = w;
    drop(writer);
    let before = fs::metadata(&path).unwrap().len();
    let copied = compact(&path, &mut |_| true).unwrap().unwrap();
    assert!(copied.after < before, "{copied:?}, {before}");
    assert_eq!(fs::metadata(&path).unwrap().len(), copied.after);
    let reader = Reader::open(&path).unwrap();
    assert_eq!((reader.stats().unwrap().spans, reader.space().unwrap().free), (100, 0));
    assert!(is_sound(&path));
    let mut writer = Writer::open(&path, Access::Open).unwrap();
    let mut tx = writer.begin().unwrap();
    tx.add_spans(&[span(9_000, 1, T0)]).unwrap();
    tx.commit().unwrap();
    assert!(!reader.trace(trace_id(9_000)).unwrap().is_empty());
    drop(folder);
}

#[test]
fn a_workspace_that_somebody_has_open_is_not_compacted() {
    let w = filled(0..10);
    let error = compact(&w.path, &mut |_| true).unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    let reader = w.reader();
    let Scratch { folder, path, writer } = w;
    reader.stats().unwrap();
    drop(writer);
    let error = compact(&path, &mut |_| true).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }) && error.to_string().contains("open in another"), "{error}");
    assert_eq!(reader.stats().unwrap().spans, 10);
    drop(reader);
    assert!(compact(&path, &mut |_| true).unwrap().is_some());
    drop(folder);
}
