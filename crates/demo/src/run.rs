//! The life of one run: start the broker, say that all is ready, let requests arrive, drain, report.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::{self, Broker};
use crate::bus::{Bus, HttpBus, Inbox, NatsBus};
use crate::dice::Dice;
use crate::flows;
use crate::landscape::STREAMS;
use crate::scope::{Owed, World};
use crate::telemetry::{Endpoints, Telemetry};
use crate::truth::{self, Truth};
use crate::workers;

/// How long a run that ends by itself may take to finish what it began.
const DRAIN: Duration = Duration::from_secs(60);
/// How long a run that was told to stop may take.
const DRAIN_WHEN_STOPPED: Duration = Duration::from_secs(5);
/// How long each provider may take to export what is left.
const FLUSH: Duration = Duration::from_secs(10);

/// Which transport events take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTransport {
    /// A `nats-server` of our own: this program, or the one on the search path; HTTP if there is none.
    OwnServer(Option<PathBuf>),
    /// A running NATS server.
    Server(String),
    /// CloudEvents over HTTP.
    Http,
}

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where OTLP goes.
    pub endpoints: Endpoints,
    /// Which transport events take.
    pub events: EventTransport,
    /// Business requests per second (Poisson arrivals).
    pub rate: f64,
    /// Stop after this time; none: no limit.
    pub duration: Option<Duration>,
    /// Stop after this many requests; none: no limit.
    pub requests: Option<u64>,
    /// Seed of every decision.
    pub seed: u64,
    /// Short code in business ids (letters and digits); none: made from the clock.
    pub run: Option<String>,
    /// File for the true parameters and counts.
    pub truth: Option<PathBuf>,
}

/// Signals from outside.
#[derive(Clone)]
pub struct Stop {
    /// Becomes true when the run shall start.
    pub go: watch::Receiver<bool>,
    /// Becomes true when the run shall end.
    pub stop: watch::Receiver<bool>,
}

/// Runs the landscape; `say` gets the lines for standard output.
///
/// # Errors
/// If an address is unusable, the broker cannot be used, or the truth file cannot be written.
pub async fn run(options: Options, mut signals: Stop, say: impl Fn(&Value)) -> Result<()> {
    if !(options.rate.is_finite() && options.rate > 0.0) {
        bail!("--rate must be a positive number, not {}", options.rate);
    }
    let telemetry = Telemetry::start(&options.endpoints)?;
    let events = Events::start(&options).await?;
    let run = options.run.clone().unwrap_or_else(run_code);
    let world = Arc::new(World {
        seed: options.seed,
        run,
        telemetry,
        truth: Truth::default(),
        bus: events.bus,
        owed: Owed::default(),
    });
    let report = Report { options: &options, world: &world, started: nanos(SystemTime::now()) };
    report.write("running", 0, None)?;
    let streams: Vec<&str> =
        if events.url.is_some() { STREAMS.iter().map(|(name, _)| *name).collect() } else { Vec::new() };
    say(&json!({"event": "ready", "nats": events.url, "streams": streams, "run": world.run}));

    let consumers = workers::start(&world, events.inboxes);
    tokio::select! {
        // A closed channel means that nobody will ever say go: the stop signal follows.
        _ = signals.go.wait_for(|go| *go) => {}
        _ = signals.stop.wait_for(|stop| *stop) => {}
    }
    let (requests, tasks, stopped) = arrivals(&options, &world, &mut signals.stop).await;
    let drained = drain(&world, tasks, &mut signals.stop, stopped).await;
    world.bus.close().await;
    for consumer in &consumers {
        consumer.abort();
    }
    let failures = flush(&world).await;
    report.write("done", requests, Some(drained))?;
    say(&json!({
        "event": "done", "requests": requests, "drained": drained, "events": world.truth.events(),
        "spans": world.telemetry.spans().values().sum::<u64>(),
        "logs": world.telemetry.records().values().sum::<u64>(),
        "spans_refused": world.telemetry.refused(), "export_failures": failures,
    }));
    if let Some(broker) = events.broker {
        broker.stop().await;
    }
    Ok(())
}

/// The transport of events as started.
struct Events {
    bus: Bus,
    inboxes: Vec<Inbox>,
    url: Option<String>,
    broker: Option<Broker>,
}

impl Events {
    async fn start(options: &Options) -> Result<Self> {
        let program = match &options.events {
            EventTransport::Http => None,
            EventTransport::Server(url) => return Self::nats(url.clone(), None).await,
            EventTransport::OwnServer(given) => given.clone().or_else(broker::find),
        };
        if let Some(program) = program {
            let broker = Broker::start(&program).await?;
            return Self::nats(broker.url.clone(), Some(broker)).await;
        }
        eprintln!(
            "flowglass-demo: {}: events are sent as CloudEvents over HTTP to {}/cloudevents",
            if options.events == EventTransport::Http { "NATS is switched off" } else { "no nats-server on the PATH" },
            options.endpoints.http
        );
        let (bus, inboxes) = HttpBus::new(&options.endpoints.http)?;
        Ok(Self { bus: Bus::Http(bus), inboxes, url: None, broker: None })
    }

    async fn nats(url: String, broker: Option<Broker>) -> Result<Self> {
        let (bus, inboxes) = NatsBus::connect(&url).await?;
        Ok(Self { bus: Bus::Nats(Box::new(bus)), inboxes, url: Some(url), broker })
    }
}

/// Lets requests arrive until their number, the time or a signal ends it: an open loop, nobody
/// waits for answers. Returns how many came, those still running, and whether it was told to stop.
async fn arrivals(options: &Options, world: &Arc<World>, stop: &mut watch::Receiver<bool>) -> (u64, JoinSet<()>, bool) {
    let mut running = JoinSet::new();
    let started = tokio::time::Instant::now();
    let (mut due, mut number) = (started, 0);
    loop {
        if options.requests.is_some_and(|limit| number >= limit) {
            return (number, running, false);
        }
        due += Dice::new(options.seed, number, "arrival").waiting_time(options.rate);
        if options.duration.is_some_and(|limit| due > started + limit) {
            return (number, running, false);
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return (number, running, true),
            () = tokio::time::sleep_until(due) => {}
        }
        running.spawn(flows::play(Arc::clone(world), number));
        number += 1;
        while running.try_join_next().is_some() {}
    }
}

/// Waits until all requests are answered and all consumers are done; false if the time ran out.
async fn drain(world: &World, mut running: JoinSet<()>, stop: &mut watch::Receiver<bool>, stopped: bool) -> bool {
    let finish = async {
        while running.join_next().await.is_some() {}
        world.owed.settled().await;
    };
    let limit = async {
        if !stopped {
            tokio::select! {
                () = tokio::time::sleep(DRAIN) => return,
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        tokio::time::sleep(DRAIN_WHEN_STOPPED).await;
    };
    tokio::select! {
        () = finish => true,
        () = limit => {
            tracing::warn!(open = world.owed.open(), "not everything could be finished in time");
            false
        }
    }
}

/// Exports what is left. The SDK blocks while it does, so it gets a thread of its own.
async fn flush(world: &Arc<World>) -> Vec<String> {
    let world = Arc::clone(world);
    let failures = tokio::task::spawn_blocking(move || world.telemetry.shutdown(FLUSH)).await.unwrap_or_default();
    for failure in &failures {
        tracing::warn!(failure, "telemetry was not exported completely");
    }
    failures
}

struct Report<'a> {
    options: &'a Options,
    world: &'a World,
    started: String,
}

impl Report<'_> {
    fn write(&self, state: &str, requests: u64, drained: Option<bool>) -> Result<()> {
        let Some(path) = &self.options.truth else { return Ok(()) };
        let mut counts = self.world.truth.counts();
        counts["requests"] = json!(requests);
        counts["spans"] = json!(self.world.telemetry.spans());
        counts["spans_refused"] = json!(self.world.telemetry.refused());
        counts["logs"] = json!(self.world.telemetry.records());
        let content = json!({
            "format": 1,
            "state": state,
            "drained": drained,
            "seed": self.options.seed,
            "rate_per_second": self.options.rate,
            "arrivals": {"process": "poisson", "loop": "open"},
            "run": self.world.run,
            "messaging_system": self.world.bus.system(),
            "started_unix_nano": self.started,
            "written_unix_nano": nanos(SystemTime::now()),
            "parameters": truth::parameters(self.world.bus.system()),
            "counts": counts,
        });
        truth::write(path, &content).context("the truth could not be told")
    }
}

/// Nanoseconds since 1970 as text, because JSON readers round large numbers.
fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// Four letters and digits from the clock: two runs within weeks do not share business ids.
fn run_code() -> String {
    const DIGITS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut code = Vec::new();
    for _ in 0..4 {
        code.push(char::from(DIGITS[(seconds % 32) as usize]));
        seconds /= 32;
    }
    code.iter().rev().collect()
}
