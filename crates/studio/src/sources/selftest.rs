//! Is it us? A span and an event of our own through each listener, over the network into the workspace, and out of it again.

use std::net::SocketAddr;
use std::time::Duration;

use flowglass_ingest::selftest::{Probe, ProbeFailure, send, store};

use super::receiver::Receiver;
use crate::Studio;
use crate::api::{SelfTest, SelfTestStep};

/// Tests everything between a sender and the workspace.
pub(crate) async fn self_test(studio: &Studio) -> SelfTest {
    let mut steps = vec![workspace(studio).await];
    for receiver in studio.0.receivers.iter() {
        steps.extend(listener(studio, receiver).await);
    }
    steps.extend(proxy(|name| std::env::var(name).ok()));
    let verdict = verdict(&steps);
    SelfTest { steps, verdict }
}

async fn workspace(studio: &Studio) -> SelfTestStep {
    let title = "Workspace";
    let Some(sink) = studio.sink() else { return step(title, None, "failed", "The workspace is being closed.", None) };
    match store(&sink, studio.now()).await {
        Ok(took) => step(title, None, "ok", "A span was written into the workspace and taken out again.", Some(took)),
        Err(error) => {
            let advice = "Look at the space on the disk and at the rights of the file; what was stored before stays readable.";
            step(title, None, "failed", format!("A span could not be written: {error}. {advice}"), None)
        }
    }
}

async fn listener(studio: &Studio, receiver: &Receiver) -> Vec<SelfTestStep> {
    let title = receiver.port.title();
    let Some(address) = receiver.address() else {
        return vec![match receiver.problem() {
            Some(problem) => {
                let offer = problem.offer.map(|a| format!(" {a} is free: use it in Settings, Sources."));
                step(title, None, "failed", format!("It does not listen: {}.{}", problem.words, offer.unwrap_or_default()), None)
            }
            None => step(title, None, "skipped", "This listener is turned off.", None),
        }];
    };
    let mut steps = Vec::new();
    for probe in Probe::ALL {
        let outcome = send(probe, address, &studio.0.ingest_stats.probe, studio.now()).await;
        steps.push(probed(title, probe, address, outcome));
    }
    steps
}

fn probed(title: &str, probe: Probe, address: SocketAddr, outcome: Result<Duration, ProbeFailure>) -> SelfTestStep {
    let what = match probe {
        Probe::OtlpGrpc => "span by gRPC",
        Probe::OtlpHttp => "span by HTTP, protobuf",
        Probe::OtlpJson => "span by HTTP, JSON",
        Probe::CloudEvent => "CloudEvent",
    };
    let title = format!("{title}, {what}");
    match outcome {
        Ok(took) => {
            step(&title, Some(address), "ok", "It arrived, was stored and taken back. Nothing of it stays.", Some(took))
        }
        Err(ProbeFailure::NoAnswer(why)) => {
            let advice = "A firewall or a security program of this machine may stand in between; senders here meet the same.";
            step(&title, Some(address), "failed", format!("No answer: {why}. {advice}"), None)
        }
        Err(ProbeFailure::Refused(why)) => {
            let advice = "It arrived, but was not stored: see the step “Workspace” and the space on the disk.";
            step(&title, Some(address), "failed", format!("{why}. {advice}"), None)
        }
    }
}

/// A proxy in the environment that senders started from the same place would use, also for this machine.
fn proxy(variable: impl Fn(&str) -> Option<String>) -> Option<SelfTestStep> {
    let set = |names: &[&str]| {
        names.iter().find_map(|name| Some(((*name).to_owned(), variable(name).filter(|v| !v.trim().is_empty())?)))
    };
    let (name, _) = set(&["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "grpc_proxy"])?;
    let excepted = set(&["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts).unwrap_or_default();
    let hosts: Vec<&str> = excepted.split(',').map(str::trim).collect();
    if hosts.contains(&"*") || (hosts.contains(&"localhost") && hosts.contains(&"127.0.0.1")) {
        return None;
    }
    let words = format!(
        "{name} is set: senders started from the same place ask that proxy instead of this machine. Give them \
         NO_PROXY=localhost,127.0.0.1,::1"
    );
    Some(step("Proxy", None, "warning", words, None))
}

fn verdict(steps: &[SelfTestStep]) -> String {
    let failed: Vec<&str> = steps.iter().filter(|s| s.outcome == "failed").map(|s| s.title.as_str()).collect();
    let ok = steps.iter().any(|s| s.outcome == "ok" && s.address.is_some());
    match (failed.as_slice(), ok) {
        ([], true) => "What is sent to Flowglass arrives: if nothing comes, look at the sender.".to_owned(),
        ([], false) => "Nothing listens: turn a listener on.".to_owned(),
        ([one], _) => format!("{one} does not work."),
        ([first, rest @ ..], _) => format!("{first} and {} more do not work.", rest.len()),
    }
}

fn step(
    title: &str,
    address: Option<SocketAddr>,
    outcome: &str,
    words: impl Into<String>,
    took: Option<Duration>,
) -> SelfTestStep {
    SelfTestStep {
        title: title.into(),
        address: address.map(|a| a.to_string()),
        outcome: outcome.into(),
        words: words.into(),
        took_ms: took.map(|t| t.as_secs_f64() * 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_in_the_way_is_named() {
        let with = |pairs: &'static [(&str, &str)]| {
            proxy(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("HTTP_PROXY", "http://p"), ("NO_PROXY", "localhost, 127.0.0.1")]), None);
        assert_eq!(with(&[("https_proxy", "http://p"), ("no_proxy", "*")]), None);
        let step = with(&[("http_proxy", "http://user:secret@p"), ("NO_PROXY", "example.com")]).unwrap();
        assert!(step.words.starts_with("http_proxy is set") && !step.words.contains("secret"), "{step:?}");
        assert_eq!(step.outcome, "warning");
    }

    #[test]
    fn the_verdict_names_what_does_not_work() {
        let of = |outcomes: &[&str]| {
            let address = Some(SocketAddr::from(([127, 0, 0, 1], 1)));
            verdict(&outcomes.iter().enumerate().map(|(i, o)| step(&format!("s{i}"), address, o, "", None)).collect::<Vec<_>>())
        };
        assert!(of(&["ok", "warning"]).contains("look at the sender"));
        assert_eq!(of(&["ok", "failed"]), "s1 does not work.");
        assert_eq!(of(&["failed", "failed", "ok"]), "s0 and 1 more do not work.");
        assert!(of(&["skipped"]).contains("turn a listener on"));
    }
}
