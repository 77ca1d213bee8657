//! A hostile page in a browser on the same machine, and hostile names in the product's own page.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use anyhow::{Context as _, Result};
use flowglass_tests::product::{Serve, flowglass};
use flowglass_tests::views::{Area, Page};
use flowglass_tests::webdriver::Driver;
use serde_json::{Value, json};

use crate::ui::asked_for;

/// A name that the browser is told to find on this machine.
const FOREIGN: &str = "evil.example";

/// A web server that answers everything with one page, for as long as the process lives.
fn foreign_site(page: &'static str) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, page);
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, page: &str) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request)?;
    let length = page.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
    )
}

/// Everything that a page may try without being asked: requests with and without a preflight, forms, sockets, frames. Answers
/// what each came to.
const TRIES: &str = r#"
const [otlp, ui, done] = arguments;
const trace = JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [{traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331'}]}]}]});
const event = JSON.stringify({specversion: '1.0', id: '1', source: '/evil', type: 'evil'});
const seen = {};
const asked = (name, url, more) => fetch(url, {method: 'POST', credentials: 'include', ...more})
  .then(async (r) => { seen[name] = r.type === 'opaque' ? 'opaque' : `${r.status} ${(await r.text()).slice(0, 200)}`; }, (e) => { seen[name] = `blocked: ${e}`; });
const socket = (name, url) => new Promise((then) => {
  const s = new WebSocket(url);
  s.onopen = () => { seen[name] = 'open'; then(); };
  s.onerror = () => { seen[name] = 'refused'; then(); };
});
const form = (name, url, kind, text) => new Promise((then) => {
  const frame = document.createElement('iframe');
  frame.name = name;
  document.body.append(frame);
  const f = document.createElement('form');
  Object.assign(f, {method: 'POST', action: url, enctype: kind, target: name});
  const field = document.createElement('input');
  Object.assign(field, {name: text, value: ''});
  f.append(field);
  document.body.append(f);
  frame.onload = () => { seen[name] = 'sent'; then(); };
  f.submit();
});
const frame = (name, url) => new Promise((then) => {
  const f = document.createElement('iframe');
  f.src = url;
  f.onload = () => { let text = ''; try { text = f.contentDocument.body.innerText; } catch { text = 'not readable'; } seen[name] = text; then(); };
  document.body.append(f);
});
// What never comes to anything came to nothing.
const within = (name, tried) => Promise.race([tried, new Promise((then) => setTimeout(() => { seen[name] ??= 'nothing'; then(); }, 5000))]);
Promise.all([
  within('simple', asked('simple', otlp + '/v1/traces', {mode: 'no-cors', body: trace})),
  within('typed', asked('typed', otlp + '/v1/traces', {credentials: 'omit', headers: {'content-type': 'application/json'}, body: trace})),
  within('events', asked('events', otlp + '/cloudevents', {headers: {'content-type': 'application/cloudevents+json'}, body: event})),
  within('zipkin', asked('zipkin', otlp + '/api/v2/spans', {mode: 'no-cors', body: JSON.stringify([{traceId: '0af7651916cd43dd', id: 'b7ad6b7169203331'}])})),
  within('page', asked('page', ui + '/api/request/app', {mode: 'no-cors', body: '{}'})),
  within('delete', asked('delete', ui + '/api/request/erase', {headers: {'content-type': 'application/json'}, body: '{}'})),
  within('upload', asked('upload', ui + '/api/import?name=x', {mode: 'no-cors', body: trace})),
  within('socket', socket('socket', ui.replace('http', 'ws') + '/api/updates')),
  within('otlp socket', socket('otlp socket', otlp.replace('http', 'ws') + '/v1/traces')),
  within('form', form('form', otlp + '/v1/traces', 'text/plain', trace)),
  within('events form', form('events form', otlp + '/cloudevents', 'application/x-www-form-urlencoded', event)),
  within('page form', form('page form', ui + '/api/request/app', 'text/plain', '{}')),
  within('framed', frame('framed', ui + '/')),
]).then(() => done(seen));
"#;

fn stored(workspace: &std::path::Path) -> Result<(u64, u64)> {
    let arguments = ["stats".into(), "--json".into(), "--workspace".into(), workspace.as_os_str().to_owned()];
    let stats: Value = flowglass(&arguments)?;
    Ok((stats["spans"].as_u64().context("spans")?, stats["events"].as_u64().context("events")?))
}

#[test]
fn a_hostile_page_gets_nothing_in_and_nothing_out() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("hostile.flowglass");
    let serve = Serve::start(&workspace, &["--ui", "127.0.0.1:0"])?;
    // Every name leads to this machine, as somebody who owns a name can make his lead.
    let resolve = format!("--host-resolver-rules=MAP {FOREIGN} 127.0.0.1");
    let driver = Driver::browser_with(&folder.path().join("profile"), &[&resolve])?;
    driver.goto(serve.ui())?;
    Page(&driver).ready()?;
    let ui = serve.ui().split("/?").next().context("an address")?.to_owned();
    let otlp = serve.http();

    let site = foreign_site("<!doctype html><title>evil</title><body>evil")?;
    driver.goto(&format!("http://{FOREIGN}:{}/", site.port()))?;
    let seen = driver.run_async(TRIES, json!([otlp, ui]))?;
    for (what, came) in seen.as_object().context("what each try came to")? {
        let came = came.as_str().unwrap_or_default();
        let harmless =
            ["opaque", "sent", "refused", "not readable", "nothing", ""].contains(&came) || came.starts_with("blocked");
        assert!(harmless, "{what}: {came}");
    }
    assert_eq!(seen["socket"], "refused", "{seen}");
    assert_eq!(stored(&workspace)?, (0, 0), "{seen}");

    // DNS rebinding: the foreign name now leads to our ports, and the page of that name asks its own origin.
    for port in [&ui, &otlp] {
        let port = port.rsplit(':').next().context("a port")?;
        driver.goto(&format!("http://{FOREIGN}:{port}/"))?;
        let text = driver.run("return document.body.innerText", json!([]))?;
        let text = text.as_str().unwrap_or_default();
        assert!(text.contains("answers only under") || text.contains("nothing is served"), "{text}");
        let own = format!("http://{FOREIGN}:{port}");
        let seen = driver.run_async(TRIES, json!([own, own]))?;
        for what in ["typed", "events", "delete"] {
            let came = seen[what].as_str().unwrap_or_default();
            assert!(
                came.starts_with("403") || came.starts_with("404") || came.starts_with("blocked"),
                "{what}: {came}"
            );
        }
        assert_ne!(seen["socket"], "open");
    }
    assert_eq!(stored(&workspace)?, (0, 0));

    // A page of this machine may send, as applications in development do; the UI stays closed to it.
    driver.goto(&format!("http://localhost:{}/", site.port()))?;
    let seen = driver.run_async(TRIES, json!([otlp, ui]))?;
    assert!(seen["typed"].as_str().is_some_and(|s| s.starts_with("200")), "{seen}");
    for what in ["delete", "page", "upload"] {
        let came = seen[what].as_str().unwrap_or_default();
        assert!(came == "opaque" || came.starts_with("blocked"), "{what}: {came}");
    }
    // One span by OTLP, one by Zipkin.
    assert_eq!(stored(&workspace)?, (2, 0), "{seen}");
    drop(driver);
    serve.stop()
}

/// Sends spans whose every text is markup, script and a turned direction of writing.
fn send_hostile(otlp: &str) -> Result<()> {
    let name =
        "<img src=x onerror='window.owned=1'><script>window.owned=1</script>\u{202e}gpj.exe\u{1b}[2J{{7*7}}${owned=1}";
    let attribute = |key: &str| json!({"key": key, "value": {"stringValue": name}});
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    let span = |id: &str, parent: &str, kind: u8| {
        json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
               "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 1_000_000).to_string(),
               "attributes": [attribute("orderId"), attribute("http.route"), attribute(name)], "status": {"code": 2, "message": name}})
    };
    let body = json!({"resourceSpans": [
        {"resource": {"attributes": [attribute("service.name")]}, "scopeSpans": [{"scope": {"name": name}, "spans": [span("00f067aa0ba902b7", "", 2), span("00f067aa0ba902b8", "00f067aa0ba902b7", 3)]}]},
        {"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "victim-sys-api"}}]}, "scopeSpans": [{"spans": [span("00f067aa0ba902b9", "00f067aa0ba902b8", 2)]}]},
    ]})
    .to_string();
    let mut stream = TcpStream::connect(otlp.trim_start_matches("http://"))?;
    let length = body.len();
    write!(
        stream,
        "POST /v1/traces HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.contains(" 200 "), "{answer}");
    Ok(())
}

#[test]
fn hostile_names_are_text_in_every_view() -> Result<()> {
    if !asked_for("the real browser") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let serve = Serve::start(&folder.path().join("names.flowglass"), &["--ui", "127.0.0.1:0"])?;
    let driver = Driver::browser(&folder.path().join("profile"))?;
    driver.resize(1280, 800)?;
    driver.goto(serve.ui())?;
    let page = Page(&driver);
    page.ready()?;
    send_hostile(&serve.http())?;
    page.shows(Area::Topology)?;
    page.card("victim-sys-api")?;
    for area in Area::ALL {
        page.open(area)?;
        let script =
            "return [window.owned ?? null, document.querySelectorAll('img[src=x], body script:not([src])').length]";
        assert_eq!(driver.run(script, json!([]))?, json!([null, 0]), "{}", area.name());
    }
    // What a turned direction of writing turns is its own text and not what stands beside it.
    let isolated = "return [...document.querySelectorAll('*')]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.includes('\\u202e')))
        .filter((e) => getComputedStyle(e).display.startsWith('inline') && !getComputedStyle(e).unicodeBidi.startsWith('isolate'))
        .map((e) => e.outerHTML.slice(0, 80))";
    page.open(Area::Journeys)?;
    assert_eq!(driver.run(isolated, json!([]))?, json!([]));
    super::no_complaints(&driver)?;
    drop(driver);
    serve.stop()
}
