//! Asking, and taking in what is answered.

use flowglass_model::Nanos;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client::{Asker, PullAuth};
use super::link::{Ask, LinkError, Wanted};
use super::{TRACES_MAX, tempo};
use crate::files::{ImportError, ImportReport, Progress, import_bytes};
use crate::normalise::Options;
use crate::sink::Sink;

/// Traces asked for at once.
const AT_ONCE: usize = 4;
/// Rejections listed; all are counted.
const LISTED: usize = 1_000;
/// What Tempo answers best with; Jaeger answers JSON whatever is accepted.
const TRACE: &str = "application/protobuf";

/// What to fetch, and with which credentials.
#[derive(Debug, Clone, Default)]
pub struct PullConfig {
    /// What.
    pub wanted: Wanted,
    /// Credentials.
    pub auth: PullAuth,
    /// Tenant (`X-Scope-OrgID`), for a Tempo of several.
    pub tenant: Option<String>,
}

/// Why nothing (more) was fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The server.
    #[error("{0}")]
    Server(String),
    /// The store.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Fetches and stores; `progress` counts traces as files. What was stored before an error or a cancellation stays.
///
/// # Errors
/// When the link asks for nothing, when the server cannot be reached or refuses, when the store refuses. A trace of a search that
/// has gone meanwhile is a rejection.
pub async fn pull(
    config: PullConfig,
    now: Nanos,
    sink: &Sink,
    options: &Options,
    progress: impl Fn(Progress),
    cancel: CancellationToken,
) -> Result<ImportReport, PullError> {
    let ask = config.wanted.ask(now)?;
    let asker = Asker::new(config.auth, config.tenant).map_err(PullError::Server)?;
    let take = Take { sink, options, progress: &progress, cancel: &cancel };
    let mut report = ImportReport::default();
    let fetched = async {
        match &ask {
            Ask::Trace(url) => take.trace(&asker, url, 1, &mut report).await,
            Ask::JaegerSearch(url) => {
                let answer = asker.get(url, "application/json").await.map_err(PullError::Server)?;
                take.body(url, answer.body, 1, &mut report).await
            }
            Ask::TempoSearch { search, traces } => take.search(&asker, search, traces, &mut report).await,
        }
    };
    tokio::select! {
        fetched = fetched => fetched?,
        () = cancel.cancelled() => {}
    }
    report.cancelled = cancel.is_cancelled();
    if report.recognised == 0 && !report.cancelled && report.rejected_total == 0 {
        let host = config.wanted.url;
        return Err(PullError::Server(format!("{host} found no trace; widen the range or look at the search")));
    }
    Ok(report)
}

struct Take<'a, P> {
    sink: &'a Sink,
    options: &'a Options,
    progress: &'a P,
    cancel: &'a CancellationToken,
}

impl<P: Fn(Progress)> Take<'_, P> {
    async fn trace(&self, asker: &Asker, url: &Url, of: u64, report: &mut ImportReport) -> Result<(), PullError> {
        let answer = asker.get(url, TRACE).await.map_err(PullError::Server)?;
        let body = if answer.json { tempo::otlp(answer.body) } else { answer.body };
        self.body(url, body, of, report).await
    }

    /// Takes an answer in as if it were a file.
    async fn body(&self, url: &Url, body: Vec<u8>, of: u64, report: &mut ImportReport) -> Result<(), PullError> {
        if nothing(&body) {
            return Ok(());
        }
        let read = body.len() as u64;
        let name = name(url);
        let content = std::io::Cursor::new(body);
        let at = |files_done, counts, waiting| Progress {
            file: name.clone(),
            files_done,
            files: of,
            bytes_done: read,
            bytes: 0,
            counts,
            waiting,
        };
        let (files, counts) = (report.files, report.counts);
        let told = |p: Progress| (self.progress)(at(files, counts, p.waiting));
        let one = import_bytes(&name, content, self.sink, self.options, told, self.cancel.child_token()).await?;
        add(report, one);
        (self.progress)(at(report.files, report.counts, None));
        Ok(())
    }

    async fn search(
        &self,
        asker: &Asker,
        search: &Url,
        traces: &Url,
        report: &mut ImportReport,
    ) -> Result<(), PullError> {
        let answer = asker.get(search, "application/json").await.map_err(PullError::Server)?;
        let mut ids = tempo::found(&answer.body).map_err(PullError::Server)?;
        ids.truncate(TRACES_MAX);
        let of = ids.len() as u64;
        let fetch = |id: String| async move {
            let mut url = traces.clone();
            url.set_path(&format!("{}/{id}", traces.path()));
            let answer = asker.get(&url, TRACE).await;
            (url, answer)
        };
        let mut answers = futures::stream::iter(ids).map(fetch).buffer_unordered(AT_ONCE);
        while let Some((url, answer)) = answers.next().await {
            match answer {
                Ok(answer) => {
                    let body = if answer.json { tempo::otlp(answer.body) } else { answer.body };
                    self.body(&url, body, of, report).await?;
                }
                Err(reason) => {
                    report.files += 1;
                    report.rejected_total += 1;
                    let rejected =
                        flowglass_model::Rejected { source: name(&url), at: String::new(), reason, count: 1 };
                    report.rejected.push(rejected);
                }
            }
        }
        Ok(())
    }
}

/// `jaeger:16686/api/traces/4bf9…`, without what was searched for.
fn name(url: &Url) -> String {
    format!("{}{}", url.authority(), url.path())
}

/// Whether an answer says that there is nothing: Jaeger's empty list.
fn nothing(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Empty {
        data: Option<Vec<serde::de::IgnoredAny>>,
    }
    body.is_empty()
        || (body.len() < 4_096
            && serde_json::from_slice::<Empty>(body).is_ok_and(|e| e.data.is_some_and(|d| d.is_empty())))
}

fn add(report: &mut ImportReport, one: ImportReport) {
    report.files += one.files;
    report.recognised += one.recognised;
    report.counts.add(one.counts);
    report.rejected_total += one.rejected_total;
    let room = LISTED.saturating_sub(report.rejected.len());
    report.rejected.extend(one.rejected.into_iter().take(room));
    report.first = [report.first, one.first].into_iter().flatten().min();
    report.last = [report.last, one.last].into_iter().flatten().max();
}
