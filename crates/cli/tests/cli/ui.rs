//! The UI's server: who may ask, and what is answered.

use std::io::BufRead as _;

use serde_json::{Value, json};

use crate::support::{Answer, Server, TRACE, export, flowglass, folder_with, http, http_lines, text};

/// A server with a UI, its address and the link's token.
fn start() -> (tempfile::TempDir, Server, String, String) {
    let (folder, index) = folder_with("index.html", "<!doctype html><title>Flowglass</title>");
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    std::fs::write(folder.path().join("assets/main-1.js"), "0").unwrap();
    let mut command = flowglass(&[]);
    command.env("FLOWGLASS_UI_DIST", index.parent().unwrap());
    let server = Server::with(command, &folder.path().join("w.flowglass"), &["--ui", "0"]);
    let link = server.address("ui");
    let (address, token) = link.strip_prefix("http://").unwrap().split_once("/?token=").unwrap();
    let (address, token) = (address.to_owned(), token.to_owned());
    (folder, server, address, token)
}

/// Opens the link; the cookie.
fn sign_in(address: &str, token: &str) -> String {
    let answer = http(address, &format!("GET /?token={token}"), &[], &[]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

fn ask(address: &str, cookie: &str, name: &str, argument: &Value) -> Answer {
    http(address, &format!("POST /api/request/{name}"), &[("cookie", cookie)], argument.to_string().as_bytes())
}

#[test]
fn a_token_works_once_and_everything_else_needs_its_cookie() {
    let (_folder, _server, address, token) = start();
    for request in [
        "GET /",
        "GET /?token=00",
        "GET /assets/main-1.js",
        "GET /api/updates",
        "POST /api/request/app",
        "POST /api/import",
    ] {
        let answer = http(&address, request, &[], b"{}");
        assert_eq!(answer.status, 401, "{request}");
        assert!(
            answer.header("content-security-policy").is_some_and(|p| p.contains("frame-ancestors 'none'")),
            "{request}"
        );
    }
    let answer = http(&address, "POST /api/request/app", &[("cookie", "flowglass=1")], b"{}");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("unauthorized")));

    let cookie = sign_in(&address, &token);
    let again = http(&address, &format!("GET /?token={token}"), &[], &[]);
    assert_eq!(again.status, 401);
    assert!(text(&again.body).contains("used before"), "{}", text(&again.body));
    // Whoever is signed in may open the link again.
    let again = http(&address, &format!("GET /?token={token}"), &[("cookie", &cookie)], &[]);
    assert_eq!((again.status, again.header("set-cookie")), (303, None));

    let page = http(&address, "GET /", &[("cookie", &cookie)], &[]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(text(&page.body).contains("<title>Flowglass</title>"));
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-cache")]
    {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let script = http(&address, "GET /assets/main-1.js", &[("cookie", &cookie)], &[]);
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert!(script.header("cache-control").unwrap().contains("immutable"));
    for path in ["/assets/other.js", "/../w.flowglass", "/assets/../../x", "/%2e%2e/w.flowglass"] {
        assert_eq!(http(&address, &format!("GET {path}"), &[("cookie", &cookie)], &[]).status, 404, "{path}");
    }
}

#[test]
fn other_hosts_and_origins_are_refused() {
    let (_folder, _server, address, token) = start();
    let cookie = sign_in(&address, &token);
    let port = address.rsplit(':').next().unwrap();
    let local = format!("localhost:{port}");
    let (here, there) = (format!("http://{address}"), format!("http://{local}"));
    let status = |headers: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = headers.iter().copied().chain([("cookie", cookie.as_str())]).collect();
        http(&address, "POST /api/request/app", &all, b"{}").status
    };
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[("origin", &here)]), 200);
    assert_eq!(status(&[("host", &local), ("origin", &there)]), 200);
    for refused in [
        vec![("host", "attacker.example")],
        vec![("host", "127.0.0.1:1")],
        vec![("origin", "http://attacker.example")],
        vec![("origin", "null")],
        vec![("origin", there.as_str())],
        vec![("origin", "http://127.0.0.1:1")],
    ] {
        assert_eq!(status(&refused), 403, "{refused:?}");
    }
    // Not even the token is looked at.
    let answer = http(&address, &format!("GET /?token={token}"), &[("host", "attacker.example")], &[]);
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
}

#[test]
fn requests_are_answered_with_the_status_of_their_code() {
    let (folder, _server, address, token) = start();
    let cookie = sign_in(&address, &token);
    let app = ask(&address, &cookie, "app", &json!({}));
    assert_eq!((app.status, app.json()["empty"].as_bool()), (200, Some(true)));
    assert_eq!(http(&address, "POST /api/request/app", &[("cookie", &cookie)], &[]).status, 200, "no argument");
    for (name, argument, status, code) in [
        ("nonsense", "{}", 400, "bad-request"),
        ("app", "{", 400, "bad-request"),
        ("journey", r#"{"id":"no id"}"#, 400, "bad-request"),
        ("journey", r#"{"id":"5b8efff798038103d269b633813fc60c"}"#, 404, "not-found"),
    ] {
        let answer = http(&address, &format!("POST /api/request/{name}"), &[("cookie", &cookie)], argument.as_bytes());
        let error = answer.json();
        assert_eq!((answer.status, error["code"].as_str()), (status, Some(code)), "{name} {argument}: {error}");
        assert!(error["message"].as_str().is_some_and(|m| !m.is_empty()));
    }
    let file = folder.path().join("order.json");
    std::fs::write(&file, TRACE).unwrap();
    let started = ask(&address, &cookie, "import_paths", &json!({ "paths": [file] }));
    assert_eq!((started.status, started.json()["title"].as_str()), (200, Some("order.json")));
}

#[test]
fn an_upload_is_imported() {
    let (_folder, _server, address, token) = start();
    let cookie = sign_in(&address, &token);
    let upload =
        |body: &[u8]| http(&address, "POST /api/import?name=order%201.json", &[("cookie", &cookie)], body).json();
    let view = upload(TRACE.as_bytes());
    assert_eq!((view["title"].as_str(), view["state"].as_str()), (Some("order 1.json"), Some("done")), "{view}");
    assert_eq!((view["spans"].as_u64(), view["known"].as_u64()), (Some(3), Some(0)), "{view}");
    assert_eq!(upload(TRACE.as_bytes())["known"], 3);
    assert_eq!(upload(b"\x00garbage")["rejectedTotal"], 1);
}

#[test]
fn updates_tell_what_was_stored() {
    let (_folder, server, address, token) = start();
    let cookie = sign_in(&address, &token);
    let (status, lines) = http_lines(&address, "GET /api/updates", &[("cookie", &cookie)]);
    assert_eq!(status, 200);
    assert_eq!(export(&server, TRACE).status, 200);
    let stored = lines
        .lines()
        .filter_map(|line| line.expect("the stream goes on").strip_prefix("data: ").map(str::to_owned))
        .map(|data| serde_json::from_str::<Value>(&data).expect("an update is JSON"))
        .find(|update| update["type"] == "stored")
        .expect("an update about what was stored");
    assert_eq!(stored["spans"], 3, "{stored}");
    // An open stream does not keep the server from ending.
    assert_eq!(server.terminate().0, Some(0));
}

#[test]
fn a_token_file_takes_the_token_out_of_the_ready_line() {
    let (folder, file) = folder_with("token", "an old one, which anybody could read");
    let server =
        Server::start(&folder.path().join("w.flowglass"), &["--ui", "0", "--ui-token-file", file.to_str().unwrap()]);
    let link = server.address("ui");
    assert!(!link.contains("token"), "{link}");
    let token = std::fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let address = link.strip_prefix("http://").unwrap().trim_end_matches('/');
    sign_in(address, token.trim());
}
