//! The arrows of `crates/ARCHITECTURE.md`, checked against the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::product::root;
use serde_json::Value;

/// A package of the workspace: what it needs to be built, and what only its tests need.
struct Package {
    needs: BTreeSet<String>,
    tests_need: BTreeSet<String>,
}

fn packages() -> Result<BTreeMap<String, Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut packages = BTreeMap::new();
    for package in metadata["packages"].as_array().context("packages")? {
        let of_kind = |test: bool| -> BTreeSet<String> {
            let all = package["dependencies"].as_array().into_iter().flatten();
            let wanted = all.filter(|of| (of["kind"] == "dev") == test && of["kind"] != "build");
            wanted.filter_map(|of| Some(of["name"].as_str()?.to_owned())).collect()
        };
        let name = package["name"].as_str().context("a name")?.to_owned();
        packages.insert(name, Package { needs: of_kind(false), tests_need: of_kind(true) });
    }
    Ok(packages)
}

/// Which rooms a room may know. Levels: model, then the siblings, then the studio, then the shells.
fn may_know(package: &str) -> Option<&'static [&'static str]> {
    Some(match package {
        "flowglass-model" | "flowglass-listen" | "flowglass-demo" | "flowglass-xtask" | "flowglass-tests"
        | "flowglass-faults" => &[],
        "flowglass-ingest" => &["flowglass-model", "flowglass-listen"],
        // All that reads what strangers wrote.
        "flowglass-fuzz" => &["flowglass-studio"],
        "flowglass-store" | "flowglass-topology" | "flowglass-journey" | "flowglass-rules" | "flowglass-scenario"
        | "flowglass-design" | "flowglass-testkit" => &["flowglass-model"],
        "flowglass-studio" => &[
            "flowglass-model",
            "flowglass-ingest",
            "flowglass-store",
            "flowglass-topology",
            "flowglass-journey",
            "flowglass-rules",
            "flowglass-scenario",
            "flowglass-design",
        ],
        "flowglass-cli" => &["flowglass-studio", "flowglass-listen"],
        "flowglass-window" => &["flowglass-studio"],
        _ => return None,
    })
}

#[test]
fn arrows_point_one_way() -> Result<()> {
    let mut wrong = Vec::new();
    for (name, package) in packages()? {
        let Some(allowed) = may_know(&name) else {
            wrong.push(format!("{name} has no place in the house plan (tests/it/architecture.rs)"));
            continue;
        };
        for need in package.needs.iter().filter(|need| need.starts_with("flowglass-")) {
            if !allowed.contains(&need.as_str()) {
                wrong.push(format!("{name} must not know {need}"));
            }
        }
        // Tests of siblings may share the test kit and the failing disk, and nothing else that their room may not know.
        for need in package.tests_need.iter().filter(|need| need.starts_with("flowglass-")) {
            if !["flowglass-testkit", "flowglass-faults"].contains(&need.as_str()) && !allowed.contains(&need.as_str())
            {
                wrong.push(format!("the tests of {name} must not know {need}"));
            }
        }
    }
    none(&wrong)
}

/// A library, or a family of them (`tauri*`), and the only packages that may use it.
const HOMES: &[(&str, &[&str])] = &[
    ("tauri*", &["flowglass-window"]),
    ("rusqlite", &["flowglass-store", "flowglass-faults"]),
    ("async-nats", &["flowglass-ingest", "flowglass-demo"]),
    ("tonic", &["flowglass-ingest"]),
    ("axum", &["flowglass-ingest", "flowglass-cli"]),
    ("keyring", &["flowglass-ingest"]),
    ("jsonschema", &["flowglass-design"]),
    ("flowglass-testkit", &[]),
    ("flowglass-faults", &[]),
    ("flowglass-demo", &[]),
    ("flowglass-fuzz", &[]),
];

/// Packages without clock, files, network or threads of their own.
const PURE: &[&str] =
    &["flowglass-model", "flowglass-topology", "flowglass-journey", "flowglass-rules", "flowglass-design"];
const IMPURE: &[&str] = &["tokio", "tokio-util", "reqwest", "hyper", "rand", "rusqlite", "tempfile"];

#[test]
fn each_library_has_one_home() -> Result<()> {
    let mut wrong = Vec::new();
    for (name, package) in packages()? {
        for (library, homes) in HOMES {
            let is_it = |need: &String| match library.strip_suffix('*') {
                Some(family) => need.starts_with(family),
                None => need == library,
            };
            if package.needs.iter().any(is_it) && !homes.contains(&name.as_str()) {
                wrong.push(format!("{name} must not use {library}: it lives in {homes:?}"));
            }
        }
        for library in IMPURE {
            if PURE.contains(&name.as_str()) && package.needs.contains(*library) {
                wrong.push(format!("{name} is pure, {library} is not"));
            }
        }
    }
    none(&wrong)
}

#[test]
fn the_plan_names_every_room_and_no_other() -> Result<()> {
    let text = std::fs::read_to_string(root().join("crates/ARCHITECTURE.md"))?;
    // Rows of the table of rooms: | `crates/model` | …
    let named: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(room, _)| room.to_owned()))
        .collect();
    let mut rooms = BTreeSet::from(["src-tauri".to_owned(), "tests".to_owned(), "ui".to_owned()]);
    for entry in std::fs::read_dir(root().join("crates"))? {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            rooms.insert(format!("crates/{}", path.file_name().unwrap_or_default().to_string_lossy()));
        }
    }
    let wrong: Vec<String> =
        named.symmetric_difference(&rooms).map(|room| format!("{room} stands only on one side")).collect();
    none(&wrong)
}

#[test]
fn files_are_of_a_size_that_can_be_read() -> Result<()> {
    let mut wrong = Vec::new();
    for folder in ["crates", "src-tauri", "tests", "ui/src"] {
        each_file(&root().join(folder), &mut |path| {
            let limit = match path.extension().and_then(|e| e.to_str()) {
                Some("rs") => 600,
                Some("svelte") => 400,
                _ => return Ok(()),
            };
            let lines = std::fs::read_to_string(path)?.lines().count();
            if lines > limit {
                wrong.push(format!("{}: {lines} lines, more than {limit}", path.display()));
            }
            Ok(())
        })?;
    }
    let mut shell = 0;
    each_file(&root().join("src-tauri/src"), &mut |path| {
        shell += std::fs::read_to_string(path)?.lines().count();
        Ok(())
    })?;
    if shell > 600 {
        wrong.push(format!("the window is a thin shell: {shell} lines are more than 600"));
    }
    none(&wrong)
}

#[test]
fn only_the_backend_of_the_ui_knows_where_it_runs() -> Result<()> {
    let mut wrong = Vec::new();
    each_file(&root().join("ui/src"), &mut |path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let inside = path.components().any(|part| part.as_os_str() == "backend");
        if !inside && (text.contains("@tauri-apps/") || text.contains("fetch(") || text.contains("new EventSource")) {
            wrong.push(format!("{} must ask lib/backend", path.display()));
        }
        Ok(())
    })?;
    none(&wrong)
}

fn each_file(folder: &Path, visit: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut paths = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            each_file(&path, visit)?;
        } else {
            visit(&path)?;
        }
    }
    Ok(())
}

fn none(wrong: &[String]) -> Result<()> {
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}
