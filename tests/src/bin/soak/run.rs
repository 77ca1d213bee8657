//! One run: start, disturb, sample, end, judge.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use flowglass_tests::demo::Demo;
use flowglass_tests::figures::{Times, load};
use flowglass_tests::live::now;
use flowglass_tests::product::{Serve, target};
use flowglass_tests::session::Session;
use flowglass_tests::usage::{anonymous, handles, pss};

use crate::broker::Broker;
use crate::fleet::Sender;
use crate::plan::{Kill, Victim, kills};
use crate::spans::{SPANS, Stream};
use crate::tell::{self, Ran};
use crate::verdict::Sample;
use crate::watch::{self, Seen, locked};
use crate::{Arguments, account, interrupted};

/// Exporters.
const SENDERS: u64 = 2;
/// From sample to sample.
const EVERY: Duration = Duration::from_secs(5);
/// From look to look at what is due.
const TICK: Duration = Duration::from_millis(100);
/// Time until what could not be started is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// Business requests a second of the landscape.
const LANDSCAPE: &str = "6";
/// A workspace keeps at most this share of the free disk.
const SHARE: u64 = 2;
/// With less than this it is not begun, bytes.
const ROOM: u64 = 4 << 30;

/// Everything that runs beside the product.
pub(crate) struct Stage {
    /// The NATS server.
    pub(crate) broker: Broker,
    landscape: Option<Demo>,
    /// The exporters.
    pub(crate) senders: Vec<Sender>,
    ports: [u16; 2],
    scratch: PathBuf,
    seed: u64,
    lives: u64,
    /// How often the landscape ended by itself.
    pub(crate) landscape_ended: u64,
    back: Vec<(Instant, Victim)>,
}

impl Stage {
    fn start_landscape(&mut self) -> Result<()> {
        self.lives += 1;
        let (url, seed) = (self.broker.url(), (self.seed + self.lives).to_string());
        let more = ["--nats", &url, "--rate", LANDSCAPE, "--seed", &seed];
        let mut demo = Demo::start(&self.scratch, self.ports[0], self.ports[1], &more)?;
        demo.go()?;
        self.landscape = Some(demo);
        Ok(())
    }

    fn kill(&mut self, kill: &Kill) -> Result<()> {
        match kill.victim {
            Victim::Broker => self.broker.kill()?,
            Victim::Landscape => self.landscape.take().map_or(Ok(()), Demo::kill)?,
            Victim::Sender(n) => self.senders[n].kill()?,
        }
        self.back.push((Instant::now() + kill.away, kill.victim));
        Ok(())
    }

    /// Starts again who has been away for long enough; a landscape that ended because its broker was away, too.
    fn bring_back(&mut self, seen: &Seen) {
        if self.landscape.as_mut().is_some_and(|demo| !demo.runs()) {
            self.landscape = None;
            self.landscape_ended += 1;
            self.back.push((Instant::now() + AGAIN, Victim::Landscape));
        }
        let due: Vec<Victim> = self.back.extract_if(.., |(at, _)| *at <= Instant::now()).map(|(_, who)| who).collect();
        for victim in due {
            let done = match victim {
                Victim::Broker => self.broker.restart(),
                Victim::Landscape if self.broker.is_away() => {
                    self.back.push((Instant::now() + AGAIN, victim));
                    continue;
                }
                Victim::Landscape => self.start_landscape(),
                Victim::Sender(n) => self.senders[n].restart(),
            };
            if let Err(error) = done {
                seen.problem(&error);
                self.back.push((Instant::now() + AGAIN, victim));
            }
        }
    }

    /// Lets all that was begun be finished.
    fn finish(&mut self, seen: &Seen) {
        if self.broker.is_away()
            && let Err(error) = self.broker.restart()
        {
            seen.problem(&error);
        }
        for sender in &mut self.senders {
            if let Err(error) = sender.finish() {
                seen.problem(&error);
            }
        }
        // It ends in good order: its exporters get rid of what they hold.
        self.landscape = None;
    }
}

/// Runs, writes the report and says whether all holds.
///
/// # Errors
/// If it cannot be started, or the report cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let out = match &arguments.out {
        Some(folder) => folder.clone(),
        None => target()?.parent().context("programs stand in a folder")?.join("soak"),
    };
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let scratch = tempfile::Builder::new().prefix("flowglass-soak-").tempdir()?;
    let (folder, length) = (scratch.path(), Duration::from_secs_f64(arguments.minutes * 60.0));
    let workspace = folder.join("soak.flowglass");
    let keeps = settings(&workspace)?;
    let broker = Broker::start(&folder.join("jetstream"))?;
    let log = out.join("flowglass.log");
    let mut serve = Serve::start_logging(&workspace, &["--ui", "127.0.0.1:0", "--nats", &broker.url()], Some(&log))?;
    let session = Session::open(&serve)?;
    let mut stage = Stage {
        broker,
        landscape: None,
        senders: Vec::new(),
        ports: [port(&serve.grpc())?, port(&serve.http())?],
        scratch: folder.to_owned(),
        seed: arguments.seed,
        lives: 0,
        landscape_ended: 0,
        back: Vec::new(),
    };
    stage.start_landscape()?;
    let every = SPANS * SENDERS * 1_000_000_000 / arguments.spans_per_second.max(1);
    let base = now();
    for sender in 0..SENDERS {
        let stream = Stream { seed: arguments.seed, sender, base: base + sender * every / SENDERS, every };
        stage.senders.push(Sender::start(serve.http(), stream)?);
    }
    let plan = kills(arguments.seed, length, stage.senders.len());
    println!(
        "soak: {} min, {} spans/s, {} kills; Ctrl-C ends it with a report",
        arguments.minutes,
        arguments.spans_per_second,
        plan.len()
    );

    let seen = Seen::default();
    let (cookie, page) = (session.cookie().to_owned(), session.base().to_owned());
    let (profile, busy) = (folder.join("browser"), load());
    let mut ran = Ran { arguments, samples: Vec::new(), killed: Vec::new(), keeps, busy, interrupted: false };
    std::thread::scope(|threads| {
        threads.spawn(|| watch::look(&profile, &page, &cookie, arguments.seed, &seen));
        threads.spawn(|| watch::ask(&session, &seen));
        if let Err(error) = disturb(&mut stage, &mut serve, &workspace, &plan, length, &seen, &mut ran) {
            seen.problem(&error);
        }
        seen.stop();
        stage.finish(&seen);
    });
    ran.interrupted = interrupted();
    let judged = account::settle(&stage, serve, &session, &workspace, &log, arguments.seed, &seen);
    let holds = tell::report(&ran, judged, &stage, &seen, &out)?;
    if arguments.keep {
        let kept = out.join("soak.flowglass");
        std::fs::copy(&workspace, &kept).with_context(|| kept.display().to_string())?;
    }
    Ok(holds)
}

/// Kills, brings back and samples until the time is over.
fn disturb(
    stage: &mut Stage,
    serve: &mut Serve,
    workspace: &Path,
    plan: &[Kill],
    length: Duration,
    seen: &Seen,
    ran: &mut Ran<'_>,
) -> Result<()> {
    let begin = Instant::now();
    let (mut before, mut said) = (Before::default(), Duration::ZERO);
    let mut due = plan.iter().peekable();
    while begin.elapsed() < length && !interrupted() {
        std::thread::sleep(TICK);
        if !serve.runs() {
            bail!("flowglass serve ended by itself");
        }
        for sender in &mut stage.senders {
            sender.listen()?;
        }
        stage.bring_back(seen);
        if let Some(kill) = due.next_if(|kill| kill.at <= begin.elapsed()) {
            stage.kill(kill)?;
            ran.killed.push((begin.elapsed().as_secs_f64(), kill.victim));
        }
        if begin.elapsed().as_secs_f64() >= before.at + EVERY.as_secs_f64() {
            let kills = ran.killed.len();
            ran.samples.push(before.sample(begin.elapsed(), stage, serve.pid(), workspace, seen, kills));
        }
        if begin.elapsed() - said >= Duration::from_secs(60) {
            said = begin.elapsed();
            ran.samples.last().into_iter().for_each(tell::line);
        }
    }
    Ok(())
}

/// What was there at the last sample.
#[derive(Default)]
struct Before {
    at: f64,
    stored: usize,
    refused: u64,
    answers: usize,
    frames: usize,
}

impl Before {
    fn sample(
        &mut self,
        elapsed: Duration,
        stage: &mut Stage,
        pid: u32,
        workspace: &Path,
        seen: &Seen,
        kills: usize,
    ) -> Sample {
        let at = elapsed.as_secs_f64();
        let took = at - self.at;
        let stored: usize = stage.senders.iter().map(|s| s.ledger.stored().len()).sum();
        let refused: u64 = stage.senders.iter().map(|s| s.ledger.refused + s.ledger.failed).sum();
        let waits = stage.senders.iter_mut().flat_map(|s| std::mem::take(&mut s.ledger.waits));
        let waits = times(waits);
        let answers = locked(&seen.answers);
        let asked = times(answers[self.answers..].iter().map(|(_, ms)| *ms));
        let looked = locked(&seen.frames);
        let frames: Vec<f64> = looked[self.frames..].iter().map(|(_, times)| times.quantile(0.95)).collect();
        let page = std::mem::take(&mut *locked(&seen.page));
        let sample = Sample {
            at,
            program: pss(pid).unwrap_or(f64::NAN),
            anonymous: anonymous(pid).unwrap_or(f64::NAN),
            page: seen_or_none(&times(page.iter().copied()), page.len(), 0.5),
            handles: handles(pid).map_or(f64::NAN, |n| n as f64),
            file: size(workspace) as f64 / 1e6,
            rate: (stored - self.stored) as f64 * SPANS as f64 / took,
            refused: (refused - self.refused) as f64 / took,
            stored_p50: seen_or_none(&waits, stored - self.stored, 0.5),
            stored_p99: seen_or_none(&waits, stored - self.stored, 0.99),
            answer_p50: seen_or_none(&asked, answers.len() - self.answers, 0.5),
            answer_p99: seen_or_none(&asked, answers.len() - self.answers, 0.99),
            frames: seen_or_none(&times(frames.iter().copied()), frames.len(), 1.0),
            kills: kills as f64,
        };
        *self = Before { at, stored, refused, answers: answers.len(), frames: looked.len() };
        sample
    }
}

fn times(ms: impl IntoIterator<Item = f64>) -> Times {
    let mut times = Times::default();
    times.extend(ms);
    times
}

fn seen_or_none(times: &Times, count: usize, share: f64) -> f64 {
    if count == 0 { f64::NAN } else { times.quantile(share) }
}

/// Bytes of a workspace and its write-ahead log.
fn size(workspace: &Path) -> u64 {
    let log = PathBuf::from(format!("{}-wal", workspace.display()));
    [workspace, &log].iter().filter_map(|path| std::fs::metadata(path).ok()).map(|of| of.len()).sum()
}

/// Writes the settings of a workspace that does not outgrow the disk; what it keeps, in words.
fn settings(workspace: &Path) -> Result<String> {
    let folder = workspace.parent().context("a file stands in a folder")?;
    let free = fs4::available_space(folder)?;
    if free < ROOM {
        bail!("{} has only {} MB free; set TMPDIR to a folder with 4 GB or more", folder.display(), free / 1_000_000);
    }
    let keeps = format!("{} GB", (free / SHARE / 1_000_000_000).max(1));
    std::fs::write(workspace.with_extension("toml"), format!("[retention]\nsize = \"{keeps}\"\n"))?;
    Ok(keeps)
}

fn port(url: &str) -> Result<u16> {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).with_context(|| format!("{url} has no port"))
}
