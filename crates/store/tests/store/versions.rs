//! Kept files of every version so far.

use std::path::{Path, PathBuf};
use std::{fs, io};

use flowglass_store::{Access, Reader, Writer};

use crate::build::{Scratch, checked, repaired};
use crate::load::{EVENTS, SMALL, TRACES};

/// Versions before this one.
pub(crate) const OLDER: [u32; 2] = [1, 2];
/// Batches in a kept file.
pub(crate) const BATCHES: u64 = 3;
/// Versions of which a file is kept. The fourth came together with the fifth: no program ever wrote it.
const KEPT: [usize; 5] = [1, 2, 3, 5, 6];
/// What made the tables of each version.
const SCHEMAS: [&str; 6] = [
    include_str!("../../src/schema_1.sql"),
    include_str!("../../src/schema_2.sql"),
    include_str!("../../src/schema_3.sql"),
    include_str!("../../src/schema_4.sql"),
    include_str!("../../src/schema_5.sql"),
    include_str!("../../src/schema_6.sql"),
];

fn kept(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{version}.flowglass.zst"))
}

/// A kept file, in a folder.
pub(crate) fn unpacked(version: u32, folder: &Path) -> PathBuf {
    let path = folder.join(format!("v{version}.flowglass"));
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("v{version}.flowglass{suffix}")));
    }
    let packed = fs::File::open(kept(version)).unwrap();
    zstd::stream::copy_decode(packed, fs::File::create(&path).unwrap()).unwrap();
    path
}

/// Opens for writing and holds all that was in the kept file.
pub(crate) fn assert_whole(path: &Path, what: &str) {
    let mut writer = Writer::open(path, Access::Open).unwrap_or_else(|e| panic!("{what}: {e}"));
    let r = Reader::open(path).unwrap_or_else(|e| panic!("{what}: {e}"));
    (0..BATCHES).for_each(|n| SMALL.assert_holds(&r, n));
    let stats = r.stats().unwrap();
    assert_eq!((stats.spans, stats.events), (BATCHES * TRACES * SMALL.spans, BATCHES * EVENTS), "{what}");
    let mut tx = writer.begin().unwrap();
    SMALL.put(&mut tx, BATCHES).unwrap();
    tx.commit().unwrap();
    SMALL.assert_holds(&r, BATCHES);
    drop((r, writer));
    let found = checked(path).unwrap();
    assert!(found.is_sound(), "{what}: {found:#?}");
}

#[test]
fn every_version_so_far_opens_and_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    for version in KEPT.map(|version| version as u32) {
        let path = unpacked(version, folder.path());
        let before = fs::read(&path).unwrap();
        let found = checked(&path).unwrap();
        assert!(found.is_sound() && found.format == i64::from(version), "{found:#?}");
        assert_eq!(fs::read(&path).unwrap(), before, "a check changes nothing");
        assert_whole(&path, &format!("version {version}"));
    }
}

#[test]
fn older_versions_are_saved_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for version in OLDER {
        let path = unpacked(version, folder.path());
        let into = folder.path().join(format!("saved-{version}"));
        let saved = repaired(&path, &into).unwrap();
        assert!(saved.lost.is_empty() && saved.pages.is_empty(), "{saved:?}");
        assert_whole(&into, &format!("saved from version {version}"));
    }
}

/// Makes the kept files: what this version writes, in the tables of each version (the columns that were there, and what
/// triggers make of them). Once per version, with `FLOWGLASS_RENEW=1`; kept files are never made anew.
#[test]
fn there_is_a_kept_file_of_every_version() {
    for version in KEPT {
        let file = kept(version as u32);
        if std::env::var_os("FLOWGLASS_RENEW").is_some() && !file.exists() {
            keep(version, &file).unwrap();
        }
        assert!(file.exists(), "{} is missing; FLOWGLASS_RENEW=1 makes it", file.display());
    }
}

fn keep(version: usize, file: &Path) -> io::Result<()> {
    let mut w = Scratch::new();
    for n in 0..BATCHES {
        w.write(|tx| SMALL.put(tx, n).unwrap());
    }
    let Scratch { folder, path, writer } = w;
    drop(writer);
    let older = folder.path().join("older.flowglass");
    let conn = rusqlite::Connection::open(&older).unwrap();
    conn.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
        .unwrap();
    SCHEMAS[..version].iter().for_each(|sql| conn.execute_batch(sql).unwrap());
    conn.execute("ATTACH ?1 AS now", [path.to_str().unwrap()]).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut all = conn.prepare(sql).unwrap();
        all.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for table in names("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
        // Triggers count these.
        if table == "journey_kind" {
            continue;
        }
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}', 'main')")).join(", ");
        conn.execute_batch(&format!("INSERT INTO main.{table}({columns}) SELECT {columns} FROM now.{table}")).unwrap();
    }
    // Up to the sixth version a series counted its finest rows alone.
    let finest = "UPDATE series SET live = (SELECT count(*) FROM rollup WHERE level = 0 AND series = series.id)";
    conn.execute_batch(finest).unwrap();
    conn.execute_batch(&format!(
        "DETACH now; PRAGMA application_id = 1179406167; PRAGMA user_version = {version}; PRAGMA wal_checkpoint(TRUNCATE);"
    ))
    .unwrap();
    drop(conn);
    fs::create_dir_all(file.parent().unwrap())?;
    zstd::stream::copy_encode(fs::File::open(&older)?, fs::File::create(file)?, 19)
}
