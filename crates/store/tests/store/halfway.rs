//! Checks and copies that end before they are through: told to stop at every word about their progress, or killed. What they are made
//! of stays whole, and nothing that is half passes for more.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flowglass_store::{GoOn, Reader, StoreError, check, compact, repair};

use crate::build::{Scratch, checked, repaired, trace_id};
use crate::load::{Load, TRACES};

const CHILD: &str = "FLOWGLASS_TEST_COPIES";
const BATCHES: u64 = 40;
/// Enough that every form of copy takes some milliseconds.
const LOAD: Load = Load { spans: 6, noise: 160 };
/// Kills of each sort, unless `FLOWGLASS_KILLS` says how many.
const KILLS: u64 = 8;
const SORTS: [Sort; 3] = [Sort::Backup, Sort::Compaction, Sort::Repair];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    Backup,
    Compaction,
    Repair,
}

impl Sort {
    /// Does it; whether it was not told to stop. A saved file is told to be complete by one more word.
    fn run(self, from: &Path, to: &Path, go_on: &mut GoOn<'_>) -> Result<bool, StoreError> {
        Ok(match self {
            Sort::Backup => Reader::open(from)?.copy_to(to, go_on)?.is_some(),
            Sort::Compaction => compact(from, go_on)?.is_some(),
            Sort::Repair => repair(from, to, go_on, |_, part, go_on| {
                assert!(!to.exists(), "it has its name before it is whole");
                Ok::<_, StoreError>(check(part, go_on)?.is_some())
            })?
            .is_some(),
        })
    }
}

/// A closed workspace with room that nothing uses, and where its copies go.
fn workspace() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let mut w = Scratch::new();
    for n in 0..BATCHES + 5 {
        w.write(|tx| LOAD.put(tx, n).unwrap());
    }
    w.write(|tx| {
        let gone: Vec<_> = (BATCHES..BATCHES + 5).flat_map(|n| LOAD.traces(n)).map(trace_id).collect();
        tx.erase_traces(&gone).unwrap();
        tx.delete_journeys(&gone).unwrap();
    });
    while w.write(|tx| tx.sweep().unwrap()) {}
    let Scratch { folder, path, writer } = w;
    drop(writer);
    let to = folder.path().join("copy.flowglass");
    (folder, path, to)
}

fn assert_whole(path: &Path, what: &str) {
    let found = checked(path).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(found.is_sound(), "{what}: {found:#?}");
    assert_eq!(found.stats.spans, BATCHES * TRACES * LOAD.spans, "{what}");
    let reader = Reader::open(path).unwrap();
    (0..BATCHES).for_each(|n| LOAD.assert_holds(&reader, n));
}

/// What lies in a folder, without locks that nobody holds and what SQLite itself keeps beside a file.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|n| ![".lock", "-wal", "-shm", "-journal"].iter().any(|end| n.ends_with(end))).collect();
    names.sort();
    names
}

#[test]
fn what_is_told_to_stop_at_any_word_leaves_everything_as_it_was() {
    let (folder, from, to) = workspace();
    let before = names(folder.path());
    for sort in SORTS {
        let bytes = fs::read(&from).unwrap();
        let mut parts = Vec::new();
        for stop_at in 0.. {
            let mut words = 0;
            let done = sort.run(&from, &to, &mut |progress| {
                assert!(progress.of == 0 || progress.done <= progress.of, "{progress:?}");
                parts.extend((!parts.contains(&progress.part)).then_some(progress.part));
                words += 1;
                words <= stop_at
            });
            if done.unwrap_or_else(|e| panic!("{sort:?} at {stop_at}: {e}")) {
                break;
            }
            assert_eq!(names(folder.path()), before, "{sort:?} at {stop_at}");
            // Compaction leaves write-ahead logging, which is a mark in the file's head.
            assert!(sort == Sort::Compaction || fs::read(&from).unwrap() == bytes, "{sort:?} at {stop_at}");
        }
        println!("{sort:?}: {parts:?}");
        assert!(parts.len() >= if sort == Sort::Repair { 20 } else { 1 }, "{sort:?}: {parts:?}");
        let result = if sort == Sort::Compaction { &from } else { &to };
        assert_whole(result, &format!("{sort:?}"));
        let _ = fs::remove_file(&to);
    }
    let mut stop_at = 0;
    loop {
        let mut words = 0;
        let found = check(&from, &mut |_| {
            words += 1;
            words <= stop_at
        });
        match found.unwrap() {
            Some(found) => break assert!(found.is_sound() && stop_at >= 6, "{stop_at}: {found:#?}"),
            None => stop_at += 1,
        }
    }
    assert_eq!(names(folder.path()), before);
}

#[test]
fn two_copies_of_one_name_do_not_meet() {
    let (_folder, from, to) = workspace();
    let reader = Reader::open(&from).unwrap();
    let copied = reader.copy_to(&to, &mut |_| {
        let other = Reader::open(&from).unwrap().copy_to(&to, &mut |_| true);
        assert!(matches!(other, Err(StoreError::Held { .. })), "{other:?}");
        true
    });
    copied.unwrap().unwrap();
    assert_whole(&to, "the first");
    fs::remove_file(&to).unwrap();
    let late = reader.copy_to(&to, &mut |_| {
        fs::write(&to, "mine").unwrap();
        true
    });
    assert!(matches!(late, Err(StoreError::Io { .. })), "{late:?}");
    assert_eq!(fs::read(&to).unwrap(), b"mine", "a file that came meanwhile stays");
}

/// What the killed process does.
fn copy_for_ever(sort: Sort, from: &Path, to: &Path) {
    loop {
        println!("begun");
        assert!(sort.run(from, to, &mut |_| true).unwrap());
        println!("done");
        let _ = fs::remove_file(to);
    }
}

/// Kills a process that copies, so long after it began.
fn kill(sort: Sort, from: &Path, moment: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["halfway::what_is_killed_leaves_no_half_file", "--exact", "--nocapture"])
        .env(CHILD, format!("{sort:?}"))
        .current_dir(from.parent().unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("begun")), "{sort:?}: it never began");
    // Not to wait for anything: the moment to kill at.
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!lines.any(|line| line.contains("panicked")), "{sort:?}");
}

#[test]
fn what_is_killed_leaves_no_half_file() {
    let (from, to) = (Path::new("test.flowglass"), Path::new("copy.flowglass"));
    if let Some(sort) = std::env::var_os(CHILD) {
        let sort = SORTS.into_iter().find(|s| sort == *format!("{s:?}"));
        return copy_for_ever(sort.unwrap(), from, to);
    }
    let kills = std::env::var("FLOWGLASS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let (mut state, mut halves) = (0x2545_f491_4f6c_dd1d_u64, 0);
    for sort in SORTS {
        let (folder, from, to) = workspace();
        let begun = std::time::Instant::now();
        sort.run(&from, &to, &mut |_| true).unwrap();
        // Only to choose moments within the work.
        let takes = begun.elapsed().as_micros() as u64;
        let _ = fs::remove_file(&to);
        for nth in 0..kills {
            // xorshift (Marsaglia 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let moment = Duration::from_micros((state >> 16) % takes.max(1));
            let what = format!("{sort:?}, kill {nth} after {moment:?}");
            kill(sort, &from, moment);
            assert_whole(&from, &what);
            if to.exists() {
                assert_whole(&to, &what);
                fs::remove_file(&to).unwrap();
            }
            let left = names(folder.path());
            halves += u64::from(left.iter().any(|n| n.contains(".part")));
            // What is left of it has a name of its own, and is no obstacle.
            assert!(left.iter().all(|n| n == "test.flowglass" || n.contains(".part")), "{what}: {left:?}");
            assert!(sort.run(&from, &to, &mut |_| true).unwrap_or_else(|e| panic!("{what}: {e}")), "{what}");
            let _ = fs::remove_file(&to);
            assert_eq!(names(folder.path()), ["test.flowglass"], "{what}");
        }
        assert_whole(&from, "after all kills");
        let saved = folder.path().join("saved");
        assert!(repaired(&from, &saved).unwrap().lost.is_empty());
    }
    println!("{} kills, {halves} of them left a part", kills * SORTS.len() as u64);
}
