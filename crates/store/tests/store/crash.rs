//! `kill -9` right after an acknowledged commit: all of it is there.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use flowglass_model::{Delta, SeriesKey};
use flowglass_store::{Access, Reader, Writer};

use crate::build::{T0, span, trace_id};

const CHILD: &str = "FLOWGLASS_TEST_WRITES_TO";
const PER_COMMIT: u64 = 20;

/// What the killed process does: commit, tell, go on until it dies.
fn write_for_ever(path: PathBuf) {
    let mut writer = Writer::open(&path, Access::Create).unwrap();
    for commit in 0.. {
        let spans: Vec<_> = (0..PER_COMMIT).map(|i| span(commit, commit * PER_COMMIT + i, T0)).collect();
        let key = SeriesKey::Operation { participant: "service:a".into(), operation: "x".into() };
        let delta = Delta { key: key.into(), at: T0, count: PER_COMMIT as i64, error: false, duration: None };
        let mut tx = writer.begin().unwrap();
        tx.add_spans(&spans).unwrap();
        tx.apply(&[delta]).unwrap();
        tx.commit().unwrap();
        println!("committed {commit}");
    }
}

#[test]
fn acknowledged_commits_survive_a_kill() {
    if let Some(path) = std::env::var_os(CHILD) {
        return write_for_ever(path.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.flowglass");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::acknowledged_commits_survive_a_kill", "--exact", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).filter_map(|l| l.rsplit_once("committed ")?.1.parse::<u64>().ok());
    let acknowledged = told.take(40).last().unwrap() + 1;
    child.kill().unwrap();
    child.wait().unwrap();

    let reader = Reader::open(&path).unwrap();
    let stats = reader.stats().unwrap();
    assert!(stats.spans >= acknowledged * PER_COMMIT, "{} of {}", stats.spans, acknowledged * PER_COMMIT);
    for commit in 0..acknowledged {
        assert_eq!(reader.trace(trace_id(commit)).unwrap().len() as u64, PER_COMMIT);
    }
    assert_eq!(reader.series(None, None).unwrap()[0].count as u64, stats.spans, "spans and figures agree");
    let mut writer = Writer::open(&path, Access::Open).expect("the lock died with its holder");
    let mut tx = writer.begin().unwrap();
    tx.add_spans(&[span(9_999, 1, T0)]).unwrap();
    tx.commit().unwrap();
    assert_eq!(reader.stats().unwrap().spans, stats.spans + 1);
}
