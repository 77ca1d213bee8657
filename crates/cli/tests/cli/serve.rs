//! `flowglass serve` as a process.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{PATIENCE, Server, TRACE, TRACE_ID, export, flowglass, http, json as answer, path, refused, text};

/// An address that nobody listens on and that no other test takes meanwhile: they all listen on 127.0.0.1.
fn unused() -> String {
    let host = if cfg!(target_os = "linux") { "127.0.0.2" } else { "127.0.0.1" };
    TcpListener::bind((host, 0)).unwrap().local_addr().unwrap().to_string()
}

fn workspace() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w.flowglass");
    (folder, workspace)
}

#[test]
fn it_says_where_it_listens_and_ends_in_order() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &[]);
    let keys: Vec<&str> = server.ready.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["event", "otlp_grpc", "otlp_http", "ui"]);
    assert_eq!((&server.ready["event"], &server.ready["ui"]), (&json!("ready"), &Value::Null));
    for key in ["otlp_grpc", "otlp_http"] {
        assert!(server.address(key).starts_with("127.0.0.1:") && !server.address(key).ends_with(":0"));
    }
    assert_eq!(export(&server, TRACE).status, 200);
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["spans"], 3);
}

#[test]
fn listeners_can_be_off() {
    let (_folder, workspace) = workspace();
    let mut command =
        flowglass(&["serve", "--workspace", path(&workspace), "--otlp-grpc", "off", "--otlp-http", "off"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, "{\"event\":\"ready\",\"otlp_grpc\":null,\"otlp_http\":null,\"ui\":null}\n");
}

/// A trace of its own for each number.
fn numbered(n: u64) -> String {
    TRACE.replace(TRACE_ID, &format!("{:032x}", n + 1))
}

#[test]
fn with_less_room_than_the_reserve_senders_are_told_to_try_again() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &["--reserve", "9000000TB"]);
    let answer = export(&server, TRACE);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert!(text(&answer.body).contains("kept free"), "{}", text(&answer.body));
    assert_eq!(server.terminate().0, Some(0));
    let server = Server::start(&workspace, &["--reserve", "0"]);
    assert_eq!(export(&server, TRACE).status, 200);
    assert_eq!(server.terminate().0, Some(0));
    assert!(refused(&["serve", "--workspace", "w", "--reserve", "much"]).contains("500MB"));
}

/// A file that may not grow beyond a limit stands in for a full disk: what does not fit is refused for now, and when the limit is
/// lifted everything goes on by itself.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_for_now_and_loses_nothing() {
    let (_folder, workspace) = workspace();
    let usual = flowglass(&[]);
    let mut command = std::process::Command::new("sh");
    // Writing beyond the limit is an error then, not the end of the process.
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(usual.get_program());
    for (name, value) in usual.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let server = Server::with(command, &workspace, &[]);
    let limit = |bytes: &str| {
        let id = server.id().to_string();
        let set = std::process::Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}")]).status();
        assert!(set.expect("prlimit runs").success());
    };
    assert_eq!(export(&server, &numbered(0)).status, 200);
    limit("3000000:");
    let (mut taken, mut refusals) = (1, 0);
    while refusals < 3 {
        let answer = export(&server, &numbered(taken));
        match answer.status {
            200 => taken += 1,
            _ => {
                assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{}", text(&answer.body));
                refusals += 1;
            }
        }
        assert!(taken < 5_000, "the limit holds nothing back");
    }
    limit("unlimited:");
    for n in taken..taken + 20 {
        assert_eq!(export(&server, &numbered(n)).status, 200, "it goes on by itself");
    }
    assert_eq!(server.terminate().0, Some(0));
    let stats = answer(&["stats", "--workspace", path(&workspace), "--json"]);
    assert_eq!((&stats["traces"], &stats["spans"]), (&json!(taken + 20), &json!((taken + 20) * 3)));
    assert_eq!(answer(&["check", path(&workspace), "--json"])["sound"], json!(true));
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &[]);
    assert_eq!(export(&server, TRACE).status, 200);
    server.kill();
    assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["spans"], 3);
    // And it goes on from there.
    let server = Server::start(&workspace, &[]);
    assert_eq!(export(&server, TRACE).status, 200);
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["spans"], 3);
}

#[test]
fn reading_works_while_it_writes() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &[]);
    for n in 1..=5 {
        let trace = format!("{n:032x}");
        assert_eq!(export(&server, &TRACE.replace(TRACE_ID, &trace)).status, 200);
        assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["traces"], n);
        assert_eq!(answer(&["journey", &trace, "--workspace", path(&workspace), "--json"])["id"], trace);
    }
    let map = answer(&["topology", "--workspace", path(&workspace)]);
    assert_eq!(
        map["edges"].as_array().unwrap().iter().filter(|e| e["count"] == 5).count(),
        map["edges"].as_array().unwrap().len()
    );
    assert_eq!(
        answer(&["journeys", "--workspace", path(&workspace), "--limit", "2", "--json"]).as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_second_writer_is_told_who_holds_the_workspace() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &[]);
    let recording = workspace.with_extension("json");
    std::fs::write(&recording, TRACE).unwrap();
    for arguments in [
        vec!["serve", "--workspace", path(&workspace), "--otlp-grpc", "0", "--otlp-http", "0"],
        vec!["import", "--workspace", path(&workspace), path(&recording)],
    ] {
        let line = refused(&arguments);
        assert!(line.contains(&server.id().to_string()) && line.contains("flowglass"), "{line}");
    }
    // The first one is not disturbed.
    assert_eq!(export(&server, TRACE).status, 200);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (_folder, workspace) = workspace();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    for flag in ["--otlp-grpc", "--otlp-http", "--ui"] {
        let mut arguments = vec!["serve", "--workspace", path(&workspace)];
        for other in ["--otlp-grpc", "--otlp-http", "--ui"] {
            arguments.extend([other, if other == flag { taken.as_str() } else { "0" }]);
        }
        let line = refused(&arguments);
        assert!(line.contains(&taken), "{flag}: {line}");
    }
}

#[test]
fn it_does_not_wait_for_nats() {
    let (_folder, workspace) = workspace();
    let server = Server::start(&workspace, &["--nats", &format!("nats://{}", unused())]);
    assert_eq!(export(&server, TRACE).status, 200);
    assert_eq!(server.terminate().0, Some(0));
    let line =
        refused(&["serve", "--workspace", path(&workspace), "--nats", "localhost", "--nats-creds", "/no/such.creds"]);
    assert!(line.contains("/no/such.creds"), "{line}");
    let line = refused(&["serve", "--workspace", path(&workspace), "--nats", "localhost", "--nats-subject", "a..b"]);
    assert!(line.contains("a..b"), "{line}");
}

/// Asks for a UI's request of its own, whose span is then exported.
fn make_a_span(server: &Server) {
    let link = server.address("ui");
    let (address, query) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let opened = http(address, &format!("GET /{query}"), &[], &[]);
    let cookie = opened.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned();
    assert_eq!(http(address, "POST /api/request/app", &[("cookie", &cookie)], b"{}").status, 200);
}

#[test]
fn its_own_traces_go_to_the_endpoint_that_is_named() {
    let (folder, workspace) = workspace();
    let receiver = Server::start(&folder.path().join("receiver.flowglass"), &[]);
    for (key, path_of_url) in [("otlp_grpc", ""), ("otlp_http", "/v1/traces")] {
        let mut command = flowglass(&[]);
        command.env("FLOWGLASS_OTLP_ENDPOINT", format!("http://{}{path_of_url}", receiver.address(key)));
        let server = Server::with(command, &workspace, &["--ui", "0"]);
        make_a_span(&server);
        assert_eq!(server.terminate().0, Some(0), "{key}");
    }
    let map = answer(&["topology", "--workspace", path(&folder.path().join("receiver.flowglass"))]);
    let nodes = map["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|n| n["id"] == "service:flowglass"), "{map}");
    let journeys = answer(&["journeys", "--workspace", path(&folder.path().join("receiver.flowglass")), "--json"]);
    assert!(journeys.as_array().unwrap().iter().filter(|j| j["root"] == "flowglass app").count() == 2, "{journeys}");
}

#[test]
fn it_never_exports_to_itself() {
    let (_folder, workspace) = workspace();
    let address = unused();
    let mut command = flowglass(&[]);
    command.env("FLOWGLASS_OTLP_ENDPOINT", format!("http://{address}"));
    command.args(["serve", "--workspace", path(&workspace), "--otlp-http", "0", "--otlp-grpc", &address, "--ui", "0"]);
    let server = Server::spawn(command);
    make_a_span(&server);
    let (status, stderr) = server.terminate();
    assert_eq!(status, Some(0));
    assert!(stderr.contains("this very process"), "{stderr}");
    assert_eq!(answer(&["stats", "--workspace", path(&workspace), "--json"])["spans"], 0);
}

#[test]
fn an_endpoint_that_nobody_answers_keeps_nobody_from_working() {
    let (_folder, workspace) = workspace();
    let mut command = flowglass(&[]);
    command.env("FLOWGLASS_OTLP_ENDPOINT", format!("http://{}", unused()));
    let server = Server::with(command, &workspace, &["--ui", "0"]);
    make_a_span(&server);
    let started = std::time::Instant::now();
    assert_eq!(server.terminate().0, Some(0));
    assert!(started.elapsed() < PATIENCE / 2, "it ended after {:?}", started.elapsed());
    let mut command = flowglass(&["stats", "--workspace", path(&workspace), "--json"]);
    let output = command.env("FLOWGLASS_OTLP_ENDPOINT", "nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("no address"), "{}", text(&output.stderr));
}

#[test]
fn other_machines_may_send_only_with_a_token() {
    let (folder, workspace) = workspace();
    for flag in ["--otlp-grpc", "--otlp-http"] {
        let line = refused(&["serve", "--workspace", path(&workspace), flag, "0.0.0.0:0"]);
        assert!(line.contains(flag) && line.contains("--token-file"), "{line}");
    }
    assert!(!workspace.exists(), "nothing is made");
    let file = folder.path().join("senders.token");
    std::fs::write(&file, "short\n").unwrap();
    let arguments = ["serve", "--workspace", path(&workspace), "--otlp-grpc", "off", "--otlp-http", "0.0.0.0:0"];
    let line = refused(&[&arguments[..], &["--token-file", path(&file)]].concat());
    assert!(line.contains("senders.token") && !line.contains("short"), "{line}");

    // A missing file is made, for its owner only; its token never shows.
    std::fs::remove_file(&file).unwrap();
    let mut command = flowglass(&arguments);
    command.args(["--token-file", path(&file)]);
    let server = Server::spawn(command);
    let token = std::fs::read_to_string(&file).unwrap();
    assert_eq!(token.trim().len(), 43);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let port = server.address("otlp_http").rsplit(':').next().unwrap().to_owned();
    let near = format!("127.0.0.1:{port}");
    let sent = http(&near, "POST /v1/traces", &[("content-type", "application/json")], TRACE.as_bytes());
    assert_eq!(sent.status, 200, "this machine needs no token");
    let (status, stderr) = server.terminate();
    assert_eq!(status, Some(0));
    assert!(!stderr.contains(token.trim()), "{stderr}");
}

#[test]
fn accepted_requests_are_passed_on() {
    let (folder, workspace) = workspace();
    let other = Server::start(&folder.path().join("other.flowglass"), &[]);
    let url = format!("http://{}", other.address("otlp_http"));
    let server = Server::start(&workspace, &["--forward", &url]);
    assert_eq!(export(&server, TRACE).status, 200);
    // What waits is given a moment at the end.
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(other.terminate().0, Some(0));
    for file in [workspace.as_path(), &folder.path().join("other.flowglass")] {
        assert_eq!(answer(&["stats", "--workspace", path(file), "--json"])["spans"], 3, "{}", file.display());
    }
    let address = unused();
    let arguments = ["serve", "--workspace", path(&workspace), "--otlp-grpc", "off", "--otlp-http", &address];
    let line = refused(&[&arguments[..], &["--forward", &format!("http://{address}")]].concat());
    assert!(line.contains("--forward") && line.contains("round in circles"), "{line}");
    let line = refused(&[&arguments[..], &["--forward", "nats://localhost"]].concat());
    assert!(line.contains("http://host:4318"), "{line}");
}
