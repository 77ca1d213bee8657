//! Imports of files and pasted text, with progress.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use flowglass_ingest::SubmitError;
use flowglass_ingest::files::{self, ImportError, ImportReport, Progress};
use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;

use crate::Studio;
use crate::api::{ImportView, RefusalView, Update, to_ms};
use crate::studio::lock;

/// Imports remembered for the list.
const REMEMBERED: usize = 20;
/// Rejections sent to the window; all are counted.
const REJECTED_SHOWN: usize = 200;

/// What an import brought.
pub type ImportOutcome = Result<ImportReport, ImportError>;

/// Imports of this session, by number.
#[derive(Default)]
pub(crate) struct Imports(Mutex<State>);

#[derive(Default)]
struct State {
    next: u32,
    running: BTreeMap<u32, (ImportView, CancellationToken)>,
    done: Vec<ImportView>,
}

impl Imports {
    pub(super) fn open(&self, title: String, stop: CancellationToken) -> ImportView {
        let mut state = lock(&self.0);
        state.next += 1;
        let view = ImportView {
            id: state.next,
            title,
            state: "running".into(),
            bytes_read: 0,
            bytes_total: None,
            file: None,
            files: 0,
            spans: 0,
            events: 0,
            logs: 0,
            known: 0,
            rejected_total: 0,
            rejected: Vec::new(),
            first_at: None,
            last_at: None,
            waiting: None,
            problem: None,
        };
        state.running.insert(view.id, (view.clone(), stop));
        view
    }

    fn advance(&self, id: u32, progress: &Progress) -> Option<ImportView> {
        let mut state = lock(&self.0);
        let (view, _) = state.running.get_mut(&id)?;
        view.bytes_read = progress.bytes_done;
        view.bytes_total = Some(progress.bytes).filter(|b| *b > 0);
        view.file = Some(progress.file.clone());
        view.files = progress.files as u32;
        view.spans = progress.counts.spans;
        view.events = progress.counts.events;
        view.logs = progress.counts.logs;
        view.known = progress.counts.known;
        view.waiting.clone_from(&progress.waiting);
        Some(view.clone())
    }

    fn close<E: std::fmt::Display>(
        &self,
        id: u32,
        outcome: &Result<ImportReport, E>,
        cancelled: bool,
    ) -> Option<ImportView> {
        let mut state = lock(&self.0);
        let (mut view, _) = state.running.remove(&id)?;
        view.waiting = None;
        match outcome {
            Ok(report) => {
                view.state = if cancelled { "cancelled" } else { "done" }.into();
                view.files = report.files as u32;
                view.spans = report.counts.spans;
                view.events = report.counts.events;
                view.logs = report.counts.logs;
                view.known = report.counts.known;
                view.rejected_total = report.rejected_total;
                view.rejected = report.rejected.iter().take(REJECTED_SHOWN).map(refusal).collect();
                view.first_at = report.first.map(to_ms);
                view.last_at = report.last.map(to_ms);
            }
            Err(error) => {
                view.state = if cancelled { "cancelled" } else { "failed" }.into();
                view.problem = Some(error.to_string());
            }
        }
        state.done.insert(0, view.clone());
        state.done.truncate(REMEMBERED);
        Some(view)
    }

    /// Stops a running import. Answers whether it was running.
    pub(crate) fn cancel(&self, id: u32) -> bool {
        match lock(&self.0).running.get(&id) {
            Some((_, stop)) => {
                stop.cancel();
                true
            }
            None => false,
        }
    }

    /// All, newest first.
    pub(crate) fn views(&self) -> Vec<ImportView> {
        let state = lock(&self.0);
        state.running.values().rev().map(|(v, _)| v.clone()).chain(state.done.iter().cloned()).collect()
    }
}

fn refusal(r: &flowglass_model::Rejected) -> RefusalView {
    RefusalView { at: None, source: r.source.clone(), place: r.at.clone(), reason: r.reason.clone(), count: r.count }
}

impl Studio {
    /// Imports files and folders and answers when it is done; `progress` is told how far it is.
    pub async fn import(
        &self,
        paths: &[PathBuf],
        progress: impl Fn(Progress) + Send + Sync,
        stop: CancellationToken,
    ) -> ImportOutcome {
        let Some(sink) = self.sink() else { return Err(ImportError::Store(SubmitError::Closed)) };
        files::import(paths, &sink, &self.normalise(""), progress, stop).await
    }

    /// Starts an import of files and folders in the background; progress comes as updates.
    pub fn start_import(&self, paths: Vec<PathBuf>) -> ImportView {
        let title = match paths.as_slice() {
            [one] => one.file_name().map_or_else(|| one.display().to_string(), |n| n.to_string_lossy().into_owned()),
            many => format!("{} files", many.len()),
        };
        let stop = self.0.stop.child_token();
        let view = self.0.imports.open(title, stop.clone());
        let (studio, id) = (self.clone(), view.id);
        self.0.tasks.spawn(async move {
            let report = |progress: Progress| studio.import_advanced(id, &progress);
            let outcome = studio.import(&paths, report, stop.clone()).await;
            studio.import_ended(id, &outcome, stop.is_cancelled());
        });
        view
    }

    /// Imports a stream of bytes (an upload, pasted text) and answers when it is done.
    pub async fn import_stream(&self, name: &str, reader: impl AsyncRead + Send + Unpin + 'static) -> ImportView {
        let stop = self.0.stop.child_token();
        let view = self.0.imports.open(name.to_owned(), stop.clone());
        let id = view.id;
        let outcome = match self.sink() {
            Some(sink) => {
                let report = |progress: Progress| self.import_advanced(id, &progress);
                files::import_bytes(name, reader, &sink, &self.normalise(""), report, stop.clone()).await
            }
            None => Err(ImportError::Store(SubmitError::Closed)),
        };
        self.import_ended(id, &outcome, stop.is_cancelled()).unwrap_or(view)
    }

    pub(super) fn import_advanced(&self, id: u32, progress: &Progress) {
        if let Some(import) = self.0.imports.advance(id, progress) {
            self.publish(Update::Import { import });
        }
    }

    pub(super) fn import_ended<E: std::fmt::Display>(
        &self,
        id: u32,
        outcome: &Result<ImportReport, E>,
        cancelled: bool,
    ) -> Option<ImportView> {
        let import = self.0.imports.close(id, outcome, cancelled)?;
        self.publish(Update::Import { import: import.clone() });
        Some(import)
    }
}
