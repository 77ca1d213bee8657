//! Commands that run to their end.

use serde_json::{Value, json};

use crate::support::{Server, TRACE, TRACE_ID, folder_with, json as answer, names, path, refused, run, text};

/// A workspace with the sample trace in it.
fn imported() -> (tempfile::TempDir, String) {
    let (folder, file) = folder_with("order.json", TRACE);
    let workspace = folder.path().join("w.flowglass");
    answer(&["import", "--workspace", path(&workspace), path(&file), "--json"]);
    let workspace = path(&workspace).to_owned();
    (folder, workspace)
}

/// Keys stand in the order of the contract.
fn assert_in_order(output: &str, keys: &[&str]) {
    let mut rest = output;
    for key in keys {
        let at = rest
            .find(&format!("\"{key}\":"))
            .unwrap_or_else(|| panic!("`{key}` is missing or out of order in {output}"));
        rest = &rest[at + 1..];
    }
}

/// An empty workspace.
fn empty() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w.flowglass");
    assert_eq!(Server::start(&workspace, &[]).terminate().0, Some(0));
    let workspace = path(&workspace).to_owned();
    (folder, workspace)
}

#[test]
fn help_shows_examples_and_only_what_there_is() {
    let help = run(&["--help"]);
    let words = text(&help.stdout);
    assert_eq!(help.status.code(), Some(0));
    for command in [
        "serve",
        "import",
        "check",
        "stats",
        "topology",
        "journeys",
        "journey",
        "findings",
        "layout",
        "calibrate",
        "export",
        "pull",
        "diagnostics",
        "simulate",
        "decide",
        "schema",
        "backup",
        "compact",
    ] {
        assert!(words.contains(&format!("  {command}")), "{command} is missing in {words}");
        let help = run(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        let words = text(&help.stdout);
        assert!(words.contains("Example") && words.contains("--config"), "{command}: {words}");
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn unusable_arguments_are_told_in_one_line() {
    for (arguments, words) in [
        (vec![], "subcommand"),
        (vec!["findings"], "findings"),
        (vec!["stats"], "--workspace"),
        (vec!["stats", "--workspace", "w", "--nonsense"], "--nonsense"),
        (vec!["topology", "--workspace", "w", "--format", "png"], "png"),
        (vec!["topology", "--workspace", "w", "--since", "yesterday"], "yesterday"),
        (vec!["topology", "--workspace", "w", "--since", "1m", "--until", "2d"], "--since"),
        (vec!["journeys", "--workspace", "w", "--filter", "colour:red"], "colour"),
        (vec!["journeys", "--workspace", "w", "--status", "fine"], "fine"),
        (vec!["journey", "xyz", "--workspace", "w"], "xyz"),
        (vec!["serve", "--workspace", "w", "--otlp-grpc", "0.0.0.0:4317"], "--token-file"),
        (vec!["serve", "--workspace", "w", "--ui", "192.168.1.7:80"], "loopback"),
    ] {
        let line = refused(&arguments);
        assert!(line.contains(words), "{arguments:?}: {line}");
    }
    assert!(refused(&["stats", "--nonsense"]).contains("flowglass stats --help"));
}

#[test]
fn a_missing_workspace_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("none.flowglass");
    for command in [vec!["stats"], vec!["topology"], vec!["journeys"], vec!["journey", TRACE_ID]] {
        let arguments: Vec<&str> = command.into_iter().chain(["--workspace", path(&workspace)]).collect();
        assert!(refused(&arguments).contains("none.flowglass"));
    }
    let line = refused(&["import", "--workspace", path(&workspace), path(&folder.path().join("no.json")), "--json"]);
    assert!(line.contains("no.json"), "{line}");
    let line = refused(&["serve", "--workspace", path(&workspace), "--nats", "nats://me:hunter2@127.0.0.1:4222"]);
    assert!(line.contains("credentials") && !line.contains("hunter2"), "{line}");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    // Root may write to read-only folders; nobody can make a file below a file.
    let (_folder, file) = folder_with("order.json", TRACE);
    let workspace = file.join("w.flowglass");
    let line = refused(&["import", "--workspace", path(&workspace), path(&file)]);
    assert!(line.contains("w.flowglass"), "{line}");
    assert!(refused(&["stats", "--workspace", path(&workspace)]).contains("w.flowglass"));
}

#[test]
fn files_that_are_no_workspace_are_left_alone() {
    let (_folder, file) = folder_with("notes.txt", "not a workspace, and not a recording");
    for arguments in [
        vec!["stats", "--workspace", path(&file)],
        vec!["import", "--workspace", path(&file), path(&file)],
        vec!["serve", "--workspace", path(&file), "--otlp-grpc", "0", "--otlp-http", "0"],
    ] {
        assert!(refused(&arguments).contains("not a Flowglass workspace"));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a workspace, and not a recording");
}

#[test]
fn a_workspace_is_copied_while_it_is_written_to_and_compacted_when_nobody_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("w.flowglass"), folder.path().join("copy.flowglass"));
    let trace = folder.path().join("order.json");
    std::fs::write(&trace, TRACE).unwrap();
    answer(&["import", "--workspace", path(&from), path(&trace), "--json"]);
    let server = Server::start(&from, &[]);
    let copied = answer(&["backup", path(&from), path(&to)]);
    assert!(copied["after"].as_u64().is_some_and(|bytes| bytes > 0), "{copied}");
    assert!(answer(&["stats", "--workspace", path(&to), "--json"])["spans"].as_u64().is_some_and(|spans| spans > 0));
    assert!(refused(&["backup", path(&from), path(&to)]).contains("choose another name"));
    assert!(refused(&["compact", path(&from)]).contains("already open for writing by"));
    assert_eq!(server.terminate().0, Some(0));
    let before = answer(&["journeys", "--workspace", path(&from), "--json"]);
    let compacted = answer(&["compact", path(&from)]);
    assert_eq!(compacted["after"].as_u64(), Some(std::fs::metadata(&from).unwrap().len()), "{compacted}");
    assert_eq!(answer(&["journeys", "--workspace", path(&from), "--json"]), before);
    assert!(refused(&["compact", path(&trace)]).contains("not a Flowglass workspace"));
}

#[test]
fn a_sound_workspace_is_called_sound() {
    let (_folder, workspace) = imported();
    let found = answer(&["check", &workspace, "--json"]);
    assert_eq!((&found["sound"], &found["journeys"], &found["repaired"]), (&json!(true), &json!(1), &Value::Null));
    assert_eq!(found["chunks_without_checksum"], json!(0));
    let output = run(&["check", &workspace, "--repair"]);
    let words = text(&output.stdout);
    assert!(output.status.success() && words.contains("sound") && words.contains("have no checksums"), "{words}");
    assert!(!std::path::Path::new(&workspace.replace(".flowglass", ".repaired.flowglass")).exists());
    assert!(refused(&["check", "none.flowglass"]).contains("none.flowglass"));
}

/// Pages of a damaged file, one after the other: whatever it held, its journeys are told again from what is left.
#[test]
fn what_is_left_of_a_damaged_workspace_is_saved() {
    const PAGE: usize = 8_192;
    let (_folder, workspace) = imported();
    let spans = answer(&["stats", "--workspace", &workspace])["spans"].clone();
    let good = std::fs::read(&workspace).unwrap();
    let into = workspace.replace(".flowglass", ".repaired.flowglass");
    let (mut tried, mut whole) = (0, 0);
    for page in (1..good.len() / PAGE).step_by(4) {
        let mut bytes = good.clone();
        bytes[page * PAGE..(page + 1) * PAGE]
            .iter_mut()
            .enumerate()
            .for_each(|(i, b)| *b = (i * 37 + page) as u8 | 0x80);
        std::fs::write(&workspace, &bytes).unwrap();
        let output = run(&["check", &workspace, "--repair", "--json"]);
        let (out, line) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "page {}: {out} {line}", page + 1);
        assert!(line.contains("damaged") && line.contains("repaired.flowglass"), "{line}");
        let found: Value = serde_json::from_str(&out).unwrap();
        let saved = &found["repaired"];
        assert_eq!(saved["sound"], json!(true), "page {}: {found:#}", page + 1);
        assert_eq!(std::fs::read(&workspace).unwrap(), bytes, "the old file stays as it is");
        if saved["spans"] == spans {
            assert_eq!(saved["journeys"], json!(1), "page {}: {found:#}", page + 1);
            whole += 1;
        } else {
            assert_eq!(saved["lost"][0]["what"], json!("spans"), "{found:#}");
            assert!(saved["lost"][0]["first"].is_string(), "{found:#}");
        }
        tried += 1;
        std::fs::remove_file(&into).unwrap();
    }
    assert!(tried >= 10 && whole >= tried - 2, "{whole} of {tried}");
}

#[test]
fn an_empty_workspace_answers_with_zeros() {
    let (_folder, workspace) = empty();
    let mut stats = answer(&["stats", "--workspace", &workspace, "--json"]);
    assert!(stats["bytes"].take().as_u64().is_some_and(|bytes| bytes > 0));
    let want = json!({"spans":0,"traces":0,"events":0,"logs":0,"rejected":0,"dropped":0,"bytes":null,"oldest":null,"newest":null,
        "retention":{"keeps":"at most 20 GB on disk","free_bytes":0,"removed":[],
            "figures":{"bytes":0,"steps_of_10s_since":null,"steps_of_10min_since":null}}});
    assert_eq!(stats, want);
    assert_eq!(answer(&["topology", "--workspace", &workspace]), json!({"nodes":[],"edges":[]}));
    assert_eq!(answer(&["journeys", "--workspace", &workspace, "--json"]), json!([]));
    assert_eq!(answer(&["journeys", "--workspace", &workspace, "--find", "o-17", "--json"]), json!([]));
    assert!(refused(&["journey", TRACE_ID, "--workspace", &workspace]).contains(TRACE_ID));
    assert_eq!(text(&run(&["topology", "--workspace", &workspace, "--format", "mermaid"]).stdout), "flowchart RL\n");
}

#[test]
fn importing_twice_changes_nothing() {
    let (folder, file) = folder_with("order.json", TRACE);
    let workspace = folder.path().join("w.flowglass");
    let import = || answer(&["import", "--workspace", path(&workspace), path(&file), "--json"]);
    let of = |spans, known| json!({"files":1,"spans":spans,"events":0,"logs":0,"known":known,"rejected":[],"rejected_total":0});
    assert_eq!(import(), of(3, 0));
    let first = run(&["topology", "--workspace", path(&workspace)]).stdout;
    assert_eq!(import(), of(0, 3));
    assert_eq!(text(&first), text(&run(&["topology", "--workspace", path(&workspace)]).stdout));
    assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["spans"], 3);
}

#[test]
fn what_is_not_recognised_is_rejected_and_costs_nothing() {
    let (folder, good) = folder_with("order.json", TRACE);
    let bad = folder.path().join("notes.txt");
    std::fs::write(&bad, "not a recording").unwrap();
    let workspace = folder.path().join("w.flowglass");
    let both = answer(&["import", "--workspace", path(&workspace), path(&bad), path(&good), "--json"]);
    assert_eq!((&both["files"], &both["spans"], &both["rejected_total"]), (&json!(2), &json!(3), &json!(1)), "{both}");
    assert_eq!(both["rejected"][0]["file"], path(&bad));
    let again = text(&run(&["import", "--workspace", path(&workspace), path(&bad), path(&good), "--json"]).stdout);
    assert_in_order(
        &again,
        &["files", "spans", "events", "logs", "known", "rejected", "file", "at", "reason", "rejected_total"],
    );

    let other = folder.path().join("other.flowglass");
    let alone = run(&["import", "--workspace", path(&other), path(&bad), "--json"]);
    assert_eq!(alone.status.code(), Some(2));
    assert_eq!(text(&alone.stderr).trim_end().lines().count(), 1, "{}", text(&alone.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&alone.stdout).unwrap()["rejected_total"], 1);
}

#[test]
fn the_map_is_told_in_the_shape_of_the_contract() {
    let (_folder, workspace) = imported();
    let output = text(&run(&["topology", "--workspace", &workspace, "--format", "json"]).stdout);
    assert!(output.starts_with(r#"{"nodes":[{"id":""#), "{output}");
    let node_keys = ["id", "name", "kind", "environment", "layer", "layer_reason", "layer_source", "x", "y"];
    let edge_keys = ["edges", "source", "target", "kind", "count", "errors", "p50_ms", "p95_ms"];
    assert_in_order(&output, &node_keys);
    assert_in_order(&output, &edge_keys);
    let map: Value = serde_json::from_str(&output).unwrap();
    let node = |id: &str| {
        map["nodes"].as_array().unwrap().iter().find(|n| n["id"] == id).unwrap_or_else(|| panic!("{id} in {map}"))
    };
    let (web, order) = (node("service:shop/web-orders-exp-api"), node("service:shop/order-prc-api"));
    for (node, name, layer) in [(web, "web-orders-exp-api", "experience"), (order, "order-prc-api", "process")] {
        assert_eq!(
            (&node["name"], &node["kind"], &node["environment"]),
            (&json!(name), &json!("service"), &Value::Null)
        );
        assert_eq!((&node["layer"], &node["layer_source"]), (&json!(layer), &json!("name")));
        assert!(
            node["layer_reason"].as_str().is_some_and(|r| !r.is_empty())
                && node["x"].is_number()
                && node["y"].is_number()
        );
    }
    assert!(order["x"].as_f64() < web["x"].as_f64(), "x grows towards the users");
    let calls: Vec<&Value> =
        map["edges"].as_array().unwrap().iter().filter(|e| e["source"] == "service:shop/web-orders-exp-api").collect();
    let [call] = calls[..] else { panic!("{calls:?}") };
    assert_eq!((&call["target"], &call["kind"]), (&order["id"], &json!("call")));
    assert_eq!((&call["count"], &call["errors"]), (&json!(1), &json!(1)));
    for time in ["p50_ms", "p95_ms"] {
        let ms = call[time].as_f64().unwrap();
        assert!((ms - 100.0).abs() <= 2.0, "{time} is {ms}");
    }
    // Outside its time there is nothing.
    let later = answer(&["topology", "--workspace", &workspace, "--since", "2026-01-01T00:00:10Z"]);
    assert_eq!(later, json!({"nodes":[],"edges":[]}));

    let mermaid = text(&run(&["topology", "--workspace", &workspace, "--format", "mermaid"]).stdout);
    assert!(mermaid.contains(r#"-->|"1 (1 error)"|"#) && mermaid.contains("order-prc-api"), "{mermaid}");
    let svg = text(&run(&["topology", "--workspace", &workspace, "--format", "svg"]).stdout);
    assert!(svg.starts_with("<svg ") && svg.contains("order-prc-api"), "{svg}");
}

#[test]
fn journeys_are_listed_found_and_filtered() {
    let (_folder, workspace) = imported();
    let journeys = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["journeys", "--workspace", &workspace, "--json"].iter().chain(more).copied().collect();
        answer(&arguments)
    };
    let all = journeys(&[]);
    let row = &all[0];
    assert_eq!((&row["id"], &row["root"]), (&json!(TRACE_ID), &json!("web-orders-exp-api POST /orders")));
    assert_eq!(row["start"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!((&row["response_ms"], &row["spans"], &row["events"]), (&json!(250.0), &json!(3), &json!(0)));
    assert_in_order(
        &text(&run(&["journeys", "--workspace", &workspace, "--json"]).stdout),
        &[
            "id",
            "root",
            "start",
            "response_ms",
            "settled_ms",
            "status",
            "state",
            "participants",
            "spans",
            "events",
            "keys",
        ],
    );
    let participants = row["participants"].as_array().unwrap();
    assert!(participants.contains(&json!("service:shop/order-prc-api")), "{row}");

    let status = row["status"].as_str().unwrap();
    for found in [
        vec!["--find", TRACE_ID],
        vec!["--find", "eee19b7ec3c1b173"],
        vec!["--find", "o-17"],
        vec!["--find", "o-17", "--since", "1s"],
        vec!["--filter", "service:order-prc-api"],
        vec!["--filter", "service:shop/order-prc-api post"],
        vec!["--status", status],
    ] {
        assert_eq!(journeys(&found), all, "{found:?}");
    }
    for not_found in [
        vec!["--find", "o-1"],
        vec!["--find", "O-17"],
        vec!["--filter", "service:order"],
        vec!["--filter", "post refund"],
        vec!["--filter", "status:ok status:failed"],
        vec!["--limit", "0"],
        vec!["--since", "1s"],
    ] {
        assert_eq!(journeys(&not_found), json!([]), "{not_found:?}");
    }
}

#[test]
fn a_journey_is_told_in_full() {
    let (_folder, workspace) = imported();
    let output = text(&run(&["journey", TRACE_ID, "--workspace", &workspace, "--json"]).stdout);
    let item_keys =
        ["type", "id", "source", "trace_id", "participant", "layer", "name", "start", "duration_ms", "status"];
    assert_in_order(&output, &["id", "status", "state", "items"]);
    assert_in_order(&output, &item_keys);
    assert_in_order(&output, &["links", "from", "to", "how", "sure", "critical_path", "id", "self_ms", "failure"]);
    let journey: Value = serde_json::from_str(&output).unwrap();
    let items: Vec<(&str, &str, f64, &str)> = journey["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            let text = |key: &str| i[key].as_str().unwrap();
            (text("id"), text("participant"), i["duration_ms"].as_f64().unwrap(), text("status"))
        })
        .collect();
    let want = [
        ("eee19b7ec3c1b171", "service:shop/web-orders-exp-api", 250.0, "unset"),
        ("eee19b7ec3c1b172", "service:shop/web-orders-exp-api", 100.0, "error"),
        ("eee19b7ec3c1b173", "service:shop/order-prc-api", 80.0, "error"),
    ];
    assert_eq!(items, want);
    assert_eq!(journey["items"][0]["start"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!((&journey["items"][2]["type"], &journey["items"][2]["layer"]), (&json!("span"), &json!("process")));
    assert_eq!(journey["items"][2]["trace_id"], TRACE_ID);
    let links = journey["links"].as_array().unwrap();
    let link = json!({"from":"eee19b7ec3c1b172","to":"eee19b7ec3c1b173","how":"parent","sure":"certain"});
    assert!(links.contains(&link), "{links:?}");
    let path: f64 = journey["critical_path"].as_array().unwrap().iter().map(|s| s["self_ms"].as_f64().unwrap()).sum();
    assert!((path - 250.0).abs() < 0.001, "the critical path explains {path} ms of 250");
    assert!(journey.as_object().unwrap().contains_key("failure"));
    // An id in capitals is the same id.
    assert_eq!(answer(&["journey", &TRACE_ID.to_uppercase(), "--workspace", &workspace]), journey);
    assert!(refused(&["journey", "00000000000000000000000000000001", "--workspace", &workspace]).contains("000001"));
}

#[test]
fn a_settings_file_decides_layers() {
    let (folder, workspace) = imported();
    let settings = folder.path().join("layers.toml");
    std::fs::write(&settings, "[layers]\norder-prc-api = \"system\"\n").unwrap();
    let map = answer(&["topology", "--workspace", &workspace, "--config", path(&settings)]);
    let nodes = map["nodes"].as_array().unwrap();
    let order = nodes.iter().find(|n| n["name"] == "order-prc-api").unwrap();
    assert_eq!((&order["layer"], &order["layer_source"]), (&json!("system"), &json!("user")));
    std::fs::write(&settings, "[layers]\norder-prc-api = \"cellar\"\n").unwrap();
    let line = refused(&["--config", path(&settings), "topology", "--workspace", &workspace]);
    assert!(line.contains("layers.toml") && line.contains("line 2"), "{line}");
    assert!(refused(&["stats", "--workspace", &workspace, "--config", "/no/such.toml"]).contains("/no/such.toml"));
}

#[test]
fn diagnostics_writes_a_zip_and_never_over_a_file() {
    let (folder, workspace) = imported();
    let zip = folder.path().join("report.zip");
    let written = answer(&["diagnostics", "-o", path(&zip), "--workspace", &workspace]);
    assert!(written["contents"].as_array().unwrap().contains(&"counters.json".into()), "{written}");
    let bytes = std::fs::read(&zip).unwrap();
    assert!(bytes.starts_with(b"PK") && bytes.len() as u64 == written["bytes"].as_u64().unwrap());
    assert!(refused(&["diagnostics", "-o", path(&zip)]).contains("not there yet"));
    let missing = folder.path().join("none.flowglass");
    let other = folder.path().join("other.zip");
    assert!(refused(&["diagnostics", "-o", path(&other), "--workspace", path(&missing)]).contains("none.flowglass"));
    assert!(!other.exists(), "nothing is written");
}
