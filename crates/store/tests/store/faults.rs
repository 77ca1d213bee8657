//! A disk that fails at every operation of a workload in turn: what was acknowledged is there, and there once.

use std::collections::BTreeSet;
use std::path::Path;

use flowglass_faults::{Disk, Fault};
use flowglass_store::{Access, Reader, StoreError, Writer};

use crate::build::{checked, trace_id};
use crate::load::{EVENTS, SMALL, TRACES};
use crate::versions;

/// Operations tried of each sort of fault, unless `FLOWGLASS_EVERY_FAULT` is set: then all.
const TRIED: u64 = 40;
const BATCHES: u64 = 9;
/// Batch whose traces are deleted.
const DELETED: u64 = 1;
/// Batch from which on there is room again as soon as something was refused.
const ROOM: u64 = 6;

/// What the workload was told.
#[derive(Debug, Default)]
struct Told {
    stored: BTreeSet<u64>,
    deleted: bool,
    refused: Vec<String>,
}

/// The one who writes, as the application does: goes on after errors, opens again what did not open.
struct Work<'a> {
    path: &'a Path,
    writer: Option<Writer>,
    told: Told,
}

impl Work<'_> {
    fn step<T>(&mut self, work: impl FnOnce(&mut Writer) -> Result<T, StoreError>) -> Option<T> {
        let open = match self.writer.take() {
            Some(writer) => Ok(writer),
            None => Writer::open(self.path, Access::Create),
        };
        let done = open.and_then(|writer| work(self.writer.insert(writer)));
        done.map_err(|error| self.told.refused.push(error.to_string())).ok()
    }

    fn put(&mut self, n: u64) {
        let done = self.step(|writer| {
            let mut tx = writer.begin()?;
            SMALL.put(&mut tx, n)?;
            tx.commit()
        });
        self.told.stored.extend(done.map(|()| n));
    }

    fn delete(&mut self) {
        let traces: Vec<_> = SMALL.traces(DELETED).map(trace_id).collect();
        let done = self.step(|writer| {
            let mut tx = writer.begin()?;
            tx.erase_traces(&traces)?;
            tx.delete_journeys(&traces)?;
            tx.commit()
        });
        self.told.deleted = done.is_some() && self.told.stored.contains(&DELETED);
        for _ in 0..3 {
            self.step(|writer| {
                let mut tx = writer.begin()?;
                let more = tx.sweep()?;
                tx.commit()?;
                writer.shrink(4)?;
                Ok(more)
            });
        }
    }
}

/// Writes, closes, deletes, closes.
fn workload(path: &Path, disk: &Disk) -> Told {
    let mut work = Work { path, writer: None, told: Told::default() };
    for n in 0..BATCHES {
        if n == 3 {
            // Folds the log into the file.
            work.writer = None;
        }
        if n == 5 {
            work.delete();
        }
        work.put(n);
        if n >= ROOM && disk.is_full() {
            // There is room again, and whoever was refused sends again.
            disk.heal();
            if !work.told.stored.contains(&n) {
                work.put(n);
            }
        }
    }
    work.writer = None;
    work.told
}

/// Opens what the fault left, without repair, and holds it against what was acknowledged.
fn assert_whole(path: &Path, told: &Told, what: &str) {
    drop(Writer::open(path, Access::Create).unwrap_or_else(|e| panic!("{what}: {e}")));
    let found = checked(path).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(found.is_sound(), "{what}: {found:#?} {told:#?}");
    let r = Reader::open(path).unwrap();
    let mut events = 0;
    for n in 0..BATCHES {
        let is_there = !r.messages_of_event_id(&format!("e-{n}-0")).unwrap().is_empty();
        assert!(is_there || !told.stored.contains(&n), "{what}: batch {n} was acknowledged and is gone: {told:#?}");
        events += if is_there { EVENTS } else { 0 };
        let gone = r.trace(trace_id(n * TRACES + 1)).unwrap().is_empty();
        match (is_there, gone) {
            // What was deleted is gone whole; what was asked to be deleted is whole or gone.
            (true, true) if n == DELETED => assert!(SMALL.traces(n).all(|t| r.trace(trace_id(t)).unwrap().is_empty())),
            (true, _) => {
                assert!(n != DELETED || !told.deleted, "{what}: what was deleted is there again");
                SMALL.assert_holds(&r, n);
            }
            (false, _) => SMALL.assert_gone(&r, n),
        }
    }
    assert_eq!(r.stats().unwrap().events, events, "{what}: none twice");
}

/// Operation numbers to try of so many.
fn points(all: u64) -> Vec<u64> {
    let tried = if std::env::var_os("FLOWGLASS_EVERY_FAULT").is_some() { all } else { TRIED.min(all) };
    (0..tried).map(|i| 1 + i * all / tried).collect()
}

fn every_operation_fails_with(fault: Fault) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::below(folder.path());
    let plain = workload(&folder.path().join("plain.flowglass"), &disk);
    assert_eq!((plain.stored.len() as u64, plain.refused.len()), (BATCHES, 0), "{plain:?}");
    assert_whole(&folder.path().join("plain.flowglass"), &plain, "without a fault");
    disk.fail(u64::MAX, fault);
    workload(&folder.path().join("count.flowglass"), &disk);
    let all = disk.operations();
    let (mut struck, mut refused) = (0, 0);
    for at in points(all) {
        let path = folder.path().join(format!("{at}.flowglass"));
        disk.fail(at, fault);
        let told = workload(&path, &disk);
        struck += u64::from(disk.struck());
        refused += u64::from(!told.refused.is_empty());
        match fault {
            Fault::PowerCut | Fault::Fsync => disk.cut(at).unwrap(),
            _ => disk.heal(),
        }
        let what = format!("{fault:?} at operation {at} of {all}");
        assert_whole(&path, &told, &what);
        if fault == Fault::Full {
            let later = (ROOM..BATCHES).all(|n| told.stored.contains(&n));
            assert!(later, "{what}: it does not go on by itself: {told:#?}");
        }
        for suffix in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(folder.path().join(format!("{at}.flowglass{suffix}")));
        }
    }
    println!("{fault:?}: {} of {all} operations tried, {struck} failed, {refused} runs were told", points(all).len());
    assert!(struck > 0 && refused > 0);
}

#[test]
fn a_disk_that_goes_away_loses_nothing_acknowledged() {
    every_operation_fails_with(Fault::Eio);
}

#[test]
fn an_error_that_passes_loses_nothing_acknowledged() {
    every_operation_fails_with(Fault::EioOnce);
}

#[test]
fn a_full_disk_loses_nothing_acknowledged_and_goes_on_when_there_is_room() {
    every_operation_fails_with(Fault::Full);
}

#[test]
fn a_short_write_loses_nothing_acknowledged() {
    every_operation_fails_with(Fault::ShortWrite);
}

#[test]
fn a_failed_sync_loses_nothing_acknowledged() {
    every_operation_fails_with(Fault::Fsync);
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    every_operation_fails_with(Fault::PowerCut);
}

/// Files of older versions, brought up to date on a disk that fails.
#[test]
fn a_migration_that_fails_leaves_the_old_file_whole() {
    let (mut tried, mut refused) = (0, 0);
    for version in versions::OLDER {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::below(folder.path());
        let path = versions::unpacked(version, folder.path());
        disk.fail(u64::MAX, Fault::Eio);
        drop(Writer::open(&path, Access::Open).unwrap());
        let all = disk.operations();
        for fault in Fault::ALL {
            for at in points(all) {
                let path = versions::unpacked(version, folder.path());
                disk.fail(at, fault);
                refused += u64::from(Writer::open(&path, Access::Open).is_err());
                tried += 1;
                match fault {
                    Fault::PowerCut | Fault::Fsync => disk.cut(at).unwrap(),
                    _ => disk.heal(),
                }
                versions::assert_whole(&path, &format!("version {version}, {fault:?} at operation {at} of {all}"));
            }
        }
    }
    println!("{tried} migrations were disturbed, {refused} of them failed");
    assert!(refused > 0);
}
