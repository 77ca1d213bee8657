//! The list of what ships, with licences: every Rust package that is linked into the programs people run, every JavaScript
//! package that goes into the UI's bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::run::{cargo, root};

/// The programs that people run.
const PROGRAMS: [&str; 2] = ["flowglass-cli", "flowglass-window"];
/// The systems they run on.
const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];
/// Compilers run before anything ships; of Svelte, the running part needs only these.
const RUNTIME_OF_SVELTE: [&str; 3] = ["clsx", "devalue", "esm-env"];

/// Where the list is kept.
pub(crate) fn file() -> PathBuf {
    root().join("crates/studio/src/components.json")
}

/// The list as it should be.
pub(crate) fn wanted() -> Result<String> {
    let mut all = rust()?;
    all.extend(javascript()?);
    let lines: Vec<String> = all
        .into_iter()
        .map(|((name, version, kind), licence)| {
            json!({ "name": name, "version": version, "licence": licence, "kind": kind }).to_string()
        })
        .collect();
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// Name, version and kind to licence.
type Packages = BTreeMap<(String, String, &'static str), String>;

fn rust() -> Result<Packages> {
    let mut command = cargo(["metadata", "--format-version", "1", "--locked"]);
    for target in TARGETS {
        command.args(["--filter-platform", target]);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cargo metadata cannot be started")?;
    if !output.status.success() {
        bail!("cargo metadata ended with {}", output.status);
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, &Value> = list(&metadata["packages"]).map(|p| (text(&p["id"]), p)).collect();
    let links: BTreeMap<String, &Value> = list(&metadata["resolve"]["nodes"]).map(|n| (text(&n["id"]), n)).collect();

    let mut work: Vec<String> =
        packages.iter().filter(|(_, p)| PROGRAMS.iter().any(|name| p["name"] == *name)).map(|(id, _)| id.clone()).collect();
    if work.len() != PROGRAMS.len() {
        bail!("the programs are not all there: {work:?}");
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    while let Some(id) = work.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        for dependency in links.get(&id).into_iter().flat_map(|n| list(&n["deps"])) {
            // What is needed only to build or to test does not ship; nor do the packages that write code at build time.
            let normal = list(&dependency["dep_kinds"]).any(|k| k["kind"].is_null());
            let package = text(&dependency["pkg"]);
            if normal && !packages.get(&package).is_some_and(|p| writes_code(p)) {
                work.push(package);
            }
        }
    }
    let shipped = seen.iter().filter_map(|id| packages.get(id)).filter(|p| !p["source"].is_null());
    shipped
        .map(|p| {
            let licence = p["license"].as_str().or_else(|| p["license_file"].as_str());
            let licence = licence.with_context(|| format!("{} names no licence", p["name"]))?;
            // Older packages write alternatives with a slash, which is not SPDX.
            Ok(((text(&p["name"]), text(&p["version"]), "rust"), licence.replace('/', " OR ").replace("  ", " ")))
        })
        .collect()
}

fn writes_code(package: &Value) -> bool {
    list(&package["targets"]).any(|t| list(&t["kind"]).any(|k| k == "proc-macro"))
}

fn javascript() -> Result<Packages> {
    let path = root().join("ui/package-lock.json");
    let lock: Value = serde_json::from_slice(&std::fs::read(&path).with_context(|| path.display().to_string())?)?;
    let packages = lock["packages"].as_object().context("a lock file of npm 7 or later")?;
    let names = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    // Svelte is a compiler, and so stands among what is needed to build; its running part ships.
    let mut work: Vec<String> = names(&packages[""]["dependencies"]);
    work.push("svelte".to_owned());
    let mut found = Packages::new();
    let mut seen = BTreeSet::new();
    while let Some(name) = work.pop() {
        let Some(package) = packages.get(&format!("node_modules/{name}")).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        let licence = package["license"].as_str().with_context(|| format!("{name} names no licence"))?;
        let version = package["version"].as_str().unwrap_or_default().to_owned();
        found.insert((name.clone(), version, "javascript"), licence.to_owned());
        let needs = names(&package["dependencies"]).into_iter();
        work.extend(needs.filter(|n| name != "svelte" || RUNTIME_OF_SVELTE.contains(&n.as_str())));
    }
    Ok(found)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
