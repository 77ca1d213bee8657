//! Running the binary, and a small HTTP client that says exactly what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Two services of three layers' names: an experience API calls a process API, both answer well.
pub(crate) const TRACE: &str = include_str!("../fixtures/order.json");
/// Its trace id.
pub(crate) const TRACE_ID: &str = "5b8efff798038103d269b633813fc60c";

/// The binary, without settings of the environment.
pub(crate) fn flowglass(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowglass"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "FLOWGLASS_LOG",
        "FLOWGLASS_OTLP_ENDPOINT",
        "FLOWGLASS_UI_DIST",
        "FLOWGLASS_NATS_TOKEN",
        "FLOWGLASS_NATS_PASSWORD",
    ] {
        command.env_remove(name);
    }
    // What is kept for all workspaces is none of the tests' business.
    command.env("FLOWGLASS_DATA_DIR", std::env::temp_dir().join(format!("flowglass-tests-{}", std::process::id())));
    command
}

/// Runs to the end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    flowglass(arguments).output().expect("the binary runs")
}

/// Runs a command that must succeed; its JSON.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is JSON")
}

/// Runs a command that must fail with status 2 and exactly one line on stderr; the line.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{arguments:?}: {stderr}");
    stderr.trim_end().to_owned()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with one file in it.
pub(crate) fn folder_with(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file in it");
    (folder, path)
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A running `flowglass serve`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    /// Starts one on free ports and waits for its ready line.
    pub(crate) fn start(workspace: &Path, more: &[&str]) -> Server {
        Server::with(flowglass(&[]), workspace, more)
    }

    /// The same with a command whose environment was prepared.
    pub(crate) fn with(mut command: Command, workspace: &Path, more: &[&str]) -> Server {
        command.args(["serve", "--workspace", path(workspace), "--otlp-grpc", "0", "--otlp-http", "0"]).args(more);
        Server::spawn(command)
    }

    /// Starts a command that is complete.
    pub(crate) fn spawn(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let Ok(ready) = serde_json::from_str(&line) else {
            let mut stderr = String::new();
            let _ = child.stderr.take().expect("a pipe").read_to_string(&mut stderr);
            panic!("no ready line but {line:?}: {stderr}");
        };
        Server { child, ready }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// An address of the ready line.
    pub(crate) fn address(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.ready)).to_owned()
    }

    /// Sends SIGTERM; the exit status and what stderr held.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String) {
        let sent = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                let mut stderr = String::new();
                let _ = self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr);
                return (status.code(), stderr);
            }
            assert!(Instant::now() < deadline, "flowglass serve did not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", text(&self.body)))
    }
}

/// Sends a request; a `Host` header goes along unless one is given. HTTP/1.0, so that bodies are neither chunked nor kept open.
fn send(address: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    let mut head = format!("{request} HTTP/1.0\r\ncontent-length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).expect("sent");
    stream.write_all(body).expect("sent");
    BufReader::new(stream)
}

fn head(reader: &mut impl BufRead) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a status line");
    let status = line.split_whitespace().nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{line:?}"));
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => return (status, headers),
        }
    }
}

/// A request and its whole answer.
pub(crate) fn http(address: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut reader = send(address, request, headers, body);
    let (status, headers) = head(&mut reader);
    let mut body = Vec::new();
    reader.read_to_end(&mut body).expect("a body");
    Answer { status, headers, body }
}

/// A request whose answer goes on; its body line by line.
pub(crate) fn http_lines(address: &str, request: &str, headers: &[(&str, &str)]) -> (u16, BufReader<TcpStream>) {
    let mut reader = send(address, request, headers, &[]);
    let (status, _) = head(&mut reader);
    (status, reader)
}

/// Sends the sample trace by OTLP/HTTP.
pub(crate) fn export(server: &Server, body: &str) -> Answer {
    let address = server.address("otlp_http");
    http(&address, "POST /v1/traces", &[("content-type", "application/json")], body.as_bytes())
}
