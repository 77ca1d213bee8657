//! The import as a whole: files one after the other, batches to the sink, a report.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use flowglass_model::{Batch, IngestCounts, Nanos, Rejected, SourceKind};
use futures::StreamExt as _;
use futures::future::FutureExt as _;
use futures::stream::FuturesUnordered;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio_util::io::SyncIoBridge;
use tokio_util::sync::CancellationToken;

use super::out::{Out, Step};
use super::records::Evidence;
use super::{read, walk};
use crate::normalise::Options;
use crate::pause::Pause;
use crate::sink::{Sink, SubmitError};

/// Rejections listed in a report; all are counted.
const LISTED: usize = 1_000;
/// Batches between reader and sink.
const QUEUE: usize = 2;
/// Batches that wait for the store at once.
const UNDER_WAY: usize = 3;

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The file being read.
    pub file: String,
    /// Files done.
    pub files_done: u64,
    /// Files in all.
    pub files: u64,
    /// Bytes read of all files.
    pub bytes_done: u64,
    /// Bytes of all files; 0 when unknown.
    pub bytes: u64,
    /// What was stored so far.
    pub counts: IngestCounts,
    /// Why nothing more is stored now, and what to do; it goes on by itself once it can. `None` while it goes on.
    pub waiting: Option<String>,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Files looked at.
    pub files: u64,
    /// Files in which something of a known format was found.
    pub recognised: u64,
    /// What was newly stored, and what was there before.
    pub counts: IngestCounts,
    /// What was refused, at most 1,000 places.
    pub rejected: Vec<Rejected>,
    /// Items refused in all.
    pub rejected_total: u64,
    /// Time of the first item.
    pub first: Option<Nanos>,
    /// Time of the last item.
    pub last: Option<Nanos>,
    /// Whether it was cancelled; what was stored by then stays.
    pub cancelled: bool,
}

/// Why an import could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A path cannot be looked at.
    #[error("{}: {reason}; name files or folders that exist and can be read", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The store refused, and trying again does not help.
    #[error("{0}; what was stored before stays")]
    Store(#[from] SubmitError),
}

/// Imports files, and all files below folders, in order. `progress` is called after every batch and file. While there is no room on
/// the disk, or it fails in a way that may pass, the import waits, keeps what it has read and tries again.
///
/// # Errors
/// When a path does not exist, before anything is read; when the store refuses for good. Bad content is no error but a rejection.
pub async fn import(
    paths: &[PathBuf],
    sink: &Sink,
    options: &Options,
    progress: impl Fn(Progress),
    cancel: CancellationToken,
) -> Result<ImportReport, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        let found = walk::files(path).map_err(|reason| ImportError::Path { path: path.clone(), reason })?;
        files.extend(found.into_iter().map(|f| {
            let size = std::fs::metadata(&f).map_or(0, |m| m.len());
            (f, size)
        }));
    }
    let mut run = Run {
        sink,
        options,
        cancel,
        report: ImportReport::default(),
        evidence: Evidence::default(),
        files: files.len() as u64,
        bytes: files.iter().map(|(_, size)| size).sum(),
        bytes_before: 0,
        waiting: None,
    };
    for (path, size) in files {
        if run.cancel.is_cancelled() {
            break;
        }
        let name = path.display().to_string();
        let opened = move || std::fs::File::open(&path);
        run.file(&name, opened, &progress).await?;
        run.bytes_before += size;
        progress(run.progress(&name, 0));
    }
    Ok(run.finish())
}

/// Imports one stream of bytes: content that was pasted, dropped or uploaded under a name. It waits as [`import`] does.
///
/// # Errors
/// When the store refuses for good.
pub async fn import_bytes(
    name: &str,
    content: impl AsyncRead + Unpin + Send + 'static,
    sink: &Sink,
    options: &Options,
    progress: impl Fn(Progress),
    cancel: CancellationToken,
) -> Result<ImportReport, ImportError> {
    let mut run = Run {
        sink,
        options,
        cancel,
        report: ImportReport::default(),
        evidence: Evidence::default(),
        files: 1,
        bytes: 0,
        bytes_before: 0,
        waiting: None,
    };
    let bridge = SyncIoBridge::new(content);
    run.file(name, move || Ok(bridge), &progress).await?;
    Ok(run.finish())
}

struct Run<'a> {
    sink: &'a Sink,
    options: &'a Options,
    cancel: CancellationToken,
    report: ImportReport,
    evidence: Evidence,
    files: u64,
    bytes: u64,
    bytes_before: u64,
    waiting: Option<String>,
}

/// A batch on its way into the store.
struct Attempt {
    step: Step,
    pause: Pause,
    /// What became of it; `None` when the import was cancelled before it was tried again.
    outcome: Option<Result<IngestCounts, SubmitError>>,
}

/// Tries to store a batch. It stays here meanwhile: nothing of a batch that is refused was stored, so it can be tried again.
async fn attempt(sink: &Sink, step: Step, pause: Pause) -> Attempt {
    let outcome = sink.submit(step.batch.clone(), SourceKind::File).await;
    Attempt { step, pause, outcome: Some(outcome) }
}

/// The same after a pause.
async fn once_more(sink: &Sink, refused: Attempt, cancel: &CancellationToken) -> Attempt {
    let Attempt { step, mut pause, .. } = refused;
    tokio::select! {
        () = tokio::time::sleep(pause.next()) => attempt(sink, step, pause).await,
        () = cancel.cancelled() => Attempt { step, pause, outcome: None },
    }
}

fn in_words(error: &SubmitError) -> String {
    let reason = error.to_string();
    let reason = reason.strip_suffix("; senders keep their data and try again").unwrap_or(&reason);
    format!("{reason}. The import waits and goes on by itself; make room, or cancel it: what was stored stays.")
}

impl Run<'_> {
    /// Reads one file on a thread of its own and submits what comes.
    async fn file<R: Read + 'static>(
        &mut self,
        name: &str,
        open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
        progress: &impl Fn(Progress),
    ) -> Result<(), ImportError> {
        let (queue, mut steps) = mpsc::channel::<Step>(QUEUE);
        let read_bytes = Arc::new(AtomicU64::new(0));
        let options = Options { source: name.to_owned(), ..self.options.clone() };
        let evidence = std::mem::take(&mut self.evidence);
        let mut out = Out::new(options, evidence, queue, Arc::clone(&read_bytes), self.cancel.clone());
        let reader = tokio::task::spawn_blocking(move || {
            match open() {
                Ok(file) => read::file(file, read_bytes, &mut out),
                Err(error) => {
                    out.reject("byte 0".to_owned(), format!("the file cannot be opened: {error}"), 1);
                    // Whoever stopped the import does not wait for this.
                    let _ = out.flush();
                }
            }
            (out.recognised, std::mem::take(&mut out.evidence))
        });
        self.report.files += 1;
        let (sink, cancel) = (self.sink, self.cancel.clone());
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                step = steps.recv(), if under_way.len() < UNDER_WAY => {
                    let Some(step) = step else { break };
                    self.note(&step.batch);
                    under_way.push(attempt(sink, step, Pause::default()).boxed());
                }
                Some(tried) = under_way.next(), if !under_way.is_empty() => {
                    under_way.extend(self.told(name, tried, progress)?.map(|refused| once_more(sink, refused, &cancel).boxed()));
                }
            }
        }
        while let Some(tried) = under_way.next().await {
            under_way
                .extend(self.told(name, tried, progress)?.map(|refused| once_more(sink, refused, &cancel).boxed()));
        }
        if let Ok((recognised, evidence)) = reader.await {
            self.report.recognised += u64::from(recognised);
            self.evidence = evidence;
        }
        Ok(())
    }

    /// Takes note of what became of a batch; gives it back when it is to be tried again.
    fn told(
        &mut self,
        name: &str,
        mut tried: Attempt,
        progress: &impl Fn(Progress),
    ) -> Result<Option<Attempt>, ImportError> {
        let bytes_read = tried.step.bytes_read;
        let again = match tried.outcome.take() {
            Some(Ok(counts)) => {
                self.report.counts.add(counts);
                self.waiting = None;
                false
            }
            Some(Err(error)) if error.is_passing() => {
                self.waiting = Some(in_words(&error));
                true
            }
            Some(Err(error)) => return Err(error.into()),
            None => false,
        };
        progress(self.progress(name, bytes_read));
        Ok(again.then_some(tried))
    }

    /// Enters rejections and times into the report.
    fn note(&mut self, batch: &Batch) {
        for rejected in &batch.rejected {
            self.report.rejected_total += rejected.count;
            if self.report.rejected.len() < LISTED {
                self.report.rejected.push(rejected.clone());
            }
        }
        let spans = batch.spans.iter().flat_map(|s| [s.facts.start, s.facts.end]);
        let messages = batch.messages.iter().map(|m| m.time);
        let facts = batch.deliveries.iter().map(|d| d.time).chain(batch.settlements.iter().map(|s| s.time));
        let logs = batch.logs.iter().map(|l| l.time);
        // 0 stands for an unknown time.
        for time in spans.chain(messages).chain(facts).chain(logs).filter(|t| *t != 0) {
            self.report.first = Some(self.report.first.map_or(time, |f| f.min(time)));
            self.report.last = Some(self.report.last.map_or(time, |l| l.max(time)));
        }
    }

    fn progress(&self, file: &str, bytes_read: u64) -> Progress {
        Progress {
            file: file.to_owned(),
            files_done: self.report.files.saturating_sub(u64::from(bytes_read > 0)),
            files: self.files,
            bytes_done: self.bytes_before + bytes_read,
            bytes: self.bytes,
            counts: self.report.counts,
            waiting: self.waiting.clone(),
        }
    }

    fn finish(mut self) -> ImportReport {
        self.report.cancelled = self.cancel.is_cancelled();
        self.report
    }
}
