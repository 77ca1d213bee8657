//! Names that act on terminals, files that are tricks, and floods of the UI's port.

use std::io::BufRead as _;
use std::net::TcpStream;

use crate::support::{Server, TRACE, export, folder_with, http, http_lines, json, path, refused, run, text};

/// Clears the screen, sets the title, colours, rings, turns the direction of writing, and is markup.
const NAME: &str =
    "a\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\u{202e}gpj.exe\u{2066}</script><svg onload=alert(1)>\"';$(id)";
const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn hostile() -> String {
    let attribute = |key: &str| serde_json::json!({ "key": key, "value": { "stringValue": NAME } });
    let span = |id: &str, parent: &str, kind: u8| {
        serde_json::json!({
            "traceId": ID, "spanId": id, "parentSpanId": parent, "name": NAME, "kind": kind,
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000250000000",
            "attributes": [attribute("orderId"), attribute("http.route"), attribute(NAME), attribute("peer.service")],
            "status": { "code": 2, "message": NAME },
        })
    };
    serde_json::json!({ "resourceSpans": [
        { "resource": { "attributes": [attribute("service.name"), attribute("service.namespace"), attribute("deployment.environment")] },
          "scopeSpans": [{ "scope": { "name": NAME }, "spans": [span("00f067aa0ba902b7", "", 2), span("00f067aa0ba902b8", "00f067aa0ba902b7", 3)] }] },
        { "resource": { "attributes": [attribute("service.version"), { "key": "service.name", "value": { "stringValue": "b" } }] },
          "scopeSpans": [{ "spans": [span("00f067aa0ba902b9", "00f067aa0ba902b8", 2)] }] },
    ] })
    .to_string()
}

/// What a terminal or an editor would act on.
fn acts(bytes: &[u8]) -> Option<char> {
    text(bytes).chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn no_name_acts_on_the_terminal() {
    let (folder, file) = folder_with("traces.json", hostile());
    let workspace = folder.path().join("w.flowglass");
    let workspace = path(&workspace);
    let told = json(&["import", "--workspace", workspace, path(&file), "--json"]);
    assert_eq!(told["spans"], 3, "{told}");
    let broken = folder.path().join("\u{1b}[31mbroken.json");
    std::fs::write(&broken, format!("{{\"resourceSpans\":[{{\"{NAME}\"")).unwrap();
    for arguments in [
        &["journeys", "--json"][..],
        &["journeys", "--find", NAME, "--json"],
        &["journeys", "--filter", NAME],
        &["journey", ID, "--json"],
        &["journey", NAME],
        &["topology"],
        &["topology", "--format", "mermaid"],
        &["topology", "--format", "svg"],
        &["findings", "--format", "markdown"],
        &["findings", "--format", "junit"],
        &["findings", "--format", "sarif"],
        &["stats", "--json"],
        &["calibrate"],
        &["import", path(&broken)],
        &["export", NAME, "-o", "x.md"],
    ] {
        let output = run(&[arguments, &["--workspace", workspace]].concat());
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty() && acts(&said).is_none(), "{arguments:?}: {:?}\n{}", acts(&said), text(&said));
    }
    // What leaves as a document to look at neither acts nor runs.
    for name in ["report.html", "ticket.md", "way.mmd"] {
        let to = folder.path().join(name);
        json(&["export", ID, "--workspace", workspace, "-o", path(&to), "--unredacted"]);
        let bytes = std::fs::read(&to).unwrap();
        assert!(acts(&bytes).is_none(), "{name}: {:?}", acts(&bytes));
        let said = text(&bytes);
        // The title of a diagram is a quoted text of its own, which nothing takes for markup.
        let said: String = said.lines().filter(|line| !line.starts_with("title: \"")).collect();
        assert!(!said.contains("<svg onload") && !said.contains("</script><"), "{name}");
    }
}

#[test]
fn tricks_with_files_are_named() {
    let (folder, zip) = folder_with("design.zip", b"PK\x03\x04../../../../etc/passwd");
    let workspace = folder.path().join("w.flowglass");
    let told = run(&["import", "--workspace", path(&workspace), path(&zip), "--json"]);
    assert!(text(&told.stdout).contains("unpack it"), "{}", text(&told.stdout));
    // A link in a folder leads nowhere outside of it.
    #[cfg(unix)]
    {
        let outside = folder.path().join("outside.json");
        std::fs::write(&outside, TRACE).unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link.json")).unwrap();
        std::os::unix::fs::symlink("/", inside.join("root")).unwrap();
        std::fs::write(inside.join("own.json"), hostile()).unwrap();
        let told = json(&["import", "--workspace", path(&workspace), path(&inside), "--json"]);
        assert_eq!((told["files"].as_u64(), told["spans"].as_u64()), (Some(1), Some(3)), "{told}");
    }
    // Files that never end, where a design or a scenario names them.
    #[cfg(unix)]
    for (name, content) in [
        ("d.yaml", "openapi: 3.1.0\ninfo: { title: a, version: '1' }\npaths: { /a: { $ref: '/dev/zero' } }\n"),
        (
            "s.yaml",
            "flowglass: scenario/1\nworkloads: [{ to: a.x, arrivals: { times: /dev/zero } }]\nparticipants: { a: {} }\noperations: { a.x: { work: 1ms } }\nvariants: { v: {} }\n",
        ),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let output = match name {
            "d.yaml" => run(&["design", "import", path(&file)]),
            _ => run(&["simulate", path(&file), "--json"]),
        };
        let said = text(&[output.stdout, output.stderr].concat());
        assert!(said.contains("dev/zero"), "{name}: {said}");
        assert!(name == "d.yaml" || said.contains("regular file"), "{name}: {said}");
    }
    // A workspace that brings a trigger along.
    let words = {
        let other = folder.path().join("not.flowglass");
        std::fs::write(&other, b"SQLite format 3\0 and then nothing").unwrap();
        refused(&["stats", "--workspace", path(&other)])
    };
    assert!(words.contains("not.flowglass"), "{words}");
}

#[test]
fn a_flood_of_silent_connections_does_not_shut_the_page_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("w.flowglass"), &["--ui", "127.0.0.1:0"]);
    let link = server.address("ui");
    let (address, token) = link.strip_prefix("http://").unwrap().split_once("/?token=").unwrap();
    let signed = http(address, &format!("GET /?token={token}"), &[], &[]);
    let cookie = signed.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let (status, updates) = http_lines(address, "GET /api/updates", &[("cookie", &cookie)]);
    assert_eq!(status, 200);
    let flood: Vec<TcpStream> = (0..600).map(|_| TcpStream::connect(address).unwrap()).collect();
    let app = http(address, "POST /api/request/app", &[("cookie", &cookie)], b"{}");
    assert_eq!(app.status, 200);
    // Whoever is signed in keeps his stream of updates.
    assert_eq!(export(&server, TRACE).status, 200);
    assert!(updates.lines().any(|line| line.expect("the stream goes on").contains("\"stored\"")));
    drop(flood);
    // A head without an end, bodies without a length, other protocols: answered or closed.
    for nonsense in [
        "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "\0\0\0\0",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x09",
        "GET http://evil.example/ HTTP/1.1\r\n\r\n",
    ] {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(nonsense.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!text(&answer).contains("200 OK"), "{nonsense:?}: {}", text(&answer));
    }
    let (status, stderr) = server.terminate();
    assert_eq!(status, Some(0));
    assert!(!stderr.contains("panicked"), "{stderr}");
}
