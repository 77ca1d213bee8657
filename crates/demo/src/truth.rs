//! What was really done, counted by the code that did it and never read off the telemetry.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::landscape as land;
use crate::landscape::{BackendKind, ENVIRONMENT, NAMESPACE, ServiceTime};
use crate::story;

/// A number of occurrences and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Occurrences, repetitions included.
    pub count: u64,
    /// Failed ones.
    pub errors: u64,
}

impl Tally {
    fn add(&mut self, failed: bool) {
        self.count += 1;
        self.errors += u64::from(failed);
    }
}

/// What became of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Acknowledged.
    Acked,
    /// Asked for again.
    Nacked,
    /// Given up.
    DeadLettered,
}

/// Deliveries of one subject to one consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Deliveries {
    total: u64,
    redeliveries: u64,
    naks: u64,
    dead_lettered: u64,
}

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Counts {
    interactions: BTreeMap<&'static str, Tally>,
    edges: BTreeMap<(&'static str, &'static str, &'static str), Tally>,
    operations: BTreeMap<(&'static str, String), Tally>,
    publishes: BTreeMap<(&'static str, &'static str), u64>,
    deliveries: BTreeMap<(&'static str, &'static str, &'static str), Deliveries>,
    notes: BTreeMap<&'static str, u64>,
    traces: u64,
    batches: u64,
}

/// The counts of a run, shared by all tasks.
#[derive(Debug, Default)]
pub struct Truth(Mutex<Counts>);

impl Truth {
    fn with(&self, change: impl FnOnce(&mut Counts)) {
        // A panicking task leaves whole numbers behind: the counts stay usable.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A trace was started.
    pub fn trace(&self) {
        self.with(|counts| counts.traces += 1);
    }

    /// A batch was received: a trace of its own. How messages fall into batches depends on time, so this
    /// (with the traces and spans that come of it) is the one count that does not repeat.
    pub fn batch(&self) {
        self.with(|counts| {
            counts.traces += 1;
            counts.batches += 1;
        });
    }

    /// A business request ended.
    pub fn interaction(&self, name: &'static str, failed: bool) {
        self.with(|counts| counts.interactions.entry(name).or_default().add(failed));
    }

    /// `source` called `target`; failed means that the callee answered 5xx.
    pub fn call(&self, source: &'static str, target: &'static str, operation: String, failed: bool) {
        self.with(|counts| {
            counts.edges.entry((source, target, "call")).or_default().add(failed);
            counts.operations.entry((target, operation)).or_default().add(failed);
        });
    }

    /// `source` used a backend; failed means no answer or 5xx.
    pub fn access(&self, source: &'static str, backend: &'static str, failed: bool) {
        self.with(|counts| counts.edges.entry((source, backend, "access")).or_default().add(failed));
    }

    /// `source` published on `subject`, and it was stored.
    pub fn published(&self, source: &'static str, subject: &'static str) {
        self.with(|counts| {
            *counts.publishes.entry((source, subject)).or_default() += 1;
            counts.edges.entry((source, subject, "publish")).or_default().add(false);
        });
    }

    /// `service` handled a delivery of `subject` for `consumer`.
    pub fn delivered(
        &self,
        subject: &'static str,
        service: &'static str,
        consumer: &'static str,
        redelivery: bool,
        settled: Settled,
    ) {
        self.with(|counts| {
            let of = counts.deliveries.entry((subject, service, consumer)).or_default();
            of.total += 1;
            of.redeliveries += u64::from(redelivery);
            of.naks += u64::from(settled == Settled::Nacked);
            of.dead_lettered += u64::from(settled == Settled::DeadLettered);
            let failed = settled != Settled::Acked;
            counts.edges.entry((subject, service, "consume")).or_default().add(failed);
        });
    }

    /// Something worth counting happened: `charge_retries`, `layer_bypass`, …
    pub fn note(&self, what: &'static str) {
        self.with(|counts| *counts.notes.entry(what).or_default() += 1);
    }

    /// How often something was noted.
    #[must_use]
    pub fn noted(&self, what: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).notes.get(what).copied().unwrap_or(0)
    }

    /// Events published so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).publishes.values().sum()
    }

    /// The counts as JSON.
    #[must_use]
    pub fn counts(&self) -> Value {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "traces": counts.traces,
            "batches": counts.batches,
            "interactions": counts.interactions.iter()
                .map(|(name, of)| json!({"name": name, "count": of.count, "failed": of.errors})).collect::<Vec<_>>(),
            "edges": counts.edges.iter()
                .map(|((source, target, kind), of)| json!({
                    "source": source, "target": target, "kind": kind, "count": of.count, "errors": of.errors,
                })).collect::<Vec<_>>(),
            "operations": counts.operations.iter()
                .map(|((service, operation), of)| json!({
                    "service": service, "operation": operation, "count": of.count, "errors": of.errors,
                })).collect::<Vec<_>>(),
            "publishes": counts.publishes.iter()
                .map(|((service, subject), count)| json!({"service": service, "subject": subject, "count": count}))
                .collect::<Vec<_>>(),
            "deliveries": counts.deliveries.iter()
                .map(|((subject, service, consumer), of)| json!({
                    "subject": subject, "service": service, "consumer": consumer, "count": of.total,
                    "redeliveries": of.redeliveries, "naks": of.naks, "dead_lettered": of.dead_lettered,
                })).collect::<Vec<_>>(),
            "notes": counts.notes,
        })
    }
}

/// The true parameters of the landscape as JSON. `system` is the `messaging.system` of this run.
#[must_use]
pub fn parameters(system: &str) -> Value {
    json!({
        "namespace": NAMESPACE,
        "environment": ENVIRONMENT,
        "services": land::SERVICES.iter().map(|of| json!({
            "id": format!("service:{NAMESPACE}/{}@{ENVIRONMENT}", of.name),
            "name": of.name, "layer": of.layer, "version": of.version, "dialect": of.dialect,
            "otlp": of.export, "logs": of.logs, "sends_credentials": of.sends_credentials,
            "service_time": time(&of.work),
        })).collect::<Vec<_>>(),
        "backends": land::BACKENDS.iter().map(|of| json!({
            "id": backend_id(of), "name": of.name, "host": of.host, "port": of.port,
            "service_time": time(&of.time),
        })).collect::<Vec<_>>(),
        "callers": land::CALLERS.iter().map(|of| json!({
            "name": of.name, "kind": of.kind, "user_agent": of.user_agent, "entry": of.entry.name,
        })).collect::<Vec<_>>(),
        "subjects": land::SUBJECTS.iter().map(|of| json!({
            "id": format!("topic:{system}/{}@{ENVIRONMENT}", of.name),
            "name": of.name, "stream": of.stream, "mode": of.mode, "type": of.event_type,
            "consumers": land::CONSUMERS.iter().filter(|consumer| consumer.subject.name == of.name)
                .map(|consumer| consumer.durable).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "consumers": land::CONSUMERS.iter().map(|of| json!({
            "durable": of.durable, "service": of.service.name, "subject": of.subject.name, "join": of.join,
        })).collect::<Vec<_>>(),
        "interactions": story::MIX.iter().map(|(of, weight)| json!({
            "name": of, "weight": weight, "caller": of.caller().name, "entry": of.caller().entry.name,
        })).collect::<Vec<_>>(),
        "scripted": story::SCRIPT,
        "shares": story::SHARES,
        "max_deliver": land::MAX_DELIVER,
        "redelivery_delay_ms": land::REDELIVERY_DELAY_MS,
        "acquirer_timeout_ms": land::ACQUIRER_TIMEOUT_MS,
        "charge_retry_pause_ms": land::CHARGE_RETRY_PAUSE_MS,
        "partner_batch_orders": land::BATCH_ORDERS,
        "network_ms": {"distribution": "uniform", "low": land::NETWORK_MS.0, "high": land::NETWORK_MS.1},
    })
}

fn time(of: &ServiceTime) -> Value {
    json!({
        "distribution": "shifted-lognormal", "offset_ms": of.offset_ms, "median_ms": of.median_ms,
        "sigma": of.sigma, "mean_ms": of.mean_ms(),
    })
}

fn backend_id(of: &land::Backend) -> String {
    match of.kind {
        BackendKind::Database { system, namespace, .. } => {
            format!("backend:{system}/{}/{namespace}@{ENVIRONMENT}", of.host)
        }
        BackendKind::Http | BackendKind::Smtp => format!("external:{}@{ENVIRONMENT}", of.host),
    }
}

/// Writes `content` to `path` so that a reader sees the old file or the new one, never half of one.
///
/// # Errors
/// If the folder cannot be written.
pub fn write(path: &Path, content: &Value) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let save = || -> Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.write_all(b"\n")?;
        file.persist(path)?;
        Ok(())
    };
    save().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_errors_add_up() {
        let truth = Truth::default();
        truth.call("a", "b", "GET /x".into(), false);
        truth.call("a", "b", "GET /y".into(), true);
        truth.access("b", "db", false);
        let counts = truth.counts();
        assert_eq!(
            counts["edges"],
            json!([
                {"source": "a", "target": "b", "kind": "call", "count": 2, "errors": 1},
                {"source": "b", "target": "db", "kind": "access", "count": 1, "errors": 0},
            ])
        );
        assert_eq!(counts["operations"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_redelivery_counts_as_a_delivery() {
        let truth = Truth::default();
        truth.published("p", "t");
        truth.delivered("t", "s", "c", false, Settled::Nacked);
        truth.delivered("t", "s", "c", true, Settled::DeadLettered);
        truth.delivered("t", "s", "d", false, Settled::Acked);
        let counts = truth.counts();
        assert_eq!(truth.events(), 1);
        assert_eq!(
            counts["deliveries"][0],
            json!({"subject": "t", "service": "s", "consumer": "c", "count": 2, "redeliveries": 1,
                   "naks": 1, "dead_lettered": 1})
        );
        // One edge per topic and service, whatever the number of its consumers.
        let consume: Vec<&Value> =
            counts["edges"].as_array().into_iter().flatten().filter(|edge| edge["kind"] == "consume").collect();
        assert_eq!(consume, [&json!({"source": "t", "target": "s", "kind": "consume", "count": 3, "errors": 2})]);
    }

    #[test]
    fn the_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("truth.json");
        write(&path, &json!({"state": "running"})).expect("first");
        write(&path, &json!({"state": "done"})).expect("second");
        let read: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
        assert_eq!(read, json!({"state": "done"}));
        assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 1, "nothing is left behind");
    }

    #[test]
    fn the_mix_is_a_distribution_and_times_are_long_enough() {
        let sum: f64 = story::MIX.iter().map(|(_, weight)| weight).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        for of in land::SERVICES.iter().map(|of| of.work).chain(land::BACKENDS.iter().map(|of| of.time)) {
            assert!(of.offset_ms >= 20.0);
        }
        let names: std::collections::BTreeSet<&str> = land::SERVICES.iter().map(|of| of.name).collect();
        assert_eq!(names.len(), land::SERVICES.len());
    }
}
