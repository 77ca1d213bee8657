//! Traces fetched from Jaeger and Tempo: shown and cancelled as imports are.

use flowglass_ingest::SubmitError;
use flowglass_ingest::files::{ImportError, ImportReport, Progress};
use flowglass_ingest::nats::{NatsConfig, search};
use flowglass_ingest::pull::{PullConfig, PullError, pull};
use flowglass_ingest::secrets::Secrets;
use tokio_util::sync::CancellationToken;

use crate::Studio;
use crate::api::ImportView;

impl Studio {
    /// Fetches traces and answers when they are stored; `progress` counts them as files.
    pub async fn pull(
        &self,
        config: PullConfig,
        progress: impl Fn(Progress) + Send + Sync,
        stop: CancellationToken,
    ) -> Result<ImportReport, PullError> {
        let Some(sink) = self.sink() else { return Err(ImportError::Store(SubmitError::Closed).into()) };
        pull(config, self.now(), &sink, &self.normalise(""), progress, stop).await
    }

    /// Starts looking for a text in what the streams of a connection keep; progress comes as updates.
    pub(crate) fn start_stream_search(&self, config: NatsConfig, text: String) -> ImportView {
        let stop = self.0.stop.child_token();
        let view = self.0.imports.open(format!("{text} in {}", config.url), stop.clone());
        let (studio, id) = (self.clone(), view.id);
        self.0.tasks.spawn(async move {
            let report = |progress: Progress| studio.import_advanced(id, &progress);
            let options = studio.normalise(&config.name);
            let outcome = match studio.sink() {
                Some(sink) => search(&config, &Secrets::system(), &text, (&sink, &options), report, stop.clone()).await,
                None => Err("the workspace is being closed".to_owned()),
            };
            studio.import_ended(id, &outcome, stop.is_cancelled());
        });
        view
    }

    /// Starts fetching in the background; progress comes as updates.
    pub(crate) fn start_pull(&self, config: PullConfig, title: String) -> ImportView {
        let stop = self.0.stop.child_token();
        let view = self.0.imports.open(title, stop.clone());
        let (studio, id) = (self.clone(), view.id);
        self.0.tasks.spawn(async move {
            let report = |progress: Progress| studio.import_advanced(id, &progress);
            let outcome = studio.pull(config, report, stop.clone()).await.map_err(|e| e.to_string());
            studio.import_ended(id, &outcome, stop.is_cancelled());
        });
        view
    }
}
