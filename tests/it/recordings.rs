//! Recordings with known truth, imported: the map is the truth, counts and errors included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::graph::{Edge, Graph, Tally};
use flowglass_tests::names::truth_graph;
use flowglass_tests::product::{flowglass, root, topology};
use serde_json::Value;

fn import(workspace: &Path, paths: &[PathBuf]) -> Result<Value> {
    let mut arguments = vec![PathBuf::from("import"), "--workspace".into(), workspace.to_owned(), "--json".into()];
    arguments.extend_from_slice(paths);
    flowglass(&arguments)
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_slice(&text)?)
}

/// Our own recording of the sample landscape (`tests/fixtures/landscape/record.py` made it).
#[test]
fn the_sample_landscape() -> Result<()> {
    let folder = root().join("tests/fixtures/landscape");
    let files = ["traces", "logs", "messages"].map(|part| folder.join(format!("{part}.jsonl.gz")));
    let expected = truth_graph(&read(&folder.join("truth.json"))?)?;
    let scratch = tempfile::tempdir()?;

    let workspace = scratch.path().join("landscape.flowglass");
    let report = import(&workspace, &files)?;
    assert_eq!(report["rejected_total"], 0, "{report}");
    Graph::read(&topology(&workspace)?)?.must_be(&expected)?;

    // The same again changes nothing.
    let again = import(&workspace, &files)?;
    let fresh = ["spans", "events", "logs"].map(|what| &again[what]);
    assert_eq!(fresh, [&Value::from(0); 3], "{again}");
    Graph::read(&topology(&workspace)?)?.must_be(&expected)?;

    // Nor does the order: messages first.
    let workspace = scratch.path().join("turned.flowglass");
    for file in files.iter().rev() {
        import(&workspace, std::slice::from_ref(file))?;
    }
    Graph::read(&topology(&workspace)?)?.must_be(&expected)
}

/// Recordings from elsewhere: each folder of `FLOWGLASS_RECORDINGS` with a `truth.json`, `otlp/traces.jsonl` and `nats/`.
#[test]
fn recordings_from_elsewhere() -> Result<()> {
    let Some(folder) = std::env::var_os("FLOWGLASS_RECORDINGS").map(PathBuf::from) else {
        eprintln!("SKIPPED: recordings from elsewhere; FLOWGLASS_RECORDINGS names no folder of them");
        return Ok(());
    };
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("truth.json").is_file())
        .collect();
    names.sort();
    if names.is_empty() {
        bail!("{} holds no recording with a truth.json", folder.display());
    }
    let mut wrong = Vec::new();
    for recording in names {
        if let Err(error) = recorded(&recording) {
            wrong.push(format!("{}: {error:#}", recording.display()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn recorded(folder: &Path) -> Result<()> {
    let traces = ["traces.jsonl.gz", "traces.jsonl"].iter().map(|name| folder.join("otlp").join(name));
    let mut files: Vec<PathBuf> = traces.filter(|path| path.is_file()).take(1).collect();
    files.extend(Some(folder.join("nats")).filter(|path| path.is_dir()));
    let scratch = tempfile::tempdir()?;
    let workspace = scratch.path().join("recorded.flowglass");
    let report = import(&workspace, &files)?;
    assert_eq!(report["rejected_total"], 0, "{report}");
    let map = topology(&workspace)?;
    by_name(&map)?.of_kinds(&["call", "publish", "consume"]).must_be(&expected(&read(&folder.join("truth.json"))?)?)
}

/// The map with names in place of ids, edges between services and topics only: this is what such a truth knows.
fn by_name(map: &Value) -> Result<Graph> {
    let mut names = BTreeMap::new();
    for node in map["nodes"].as_array().context("nodes")? {
        if matches!(node["kind"].as_str(), Some("service" | "topic")) {
            names.insert(node["id"].as_str().unwrap_or_default(), node["name"].as_str().unwrap_or_default());
        }
    }
    let mut graph = Graph::default();
    for (id, layer) in Graph::read(map)?.layers {
        graph.layers.insert(names.get(id.as_str()).copied().unwrap_or_default().to_owned(), layer);
    }
    for edge in map["edges"].as_array().context("edges")? {
        let name = |field: &str| names.get(edge[field].as_str().unwrap_or_default()).copied();
        if let (Some(source), Some(target)) = (name("source"), name("target")) {
            let count = edge["count"].as_u64().unwrap_or(0);
            // Such a truth counts failed answers of calls only.
            let errors = if edge["kind"] == "call" { edge["errors"].as_u64().unwrap_or(0) } else { 0 };
            let kind = edge["kind"].as_str().unwrap_or_default();
            graph.edges.entry(Edge::new(source, target, kind)).or_default().add(Tally { count, errors });
        }
    }
    Ok(graph)
}

fn expected(truth: &Value) -> Result<Graph> {
    let list = |field: &str| truth[field].as_array().cloned().unwrap_or_default();
    let text = |of: &Value, field: &str| -> Result<String> {
        Ok(of[field].as_str().with_context(|| format!("no `{field}` in {of}"))?.to_owned())
    };
    let mut graph = Graph::default();
    for of in list("services") {
        graph.layers.insert(text(&of, "name")?, text(&of, "layer")?);
    }
    let mut add = |source: String, target: String, kind: &str, count: &Value, errors: &Value| {
        let tally = Tally { count: count.as_u64().unwrap_or(0), errors: errors.as_u64().unwrap_or(0) };
        graph.edges.entry(Edge::new(&source, &target, kind)).or_default().add(tally);
    };
    for of in list("sync_edges") {
        add(text(&of, "caller")?, text(&of, "callee")?, "call", &of["calls"], &of["errors"]);
    }
    for of in list("event_edges") {
        add(text(&of, "publisher")?, text(&of, "subject")?, "publish", &of["published"], &Value::Null);
    }
    for of in list("consumers") {
        add(text(&of, "subject")?, text(&of, "service")?, "consume", &of["deliveries"], &Value::Null);
    }
    Ok(graph)
}
