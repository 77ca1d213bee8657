//! How long every question of the UI takes, asked over HTTP as the UI asks it.

use anyhow::{Context as _, Result};
use flowglass_tests::product::Serve;
use flowglass_tests::session::Session;
use serde_json::{Value, json};

use crate::table::{Times, heading, line, load};

/// Within this somebody feels that the machine reacts at once (Nielsen 1993), milliseconds.
pub(crate) const AIM: f64 = 100.0;

/// What is asked for: taken from the workspace itself, so that nothing is found by luck.
struct Sample {
    journeys: Vec<Value>,
    spans: Vec<Value>,
    keys: Vec<String>,
    nodes: Vec<Value>,
    edges: Vec<Value>,
    events: Vec<Value>,
    newest: f64,
}

impl Sample {
    fn of(session: &Session) -> Result<Sample> {
        let rows = |name: &str, argument: Value, field: &str| -> Result<Vec<Value>> {
            let (answer, _) = session.ask(name, &argument)?;
            answer[field].as_array().cloned().with_context(|| format!("{name} has no {field}"))
        };
        let everything = json!({ "range": {}, "limit": 500, "beforeRow": null, "afterRow": null });
        let journeys = rows("journeys", everything.clone(), "rows")?;
        let newest = journeys.first().and_then(|j| j["startAt"].as_f64()).context("there are journeys")?;
        let keys = journeys.iter().filter_map(|j| j["keys"][0]["value"].as_str().map(str::to_owned)).collect();
        let first = journeys[0]["id"].clone();
        let topology = session.ask("topology", &map(json!({})))?.0;
        Ok(Sample {
            spans: rows("journey", json!({ "id": first }), "items")?
                .into_iter()
                .filter(|i| i["type"] == "span")
                .collect(),
            nodes: topology["nodes"].as_array().cloned().unwrap_or_default(),
            edges: topology["edges"].as_array().cloned().unwrap_or_default(),
            events: rows("events", everything, "rows")?,
            journeys,
            keys,
            newest,
        })
    }
}

fn map(range: Value) -> Value {
    json!({ "range": range, "environment": null, "knownRevision": null, "relayout": false })
}

fn journeys(filter: Option<&str>) -> Value {
    json!({ "range": {}, "filter": filter, "limit": 100 })
}

fn events(filter: Option<&str>) -> Value {
    json!({ "range": {}, "filter": filter, "limit": 200, "beforeRow": null, "afterRow": null })
}

fn logs(filter: Option<&str>) -> Value {
    json!({ "range": {}, "filter": filter, "limit": 200, "before": null, "after": null, "reveal": [] })
}

fn deleting(since: f64, roughly: bool) -> Value {
    let range = json!({ "sinceAt": since, "untilAt": null });
    json!({ "what": "range", "range": range, "journeys": [], "dryRun": true, "roughly": roughly })
}

/// A question: what people do, the request, and its argument in round `n`.
type Question<'a> = (&'static str, &'static str, Box<dyn Fn(usize) -> Value + 'a>);

fn questions(s: &Sample) -> Vec<Question<'_>> {
    let pick = |list: &[Value], n: usize| list.get(n * 7 % list.len().max(1)).cloned().unwrap_or_default();
    let key = |n: usize| s.keys.get(n * 11 % s.keys.len().max(1)).cloned().unwrap_or_default();
    let since = move |minutes: f64| json!({ "sinceAt": s.newest - minutes * 60_000.0, "untilAt": null });
    let service =
        s.nodes.iter().find(|n| n["kind"] == "service").map_or("", |n| n["name"].as_str().unwrap_or_default());
    let subject = s.events.first().map_or("", |e| e["destination"].as_str().unwrap_or_default());
    vec![
        ("nothing to look up (marks)", "marks", Box::new(|_| json!({}))),
        ("open the map, everything", "topology", Box::new(|_| map(json!({})))),
        ("open the map, 15 min", "topology", Box::new(move |_| map(since(15.0)))),
        ("a participant", "node", Box::new(move |n| json!({ "id": pick(&s.nodes, n)["id"], "range": {} }))),
        (
            "an interaction",
            "edge",
            Box::new(move |n| {
                let edge = pick(&s.edges, n);
                json!({ "source": edge["source"], "target": edge["target"], "kind": edge["kind"], "range": {} })
            }),
        ),
        (
            "time strip, 15 min",
            "timeline",
            Box::new(move |_| json!({ "range": { "sinceAt": s.newest - 9e5, "untilAt": s.newest }, "buckets": 240 })),
        ),
        (
            "time strip, 24 h",
            "timeline",
            Box::new(move |_| json!({ "range": { "sinceAt": s.newest - 864e5, "untilAt": s.newest }, "buckets": 240 })),
        ),
        (
            "map filter",
            "map_matches",
            Box::new(|_| json!({ "filter": "layer:system", "range": {}, "environment": null })),
        ),
        (
            "map as SVG",
            "map_export",
            Box::new(
                |_| json!({ "format": "svg", "theme": "dark", "range": {}, "environment": null, "title": "", "nodes": [], "rangeWords": "" }),
            ),
        ),
        ("list of journeys, everything", "journeys", Box::new(|_| journeys(None))),
        (
            "list of journeys, next page",
            "journeys",
            Box::new(move |n| json!({ "range": {}, "limit": 100, "after": pick(&s.journeys, n)["id"] })),
        ),
        ("journeys that failed", "journeys", Box::new(|_| journeys(Some("state:failed")))),
        ("journeys slower than 1 s", "journeys", Box::new(|_| journeys(Some("duration>1s")))),
        ("journeys of a service", "journeys", Box::new(move |_| journeys(Some(&format!("service:{service}"))))),
        ("journeys of an operation", "journeys", Box::new(|_| journeys(Some("operation:\"POST /orders\"")))),
        ("journeys by a word", "journeys", Box::new(|_| journeys(Some("acquirer")))),
        ("journeys by a key in the filter", "journeys", Box::new(move |n| journeys(Some(&format!("key:{}", key(n)))))),
        ("journeys by an attribute", "journeys", Box::new(|_| journeys(Some("@http.response.status_code:503")))),
        ("find by key", "journeys", Box::new(move |n| json!({ "range": {}, "find": key(n), "limit": 100 }))),
        (
            "find a key that is not there",
            "journeys",
            Box::new(|_| json!({ "range": {}, "find": "ORD-none-000000", "limit": 100 })),
        ),
        ("search box: a key", "search", Box::new(move |n| json!({ "text": key(n) }))),
        (
            "search box: the beginning of a key",
            "search",
            Box::new(move |n| json!({ "text": key(n).get(..7).unwrap_or("ORD") })),
        ),
        ("search box: a service", "search", Box::new(|_| json!({ "text": "order" }))),
        (
            "completion of a filter",
            "complete",
            Box::new(|_| json!({ "text": "service:or", "cursor": 10, "view": "journeys" })),
        ),
        ("open a journey", "journey", Box::new(move |n| json!({ "id": pick(&s.journeys, n)["id"], "guesses": true }))),
        (
            "a span",
            "span",
            Box::new(move |n| {
                let span = pick(&s.spans, n);
                json!({ "traceId": span["traceId"], "spanId": span["id"], "kind": null, "reveal": [] })
            }),
        ),
        ("events, everything", "events", Box::new(|_| events(None))),
        ("events of a subject", "events", Box::new(move |_| events(Some(&format!("subject:{subject}"))))),
        ("events that failed", "events", Box::new(|_| events(Some("outcome:failed")))),
        ("events by a key", "events", Box::new(move |n| events(Some(&format!("key:{}", key(n)))))),
        ("events by a word", "events", Box::new(|_| events(Some("HAM-2")))),
        ("an event", "event", Box::new(move |n| json!({ "row": pick(&s.events, n)["row"], "reveal": [] }))),
        ("subjects with their consumers", "destinations", Box::new(|_| json!({ "range": {} }))),
        ("logs, everything", "logs", Box::new(|_| logs(None))),
        ("logs of a level", "logs", Box::new(|_| logs(Some("level:error")))),
        ("logs by a word", "logs", Box::new(|_| logs(Some("declined")))),
        (
            "logs of a journey",
            "logs",
            Box::new(move |n| logs(pick(&s.journeys, n)["id"].as_str().map(|id| format!("trace:{id}")).as_deref())),
        ),
        ("settings", "settings", Box::new(|_| json!({}))),
        ("sources", "sources", Box::new(|_| json!({}))),
        (
            "what a noise rule means",
            "rule_matches",
            Box::new(|_| json!({ "kind": "noise", "patterns": ["GET /health*"] })),
        ),
        ("about how much deleting 10 min would be", "erase", Box::new(move |_| deleting(s.newest - 6e5, true))),
        ("exactly how much (asked after that)", "erase", Box::new(move |_| deleting(s.newest - 6e5, false))),
        ("workspace (app)", "app", Box::new(|_| json!({}))),
    ]
}

/// Asks everything some rounds over and prints it.
///
/// # Errors
/// If a question is not answered.
pub(crate) fn measure(serve: &Serve, rounds: usize) -> Result<()> {
    let session = Session::open(serve)?;
    let sample = Sample::of(&session)?;
    let questions = questions(&sample);
    let mut times = vec![Times::default(); questions.len()];
    for round in 0..rounds {
        for ((_, request, argument), times) in questions.iter().zip(&mut times) {
            times.add(session.ask(request, &argument(round))?.1);
        }
    }
    heading(&format!("Answers over HTTP, ms, {rounds} times each ({})", load()), &["first", "median", "worst"]);
    for ((label, ..), times) in questions.iter().zip(&times) {
        line(label, times, AIM);
    }
    let missed = times.iter().filter(|t| t.median() > AIM).count();
    println!("{} of {} within {AIM:.0} ms", questions.len() - missed, questions.len());
    Ok(())
}
