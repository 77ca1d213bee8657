//! Journeys of very many spans, for the views that draw one of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::product::flowglass;

/// Spans of each, and the trace it is.
pub(crate) const JOURNEYS: [(usize, &str); 2] =
    [(10_000, "1a00000000000000000000000000aaa1"), (50_000, "1a00000000000000000000000000aaa2")];

/// Services that call each other.
const SERVICES: [&str; 5] = ["batch-exp-api", "batch-prc-api", "stock-sys-api", "price-sys-api", "label-sys-api"];
/// Calls of one request at each level.
const WIDE: usize = 8;
/// Nanoseconds one span lasts longer than all that it calls.
const OWN: i64 = 40_000;

/// Imports the journeys into a workspace; the last one ends at `end`, nanoseconds since the epoch.
///
/// # Errors
/// If they cannot be written or are not taken.
pub(crate) fn import(workspace: &Path, end: i64) -> Result<()> {
    let file = workspace.with_extension("large.jsonl");
    let lines: Vec<String> = JOURNEYS.iter().map(|(spans, trace)| one(*spans, trace, end)).collect();
    std::fs::write(&file, lines.join("\n")).with_context(|| file.display().to_string())?;
    let arguments: [PathBuf; 5] =
        ["import".into(), "--workspace".into(), workspace.into(), "--json".into(), file.clone()];
    let report = flowglass(&arguments)?;
    std::fs::remove_file(&file)?;
    if report["rejected_total"] != 0 {
        bail!("the large journeys were refused: {report}");
    }
    Ok(())
}

/// One trace as OTLP/JSON: a tree of requests, each over another service than its caller, eight calls wide.
fn one(spans: usize, trace: &str, end: i64) -> String {
    let start = end - spans as i64 * OWN - 1_000_000_000;
    let mut of_service = vec![String::new(); SERVICES.len()];
    for n in 0..spans {
        let level = (0..).scan(n, |at, _| (*at > 0).then(|| *at = (*at - 1) / WIDE)).count();
        let service = level % SERVICES.len();
        // Requests come one after the other: the later they begin, the later they are in the list.
        let (begins, ends) = (start + n as i64 * OWN, end - n as i64 * 1_000);
        let parent = if n == 0 { String::new() } else { format!(r#","parentSpanId":"{:016x}""#, (n - 1) / WIDE + 1) };
        let failed = if n % 997 == 996 { r#","status":{"code":2,"message":"no stock"}"# } else { "" };
        let list = &mut of_service[service];
        let comma = if list.is_empty() { "" } else { "," };
        let _ = write!(
            list,
            r#"{comma}{{"traceId":"{trace}","spanId":"{:016x}"{parent},"name":"GET /lots/{{id}}","kind":2,"startTimeUnixNano":"{begins}","endTimeUnixNano":"{}","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},{{"key":"http.route","value":{{"stringValue":"/lots/{{id}}"}}}},{{"key":"lot","value":{{"intValue":"{n}"}}}}]{failed}}}"#,
            n + 1,
            ends.max(begins + 1_000),
        );
    }
    let resources: Vec<String> = SERVICES
        .iter()
        .zip(of_service)
        .map(|(name, spans)| {
            format!(
                r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{name}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"bench"}},"spans":[{spans}]}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"resourceSpans":[{}]}}"#, resources.join(","))
}
