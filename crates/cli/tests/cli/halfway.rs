//! Commands that write a file, ended by Ctrl C or killed: the file is there whole or not at all, and what it is made of stays as it was.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{flowglass, folder_with, json as answer, names, path, run, text};

/// Traces in the workspace: enough that each command takes some milliseconds.
const TRACES: usize = 1_000;
/// Moments at which each command is ended.
const MOMENTS: u32 = 8;
/// Length of a page of a workspace, bytes.
const PAGE: usize = 8_192;

/// A workspace with some thousand journeys.
fn imported() -> (tempfile::TempDir, PathBuf) {
    let span = |n: usize| {
        serde_json::json!({ "traceId": format!("{:032x}", n + 1), "spanId": format!("{:016x}", n + 1), "kind": 2,
            "name": format!("POST /orders/{n:x}"), "startTimeUnixNano": "1700000000000000000",
            "endTimeUnixNano": "1700000000250000000",
            "attributes": [{ "key": "orderId", "value": { "stringValue": format!("o-{:x}", n * 7_919) } }] })
    };
    let spans: Vec<_> = (0..TRACES).map(span).collect();
    let resource =
        serde_json::json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "web-exp-api" } }] });
    let traces = serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
    let (folder, file) = folder_with("traces.json", traces.to_string());
    let workspace = folder.path().join("w.flowglass");
    let told = answer(&["import", "--workspace", path(&workspace), path(&file), "--json"]);
    assert_eq!(told["spans"].as_u64(), Some(TRACES as u64), "{told}");
    std::fs::remove_file(file).unwrap();
    (folder, workspace)
}

fn spans(workspace: &Path) -> Option<u64> {
    answer(&["stats", "--workspace", path(workspace), "--json"])["spans"].as_u64()
}

/// Names in a folder, without what SQLite and locks keep beside a workspace.
fn files(folder: &Path) -> Vec<String> {
    let own = |name: &String| ![".lock", "-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end));
    names(folder).into_iter().filter(own).collect()
}

/// Runs a command and sends it a signal so long after its start; it may be through by then.
fn ended(arguments: &[&str], signal: &str, moment: Duration) -> Output {
    // What it leaves when it is killed goes with this folder.
    let own = tempfile::tempdir().unwrap();
    let child =
        flowglass(arguments).env("TMPDIR", own.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Not to wait for anything: the moment to end it at.
    std::thread::sleep(moment);
    // It may be gone already, but not its number: nobody waited for it yet.
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait_with_output().unwrap()
}

/// Moments from the start of a command to its usual end.
fn moments(arguments: &[&str]) -> impl Iterator<Item = Duration> {
    let begun = Instant::now();
    run(arguments);
    let takes = begun.elapsed();
    (1..=MOMENTS).map(move |nth| takes * nth / (MOMENTS + 1))
}

/// What a command told when it was ended: through, or interrupted and said so, or ended before it listened to signals.
fn assert_told(output: &Output, done: bool, what: &str) {
    let words = text(&output.stderr);
    match output.status.code() {
        Some(0) | Some(1) => assert!(done, "{what}: {words}"),
        Some(2) => assert!(!done && words.contains("interrupted"), "{what}: {words}"),
        None => assert!(!done, "{what}: {words}"),
        other => panic!("{what}: {other:?} {words}"),
    }
}

#[test]
fn a_copy_that_is_ended_is_whole_or_not_there() {
    let (folder, workspace) = imported();
    let to = folder.path().join("copy.flowglass");
    let backup = ["backup", path(&workspace), path(&to)];
    for moment in moments(&backup) {
        let _ = std::fs::remove_file(&to);
        let output = ended(&backup, "-INT", moment);
        let what = format!("backup after {moment:?}");
        assert_told(&output, to.exists(), &what);
        if to.exists() {
            assert_eq!(spans(&to), Some(TRACES as u64), "{what}");
        } else {
            assert_eq!(files(folder.path()), ["w.flowglass"], "{what}");
        }
        assert_eq!(spans(&workspace), Some(TRACES as u64), "{what}");
    }
    let _ = std::fs::remove_file(&to);
    let compact = ["compact", path(&workspace)];
    for moment in moments(&compact) {
        let output = ended(&compact, "-INT", moment);
        assert!(matches!(output.status.code(), Some(0 | 2) | None), "{}", text(&output.stderr));
        assert_eq!(files(folder.path()), ["w.flowglass"], "compact after {moment:?}");
        assert_eq!(spans(&workspace), Some(TRACES as u64), "compact after {moment:?}");
    }
}

#[test]
fn saving_that_is_ended_leaves_the_damaged_file_alone() {
    let (folder, workspace) = imported();
    let mut bytes = std::fs::read(&workspace).unwrap();
    let last = bytes.len() / PAGE - 1;
    bytes[last * PAGE..].fill(0x5a);
    std::fs::write(&workspace, &bytes).unwrap();
    let into = folder.path().join("w.repaired.flowglass");
    let check = ["check", path(&workspace), "--repair"];
    for (moment, signal) in moments(&check).flat_map(|moment| [(moment, "-INT"), (moment, "-KILL")]) {
        let _ = std::fs::remove_file(&into);
        let output = ended(&check, signal, moment);
        let what = format!("check --repair, {signal} after {moment:?}");
        assert_told(&output, into.exists(), &what);
        assert_eq!(std::fs::read(&workspace).unwrap(), bytes, "{what}");
        if into.exists() {
            assert_eq!(answer(&["check", path(&into), "--json"])["sound"], true, "{what}");
        } else if output.status.code().is_some() {
            assert_eq!(files(folder.path()), ["w.flowglass"], "{what}");
        }
        assert!(
            files(folder.path()).iter().all(|n| n.starts_with("w.flowglass") || n.starts_with("w.repaired.flowglass"))
        );
    }
    let _ = std::fs::remove_file(&into);
    assert_eq!(run(&check).status.code(), Some(1));
    assert_eq!(
        files(folder.path()),
        ["w.flowglass", "w.repaired.flowglass"],
        "what was left goes with the next attempt"
    );
}

#[test]
fn an_export_that_is_ended_leaves_what_was_there() {
    let (folder, workspace) = imported();
    let ids: Vec<String> = (0..20).map(|n| format!("{:032x}", n + 1)).collect();
    for name in ["story.html", "story.flowglass"] {
        let to = folder.path().join(name);
        let mut export = vec!["export"];
        export.extend(ids.iter().map(String::as_str));
        export.extend(["--workspace", path(&workspace), "-o", path(&to)]);
        let times = moments(&export);
        let whole = std::fs::metadata(&to).unwrap().len();
        for (moment, signal) in times.flat_map(|moment| [(moment, "-INT"), (moment, "-KILL")]) {
            let before = std::fs::read(&to).unwrap();
            let output = ended(&export, signal, moment);
            let what = format!("{name}, {signal} after {moment:?}");
            let there = std::fs::read(&to).unwrap();
            assert!(there == before || (there.len() as u64).abs_diff(whole) < whole / 2, "{what}");
            assert!(matches!(output.status.code(), Some(0 | 2) | None), "{what}: {}", text(&output.stderr));
            if name.ends_with("flowglass") {
                assert_eq!(spans(&to), Some(ids.len() as u64), "{what}");
            } else {
                assert!(text(&there).trim_end().ends_with("</html>"), "{what}");
            }
            for left in files(folder.path())
                .iter()
                .filter(|n| !["w.flowglass", "story.html", "story.flowglass"].contains(&n.as_str()))
            {
                assert!(left.starts_with(&format!(".{name}.")) && left.ends_with(".part"), "{what}: {left}");
                std::fs::remove_file(folder.path().join(left)).unwrap();
            }
        }
    }
}

/// Whether there is room for the rest is asked again and again; here there never is.
#[test]
fn an_import_without_room_says_so_and_can_be_stopped() {
    use std::io::{BufRead as _, BufReader};

    let (folder, file) = folder_with("order.json", crate::support::TRACE);
    let workspace = folder.path().join("w.flowglass");
    let import = ["import", "--workspace", path(&workspace), path(&file), "--reserve", "1000000GB"];
    let mut child = flowglass(&import).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("waiting: ")).expect("it says that it waits");
    assert!(line.contains("kept free") && line.contains("goes on by itself") && line.contains("make room"), "{line}");
    assert!(!line.contains("senders"), "{line}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted")), "{rest:?}");
    assert_eq!(spans(&workspace), Some(0));
    assert!(
        answer(&["import", "--workspace", path(&workspace), path(&file), "--reserve", "0"])["spans"].as_u64() > Some(0)
    );
}
