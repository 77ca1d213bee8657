//! `kill -9` at any moment: what was acknowledged is there, and there once.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flowglass_store::{Access, Reader, Writer};

use crate::build::{checked, trace_id};
use crate::load::{EVENTS, Load, SMALL, TRACES};
use crate::versions;

const CHILD: &str = "FLOWGLASS_TEST_WRITES_TO";
/// Kills, unless `FLOWGLASS_KILLS` says how many.
const KILLS: u64 = 20;
/// Kills of one file, then another is begun.
const OF_ONE_FILE: u64 = 5;
/// Spans of a trace in every seventh batch: as many as an import commits together.
const IMPORTED: u64 = 400;

/// How large a batch is.
fn load(n: u64) -> Load {
    if n % 7 == 6 { Load { spans: IMPORTED, ..SMALL } } else { SMALL }
}

/// What the killed process does: writes, imports, deletes, folds the log in, and tells what is durable, until it dies.
fn write_for_ever(path: &Path) {
    let mut writer = Writer::open(path, Access::Create).unwrap();
    let first = Reader::open(path).unwrap().stats().unwrap().events.div_ceil(EVENTS);
    for n in first.. {
        let mut tx = writer.begin().unwrap();
        load(n).put(&mut tx, n).unwrap();
        tx.commit().unwrap();
        println!("stored {n}");
        if n % 5 == 4 {
            let traces: Vec<_> = SMALL.traces(n - 2).map(trace_id).collect();
            println!("deleting {}", n - 2);
            let mut tx = writer.begin().unwrap();
            tx.erase_traces(&traces).unwrap();
            tx.delete_journeys(&traces).unwrap();
            tx.commit().unwrap();
            println!("deleted {}", n - 2);
            let mut tx = writer.begin().unwrap();
            tx.sweep().unwrap();
            tx.commit().unwrap();
            writer.shrink(8).unwrap();
        }
        if n % 6 == 5 {
            drop(writer);
            writer = Writer::open(path, Access::Open).unwrap();
        }
    }
}

/// What a file was told to hold.
#[derive(Debug, Default)]
struct Told {
    stored: BTreeSet<u64>,
    /// Asked to be deleted; whether it was acknowledged.
    deleting: BTreeSet<u64>,
    deleted: BTreeSet<u64>,
}

impl Told {
    fn hear(&mut self, line: &str) {
        let number = |word: &str| line.rsplit_once(word)?.1.trim().parse::<u64>().ok();
        self.stored.extend(number("stored "));
        self.deleting.extend(number("deleting "));
        self.deleted.extend(number("deleted "));
    }

    fn assert_kept(&self, path: &Path, what: &str) {
        drop(Writer::open(path, Access::Create).unwrap_or_else(|e| panic!("{what}: {e}")));
        let found = checked(path).unwrap();
        assert!(found.is_sound(), "{what}: {found:#?}");
        let r = Reader::open(path).unwrap();
        let last = self.stored.last().copied().unwrap_or_default();
        // One more may have become durable before its acknowledgement was heard.
        let there = |n: u64| !r.messages_of_event_id(&format!("e-{n}-0")).unwrap().is_empty();
        for n in &self.stored {
            assert!(there(*n), "{what}: batch {n} was acknowledged and is gone");
        }
        let mut events = 0;
        for n in (0..last + 3).filter(|n| there(*n)) {
            events += EVENTS;
            let gone = load(n).traces(n).all(|t| r.trace(trace_id(t)).unwrap().is_empty());
            match gone {
                true => assert!(self.deleting.contains(&n), "{what}: batch {n} is gone"),
                false => {
                    assert!(!self.deleted.contains(&n), "{what}: batch {n} was deleted and is there");
                    load(n).assert_holds(&r, n);
                }
            }
        }
        assert_eq!(r.stats().unwrap().events, events, "{what}: none twice");
    }
}

/// Starts a writer and kills it after so many acknowledgements and a moment.
fn kill(path: &Path, told: &mut Told, acknowledgements: u64, moment: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::acknowledged_commits_survive_kills", "--exact", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut heard = 0;
    while heard < acknowledgements {
        let line = lines.next().expect("the writer goes on for ever");
        heard += u64::from(line.contains("stored "));
        told.hear(&line);
    }
    // Not to wait for anything: the moment to kill at.
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.for_each(|line| told.hear(&line));
}

#[test]
fn acknowledged_commits_survive_kills() {
    if let Some(path) = std::env::var_os(CHILD) {
        return write_for_ever(&PathBuf::from(path));
    }
    let kills = std::env::var("FLOWGLASS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    // xorshift (Marsaglia 2003).
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 16
    };
    let (mut done, mut stored, mut deleted) = (0, 0, 0);
    while done < kills {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Told::default();
        // Files of older versions are brought up to date by the process that is killed.
        let path = match done / OF_ONE_FILE % 3 {
            0 => folder.path().join("new.flowglass"),
            version => {
                told.stored.extend(0..versions::BATCHES);
                versions::unpacked(version as u32, folder.path())
            }
        };
        for of_file in 0..OF_ONE_FILE.min(kills - done) {
            let acknowledgements = if of_file == 0 { 0 } else { draw() % 12 };
            let moment = Duration::from_micros(draw() % 30_000);
            kill(&path, &mut told, acknowledgements, moment);
            done += 1;
            told.assert_kept(
                &path,
                &format!("kill {done}, {acknowledgements} acknowledgements and {moment:?} after the start"),
            );
        }
        stored += told.stored.len() as u64;
        deleted += told.deleted.len() as u64;
    }
    println!("{done} kills: {stored} acknowledged batches of {TRACES} traces and {EVENTS} events, {deleted} deletions");
    assert!(stored > kills, "{stored} batches in {kills} kills");
}
