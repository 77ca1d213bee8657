//! The file for bug reports: a zip with versions, settings, counters, sources and the last log lines, without any data and
//! without secrets.

use std::io::{Cursor, Write as _};

use flowglass_store::sqlite_version;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::recent_log;
use crate::scrub::{scrub, scrub_json, without_quotes};
use crate::workspace::{Workspace, WorkspaceError};

/// Files of the bundle; `counters.json` and `settings.toml` need a workspace, `sources.json` a running studio.
pub const FILES: [&str; 6] =
    ["README.txt", "versions.json", "counters.json", "settings.toml", "sources.json", "log.txt"];

const README: &str = "Flowglass diagnostics
=====================

Made by you, on your machine; nothing was sent anywhere. Look through it before you attach it to a bug report.

versions.json   versions of Flowglass and SQLite, the operating system, the screen
counters.json   how much is stored, and how large the workspace file is
sources.json    listeners and connections: addresses, states, counters, what was refused and why
settings.toml   the settings of the workspace: layers, domains, aliases, owners, rules
log.txt         the last lines of the program's own log (up to 2,000)

No spans, events, log records or payloads of yours are in it. Passwords, tokens, keys and user names in addresses are replaced
by [redacted]; so are contacts of owners. Names of your services, hosts, subjects and files are in it: they are what most bug
reports are about.
";

/// A zip with what a bug report needs. `workspace`: whose counters and settings; `sources`: what is received from where, as the
/// window shows it; `screen`: figures of screen and browser in words. Everything goes through [`scrub`].
pub fn bundle(
    workspace: Option<&Workspace>,
    sources: Option<Value>,
    screen: Option<String>,
) -> Result<Vec<u8>, WorkspaceError> {
    let mut files = vec![("README.txt", README.to_owned()), ("versions.json", pretty(versions(screen)))];
    if let Some(workspace) = workspace {
        files.push(("counters.json", pretty(counters(workspace)?)));
        let settings = workspace.settings();
        let problem = settings.problem.map(|p| format!("# Cannot be read now: {}\n", p.replace('\n', " ")));
        let text = format!("{}{}", problem.unwrap_or_default(), without_contacts(&settings.text));
        files.push(("settings.toml", scrub(&text)));
    }
    if let Some(sources) = sources {
        files.push(("sources.json", pretty(without_data(sources))));
    }
    files.push(("log.txt", scrub(&recent_log::lines().join("\n"))));
    Ok(zipped(&files).unwrap_or_default())
}

fn versions(screen: Option<String>) -> Value {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map(|n| n.trim_matches('"').to_owned());
    json!({
        "flowglass": env!("CARGO_PKG_VERSION"),
        "sqlite": sqlite_version(),
        "operating_system": std::env::consts::OS,
        "release": system,
        "architecture": std::env::consts::ARCH,
        "processors": std::thread::available_parallelism().map(usize::from).ok(),
        "screen": screen,
    })
}

fn counters(workspace: &Workspace) -> Result<Value, WorkspaceError> {
    let (stats, rejected, participants) =
        workspace.read(|r| Ok((r.stats()?, r.rejected(50)?, r.participants_seen()?.len())))?;
    let rejected: Vec<Value> = rejected
        .into_iter()
        .map(|(at, r)| {
            let at = at.map(crate::time::rfc3339);
            json!({ "at": at, "source": r.source, "place": r.at, "reason": without_quotes(&r.reason), "count": r.count })
        })
        .collect();
    Ok(json!({
        "workspace": workspace.path(),
        "spans": stats.spans,
        "traces": stats.traces,
        "events": stats.events,
        "logs": stats.logs,
        "rejected": stats.rejected,
        "dropped": stats.dropped,
        "bytes": stats.bytes,
        "oldest": stats.oldest.map(crate::time::rfc3339),
        "newest": stats.newest.map(crate::time::rfc3339),
        "participants": participants,
        "rejected_lately": rejected,
    }))
}

/// Sources without texts to copy, the senders' token, and data that a reason quotes.
fn without_data(mut sources: Value) -> Value {
    if let Some(fields) = sources.as_object_mut() {
        fields.remove("snippets");
        fields.remove("token");
        for import in fields.get_mut("imports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(import) = import.as_object_mut() {
                import.remove("rejected");
            }
        }
        for list in ["refusals", "silent"] {
            for item in fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(Value::String(reason)) = item.get_mut("reason") {
                    *reason = without_quotes(reason);
                }
            }
        }
    }
    sources
}

/// Settings without the contacts of owners: people's addresses are nobody's business in a bug report.
fn without_contacts(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) if name.trim().trim_start_matches('#').trim() == "contact" => format!("{name}= \"[redacted]\""),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn pretty(mut value: Value) -> String {
    scrub_json(&mut value);
    // A value that is JSON already can be written.
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn zipped(files: &[(&str, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default())?;
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}
