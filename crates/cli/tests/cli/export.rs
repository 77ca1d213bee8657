//! What leaves a workspace: forms, redaction, the way back in.

use std::path::Path;

use serde_json::Value;

use crate::support::{folder_with, json as answer, path, refused, run, text};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`|*_[x](javascript:y)";

/// An order whose names and payload are hostile, with an event, its delivery and its acknowledgement, and with secrets.
fn recorded() -> (tempfile::TempDir, String) {
    let span = |id: &str, parent: &str, name: &str, kind: u8, status: u8| {
        serde_json::json!({
            "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind, "flags": 0x101,
            "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000250000000",
            "attributes": [
                { "key": "orderId", "value": { "stringValue": "o-17" } },
                { "key": "app.payment.iban", "value": { "stringValue": "DE02120300000000202051" } },
                { "key": "note", "value": { "stringValue": HOSTILE } },
                { "key": "bytes", "value": { "bytesValue": "AP8=" } },
                { "key": "nan", "value": { "doubleValue": "NaN" } },
                { "key": "list", "value": { "arrayValue": { "values": [{ "intValue": "7" }, { "boolValue": true }] } } },
            ],
            "events": [{ "timeUnixNano": "1700000000100000000", "name": "exception", "attributes": [
                { "key": "exception.message", "value": { "stringValue": "no account DE02120300000000202051" } }] }],
            "links": [{ "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331" }],
            "droppedAttributesCount": 3,
            "status": { "code": status, "message": "payment refused for DE02120300000000202051" },
        })
    };
    let resource =
        |name: &str| serde_json::json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": name } }] });
    let traces = serde_json::json!({
        "resourceSpans": [
            { "resource": resource("web-exp-api"), "schemaUrl": "https://opentelemetry.io/schemas/1.30.0",
              "scopeSpans": [{ "scope": { "name": "http", "version": "2" }, "spans": [span("00f067aa0ba902b7", "", "POST /orders", 2, 2)] }] },
            { "resource": resource("payments-sys-api"),
              "scopeSpans": [{ "scope": { "name": "<b>x</b>" }, "spans": [span("00f067aa0ba902b8", "00f067aa0ba902b7", HOSTILE, 2, 2)] }] },
        ],
        "resourceLogs": [{ "resource": resource("web-exp-api"), "scopeLogs": [{ "logRecords": [{
            "timeUnixNano": "1700000000200000000", "severityNumber": 17, "severityText": "ERROR", "traceId": TRACE,
            "body": { "stringValue": "charging DE02120300000000202051 with password=hunter2 failed" } }] }] }],
    });
    let messages = [
        serde_json::json!({ "t": 1_700_000_000_150_000_000_i64, "subject": "orders.placed",
            "headers": { "ce-id": "e-1", "ce-source": "/web", "ce-type": "order.placed", "ce-specversion": "1.0",
                         "traceparent": format!("00-{TRACE}-00f067aa0ba902b7-01") },
            "reply": "$JS.ACK.ORDERS.payment.1.7.9.1700000000150000000.0",
            "payload": format!("{{\"orderId\":\"o-17\",\"iban\":\"DE02120300000000202051\",\"note\":{}}}", serde_json::Value::from(HOSTILE)) }),
        serde_json::json!({ "t": 1_700_000_000_190_000_000_i64, "ack": "$JS.ACK.ORDERS.payment.1.7.9.1700000000150000000.0", "verb": "+ACK" }),
    ];
    let (folder, file) = folder_with("traces.json", format!("{{\n{}", &traces.to_string()[1..]));
    let events = folder.path().join("events.jsonl");
    std::fs::write(&events, messages.map(|m| m.to_string()).join("\n")).unwrap();
    let workspace = folder.path().join("w.flowglass");
    let told = answer(&["import", "--workspace", path(&workspace), path(&file), path(&events), "--json"]);
    assert_eq!(
        (told["spans"].as_u64(), told["events"].as_u64(), told["logs"].as_u64()),
        (Some(2), Some(1), Some(1)),
        "{told}"
    );
    let workspace = path(&workspace).to_owned();
    (folder, workspace)
}

fn export(workspace: &str, to: &Path, more: &[&str]) -> (Value, Vec<u8>) {
    let arguments = [&["export", TRACE, "--workspace", workspace, "-o", path(to)], more].concat();
    let told = answer(&arguments);
    (told, std::fs::read(to).unwrap())
}

fn journey(workspace: &str) -> Value {
    answer(&["journey", TRACE, "--workspace", workspace, "--json"])
}

#[test]
fn otlp_json_comes_back_without_loss() {
    let (folder, workspace) = recorded();
    let (told, bytes) = export(&workspace, &folder.path().join("out.json"), &["--unredacted"]);
    assert_eq!(told["redacted"], Value::Null);
    let document: Value = serde_json::from_slice(&bytes).expect("one JSON document");
    assert!(document["resourceSpans"].is_array() && document["resourceLogs"].is_array());

    // As one line it holds the same.
    for (name, content) in [("again.json", text(&bytes)), ("line.json", document.to_string())] {
        let copy = folder.path().join(name);
        std::fs::write(&copy, content).unwrap();
        let again = folder.path().join(format!("{name}.flowglass"));
        let told = answer(&["import", "--workspace", path(&again), path(&copy), "--json"]);
        assert_eq!(told["rejected_total"], 0, "{told}");
        let again = path(&again).to_owned();
        assert_eq!(journey(&again), journey(&workspace), "{name}");
        let (_, second) = export(&again, &folder.path().join("second.json"), &["--unredacted"]);
        assert_eq!(text(&second), text(&bytes), "{name}: exported again it is the same file");
    }
}

#[test]
fn a_case_file_is_a_small_redacted_workspace() {
    let (folder, workspace) = recorded();
    let case = folder.path().join("case.flowglass");
    let (told, bytes) = export(&workspace, &case, &[]);
    assert!(told["redacted"].as_u64().unwrap() > 5, "{told}");
    let stats = answer(&["stats", "--workspace", path(&case), "--json"]);
    assert_eq!(
        (stats["spans"].as_u64(), stats["events"].as_u64(), stats["logs"].as_u64()),
        (Some(2), Some(1), Some(1))
    );
    for secret in ["DE02120300000000202051", "hunter2"] {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} left");
        let find = answer(&["journeys", "--workspace", path(&case), "--find", secret, "--json"]);
        assert_eq!(find, serde_json::json!([]), "{secret}");
    }
    let (was, is) = (journey(&workspace), journey(path(&case)));
    for key in ["id", "state", "links", "critical_path"] {
        assert_eq!(was[key], is[key], "{key}");
    }
    assert_eq!(was["items"].as_array().unwrap().len(), is["items"].as_array().unwrap().len());
    // A second export replaces a case file, but no other workspace.
    export(&workspace, &case, &[]);
    let words = refused(&["export", TRACE, "--workspace", &workspace, "-o", &workspace]);
    assert!(words.contains("no case file"), "{words}");
}

#[test]
fn a_report_loads_nothing_and_runs_nothing() {
    let (folder, workspace) = recorded();
    let (_, bytes) = export(&workspace, &folder.path().join("report.html"), &[]);
    let page = text(&bytes);
    for never in ["<script", "<img", "<b>x", "url(", "@import", "<link", "<iframe", "DE0212030000", "hunter2"] {
        assert!(!page.contains(never), "{never} stands in the report");
    }
    assert!(page.contains("default-src 'none'") && page.contains("&lt;script&gt;") && page.contains("o-17"));
    assert!(page.contains("payments-sys-api") && page.contains("ack after"), "{page}");
    let (_, open) = export(&workspace, &folder.path().join("open.html"), &["--unredacted"]);
    assert!(text(&open).contains("DE02120300000000202051") && text(&open).contains("not redacted"));
}

#[test]
fn text_forms_are_harmless() {
    let (folder, workspace) = recorded();
    let (_, ticket) = export(&workspace, &folder.path().join("ticket.md"), &[]);
    let ticket = text(&ticket);
    assert!(ticket.starts_with("# ") && ticket.contains("payments-sys-api") && ticket.contains("```mermaid"));
    assert!(!ticket.contains("<script") && !ticket.contains("x](javascript") && !ticket.contains("DE0212030000"));
    let (_, diagram) = export(&workspace, &folder.path().join("d.mmd"), &[]);
    let diagram = text(&diagram);
    assert!(
        diagram.contains("sequenceDiagram") && diagram.contains("p0-xp1: ") && !diagram.contains("<script"),
        "{diagram}"
    );
    let (_, table) = export(&workspace, &folder.path().join("t.csv"), &[]);
    assert_eq!(text(&table).lines().next().map(|l| l.split(',').count()), Some(14));
}

#[test]
fn what_cannot_be_exported_is_told() {
    let (folder, workspace) = recorded();
    let to = |name: &str| folder.path().join(name);
    for (arguments, words) in [
        (vec!["export", TRACE, "--workspace", &workspace, "-o", path(&to("x.pdf"))], ".html"),
        (vec!["export", TRACE, "--workspace", &workspace, "-o", path(&to("no-folder/x.md"))], "cannot be written"),
        (vec!["export", "order-17", "--workspace", &workspace, "-o", path(&to("x.md"))], "no journey id"),
        (
            vec!["export", "0af7651916cd43dd8448eb211c80319d", "--workspace", &workspace, "-o", path(&to("x.md"))],
            "0af765",
        ),
        (vec!["export", TRACE, "--workspace", path(&to("none.flowglass")), "-o", path(&to("x.md"))], "none.flowglass"),
    ] {
        let line = refused(&arguments);
        assert!(line.contains(words), "{line}");
    }
    assert!(!to("x.md").exists() && !to("none.flowglass").exists());
    assert_eq!(run(&["export", "--workspace", &workspace]).status.code(), Some(2));
}
