//! The account at the end: what senders were told is stored against what is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flowglass_tests::process::until;
use flowglass_tests::product::{Serve, binary, flowglass, topology};
use flowglass_tests::session::Session;
use serde_json::{Value, json};

use crate::fleet::Sender;
use crate::plan::Dice;
use crate::run::Stage;
use crate::spans::{CALLS, SPANS, SPANS_A_TRACE, Stream, TRACES};
use crate::verdict::{Criterion, criterion};
use crate::watch::Seen;

/// Traces that are read in full, drawn from all; those of interrupted requests come on top.
const LOOKED_AT: u64 = 400;
/// Interrupted requests of which traces are read.
const INTERRUPTED: usize = 200;
/// How long the product may take to catch up with the broker.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(120);

/// What was found at the end.
pub(crate) struct Judged {
    /// What must hold.
    pub(crate) criteria: Vec<Criterion>,
    /// Figures, by name.
    pub(crate) facts: Vec<(String, String)>,
}

/// Settles the account, ends the product and looks at its file and its log.
pub(crate) fn settle(
    stage: &Stage,
    serve: Serve,
    session: &Session,
    workspace: &Path,
    log: &Path,
    seed: u64,
    seen: &Seen,
) -> Judged {
    let held = |name: &str, found: Result<(bool, String)>| match found {
        Ok((holds, told)) => criterion(name, holds, told),
        Err(error) => criterion(name, false, format!("{error:#}")),
    };
    let mut criteria = vec![
        held("Messages of the broker are all there", messages(stage, session)),
        held("Spans acknowledged are all there, each once", spans(&stage.senders, workspace)),
        held("Traces read back are whole", traces(&stage.senders, workspace, session, seed)),
    ];
    let stopped = serve.stop();
    criteria.push(held("The program ends in good order", stopped.map(|()| (true, "exit status 0".to_owned()))));
    criteria.push(held("The file is sound", check(workspace)));
    criteria.push(held("No error in the program's log", read(log)));
    let problems = seen.problems();
    let told =
        problems.first().map_or("none".to_owned(), |first| format!("{} or more, the first: {first}", problems.len()));
    criteria.push(criterion("No view, question or exporter failed", problems.is_empty(), told));
    let facts = size(&stage.senders, workspace);
    Judged { criteria, facts: facts.unwrap_or_else(|error| vec![("Stored".to_owned(), format!("{error:#}"))]) }
}

/// Every message in the broker's streams is an event: what is there now was acknowledged to who published it.
fn messages(stage: &Stage, session: &Session) -> Result<(bool, String)> {
    let there = stage.broker.messages()?;
    let stored = || -> Result<u64> {
        session.ask("sources", &json!({}))?.0["stats"]["events"].as_u64().context("events are counted")
    };
    let events = until("the product to catch up with the broker", CAUGHT_UP_WITHIN, || match stored()? {
        events if events >= there => Ok(events),
        events => bail!("{events} events of {there} messages"),
    });
    Ok((events.is_ok() && there > 0, format!("{there} messages, {} events", events.or_else(|_| stored())?)))
}

/// Calls are counted as spans are written, so they say exactly how often each trace came.
fn spans(senders: &[Sender], workspace: &Path) -> Result<(bool, String)> {
    let requests: u64 = senders.iter().map(|s| s.ledger.stored().len() as u64).sum();
    let open: usize = senders.iter().map(|s| s.ledger.flying().len()).sum();
    let lost: Vec<&String> = senders.iter().flat_map(|s| &s.ledger.lost).collect();
    if let Some(first) = lost.first() {
        return Ok((false, format!("{} requests were refused for good, the first: {first}", lost.len())));
    }
    let counted = calls(&topology(workspace)?);
    let expected = requests * TRACES;
    let wrong: Vec<String> = CALLS
        .iter()
        .map(|(from, to)| (format!("{from} to {to}"), counted.get(&((*from).to_owned(), (*to).to_owned())).copied()))
        .filter(|(_, count)| *count != Some(expected))
        .map(|(call, count)| format!("{call}: {}", count.unwrap_or(0)))
        .collect();
    let told = format!("{} spans in {expected} traces", requests * SPANS);
    match wrong.is_empty() && open == 0 && expected > 0 {
        true => Ok((true, format!("{told}; each of the {} calls was counted {expected} times", CALLS.len()))),
        false => Ok((false, format!("{told}; {open} requests without an answer; counted {}", wrong.join(", ")))),
    }
}

/// Calls of the map by the names of caller and callee.
fn calls(topology: &Value) -> BTreeMap<(String, String), u64> {
    let end = |edge: &Value, field: &str| {
        let id = edge[field].as_str().unwrap_or_default();
        let name = id.rsplit(['/', ':']).next().unwrap_or_default();
        name.split('@').next().unwrap_or_default().to_owned()
    };
    let edges = topology["edges"].as_array().into_iter().flatten();
    let calls = edges.filter(|edge| edge["kind"] == "call");
    calls.map(|e| ((end(e, "source"), end(e, "target")), e["count"].as_u64().unwrap_or(0))).collect()
}

/// Reads traces: some of all, and those that were on their way when their exporter was killed.
fn traces(senders: &[Sender], workspace: &Path, session: &Session, seed: u64) -> Result<(bool, String)> {
    let mut dice = Dice::new(seed, 3);
    let mut wanted: Vec<(Stream, u64, u64)> = Vec::new();
    for sender in senders.iter().filter(|s| !s.ledger.stored().is_empty()) {
        for _ in 0..LOOKED_AT / senders.len() as u64 {
            wanted.push((sender.stream(), *dice.one_of(sender.ledger.stored()), dice.between(0, TRACES)));
        }
        wanted.extend(
            sender.interrupted.iter().take(INTERRUPTED).map(|n| (sender.stream(), *n, dice.between(0, TRACES))),
        );
    }
    let removed = removed_until(&stats(workspace)?)?;
    let before = wanted.len();
    wanted.retain(|(stream, number, _)| stream.at(*number) > removed);
    let mut wrong = Vec::new();
    for (stream, number, trace) in &wanted {
        let id = format!("{:032x}", stream.trace(*number, *trace));
        let found = session.ask("journey", &json!({"id": id}));
        let spans = found.map(|(journey, _)| {
            let items = journey["items"].as_array().into_iter().flatten();
            items.filter(|item| item["type"] == "span").count() as u64
        });
        match spans {
            Ok(SPANS_A_TRACE) => {}
            Ok(other) => wrong.push(format!("{id}: {other} spans")),
            Err(error) => wrong.push(format!("{id}: {error:#}")),
        }
    }
    let told = format!("{} traces of {SPANS_A_TRACE} spans, {} of them interrupted", wanted.len(), {
        senders.iter().map(|s| s.interrupted.len().min(INTERRUPTED)).sum::<usize>()
    });
    let by_rule = before - wanted.len();
    let told = if by_rule > 0 { format!("{told}; {by_rule} more were removed by rule") } else { told };
    match wrong.first() {
        None => Ok((!wanted.is_empty(), told)),
        Some(first) => Ok((false, format!("{told}; {} wrong, the first {first}", wrong.len()))),
    }
}

/// When the newest began of what the workspace's own rules removed, nanoseconds since the epoch; 0: nothing was.
fn removed_until(stats: &Value) -> Result<u64> {
    let removed = stats["retention"]["removed"].as_array().context("what was removed is told")?;
    let newest = removed.iter().filter_map(|of| of["newest"].as_str());
    let newest: Vec<u64> = newest
        .map(|at| Ok(u64::try_from(at.parse::<jiff::Timestamp>().context("an instant")?.as_nanosecond())?))
        .collect::<Result<_>>()?;
    Ok(newest.into_iter().max().unwrap_or_default())
}

fn stats(workspace: &Path) -> Result<Value> {
    flowglass(&["stats".as_ref(), "--workspace".as_ref(), workspace.as_os_str(), "--json".as_ref()])
}

/// `flowglass check` reads every page, checksum and item.
fn check(workspace: &Path) -> Result<(bool, String)> {
    let output = Command::new(binary("flowglass")?).arg("check").arg(workspace).output()?;
    let said =
        String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr }).into_owned();
    Ok((output.status.success(), said.lines().next().unwrap_or("it said nothing").trim().to_owned()))
}

/// Lines of the log that tell an error, and how many warnings there were.
fn read(log: &Path) -> Result<(bool, String)> {
    let text = std::fs::read_to_string(log).with_context(|| log.display().to_string())?;
    Ok(errors(&text))
}

/// The same of its text.
fn errors(text: &str) -> (bool, String) {
    // The NATS library calls it an error that a broker is away, which is what a kill is for.
    let (away, wrong): (Vec<&str>, Vec<&str>) = text
        .lines()
        .filter(|line| line.contains(" ERROR ") || line.contains("panicked at"))
        .partition(|line| line.contains(" ERROR async_nats::connector: "));
    let warnings = text.lines().filter(|line| line.contains(" WARN ")).count();
    match wrong.first() {
        None => (true, format!("{warnings} warnings; the NATS library missed the broker {} times", away.len())),
        Some(first) => (false, format!("{} errors, the first: {first}", wrong.len())),
    }
}

/// How much there is, and what a span costs.
fn size(senders: &[Sender], workspace: &Path) -> Result<Vec<(String, String)>> {
    let stats = stats(workspace)?;
    let number = |field: &str| stats[field].as_u64().unwrap_or_default();
    let requests: u64 = senders.iter().map(|s| s.ledger.stored().len() as u64).sum();
    let skipped: u64 = senders.iter().map(|s| s.ledger.skipped).sum();
    let refused: u64 = senders.iter().map(|s| s.ledger.refused).sum();
    let failed: u64 = senders.iter().map(|s| s.ledger.failed).sum();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    Ok(vec![
        fact("Stored", format!("{} spans, {} events, {} logs", number("spans"), number("events"), number("logs"))),
        fact(
            "Size",
            format!("{} MB, {} bytes a span", number("bytes") / 1_000_000, number("bytes") / number("spans").max(1)),
        ),
        fact("Of these from the exporters", format!("{} spans", requests * SPANS)),
        fact("Refused and sent again", format!("{refused} requests refused, {failed} without an answer")),
        fact("Not offered (an exporter was late or away)", format!("{} spans", skipped * SPANS)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_by_name() {
        let map = json!({"edges": [
            {"source": "service:soak/soak-exp-api@demo", "target": "service:soak/soak-prc-api", "kind": "call", "count": 7},
            {"source": "service:soak-prc-api", "target": "topic:nats/x", "kind": "publish", "count": 3},
        ]});
        let calls = calls(&map);
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[&("soak-exp-api".to_owned(), "soak-prc-api".to_owned())], 7);
    }

    #[test]
    fn what_a_rule_removed_is_not_looked_for() {
        let removed = |list: Value| json!({"retention": {"removed": list}});
        assert_eq!(removed_until(&removed(json!([]))).unwrap(), 0);
        let some = json!([{"newest": "2026-01-01T00:00:02Z"}, {"newest": null}, {"newest": "2026-01-01T00:00:01Z"}]);
        assert_eq!(removed_until(&removed(some)).unwrap(), 1_767_225_602_000_000_000);
        assert!(removed_until(&json!({})).is_err(), "no word about it is not the same as nothing");
    }

    #[test]
    fn an_error_in_the_log_is_found_and_a_warning_is_counted() {
        let calm = "2026-01-01T00:00:00Z  WARN flowglass: NATS is away\n2026-01-01T00:00:01Z  INFO x: no ERRORs";
        assert_eq!(errors(calm), (true, "1 warnings; the NATS library missed the broker 0 times".to_owned()));
        let away = "2026-01-01T00:00:00Z ERROR async_nats::connector: max reconnection attempts reached attempts=2";
        assert_eq!(errors(away).1, "0 warnings; the NATS library missed the broker 1 times");
        assert!(!errors("2026-01-01T00:00:00Z ERROR flowglass_studio: gone").0);
        assert!(!errors("thread 'writer' panicked at src/x.rs:1:2:").0);
    }
}
