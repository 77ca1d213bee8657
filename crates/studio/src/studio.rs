//! The application: a workspace with its writer, its sources and its updates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use flowglass_ingest::{IngestStats, Sink};
use flowglass_model::Nanos;
use flowglass_store::{Access, StoreError, Writer};
use tokio::sync::{OnceCell, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Update;
use crate::pipeline::{Note, Pipeline};
use crate::sources::{Imports, NatsLinks, Receiver, ReceiverRole};
use crate::ticker::{self, Activity};
use crate::views::Views;
use crate::workspace::{META_CONFIG_COPY, Settings, Workspace, WorkspaceError};
use crate::{nats_saved, settings};

/// Batches and bytes that may wait for the writer.
const QUEUE_BATCHES: usize = 256;
const QUEUE_BYTES: usize = 256 << 20;

/// What a studio is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Workspace file; made if it is missing.
    pub workspace: PathBuf,
    /// Settings file, if not the one the workspace names.
    pub config: Option<PathBuf>,
    /// OTLP/gRPC address; `None` is off.
    pub otlp_grpc: Option<SocketAddr>,
    /// OTLP/HTTP address; `None` is off.
    pub otlp_http: Option<SocketAddr>,
    /// NATS connections besides those the workspace remembers.
    pub nats: Vec<flowglass_ingest::nats::NatsConfig>,
    /// Whether a listener that cannot be bound is an error (command line) or a state to show (window).
    pub strict: bool,
    /// Whether the NATS connections that the workspace remembers are started too.
    pub remembered_nats: bool,
    /// Whether the sample landscape fills this workspace (said in the window).
    pub demo: bool,
    /// The clock, nanoseconds since the epoch.
    pub clock: fn() -> Nanos,
}

impl Options {
    /// Usual addresses, no NATS, the system clock.
    pub fn new(workspace: PathBuf) -> Options {
        Options {
            workspace,
            config: None,
            otlp_grpc: Some(SocketAddr::from(([127, 0, 0, 1], 4317))),
            otlp_http: Some(SocketAddr::from(([127, 0, 0, 1], 4318))),
            nats: Vec::new(),
            strict: true,
            remembered_nats: true,
            demo: false,
            clock: system_clock,
        }
    }
}

/// Nanoseconds since the epoch by the system's clock.
pub fn system_clock() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

/// Why a studio could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// The workspace or its settings.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A listener.
    #[error("{0}")]
    Bind(String),
    /// The system refused something.
    #[error("{0}")]
    System(String),
}

impl From<StoreError> for StudioError {
    fn from(error: StoreError) -> Self {
        StudioError::Workspace(error.into())
    }
}

/// The application. Cheap to clone; all clones are the same studio.
#[derive(Clone)]
pub struct Studio(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) workspace: Workspace,
    pub(crate) clock: fn() -> Nanos,
    pub(crate) demo: bool,
    pub(crate) sink: Mutex<Option<Sink>>,
    pub(crate) notes: Mutex<Option<mpsc::Sender<Note>>>,
    pub(crate) updates: broadcast::Sender<Update>,
    pub(crate) ingest_stats: Arc<IngestStats>,
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) nats: NatsLinks,
    pub(crate) imports: Imports,
    pub(crate) views: Views,
    pub(crate) activity: Activity,
    pub(crate) keychain: OnceCell<Option<String>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Studio {
    /// Opens (or makes) the workspace, binds the listeners, starts the remembered NATS connections.
    pub async fn start(options: Options) -> Result<Studio, StudioError> {
        let writer = Writer::open(&options.workspace, Access::Create)?;
        let workspace = Workspace::open(&options.workspace, options.config.as_deref())?;
        let (sink, queue) = Sink::channel(QUEUE_BATCHES, QUEUE_BYTES);
        let (notes, control) = mpsc::channel(16);
        let (committed, commits) = broadcast::channel(1024);
        let pipeline = Pipeline::new(writer, committed);
        let thread = std::thread::Builder::new()
            .name("flowglass-writer".into())
            .spawn(move || pipeline.run(queue, control))
            .map_err(|e| StudioError::System(format!("no thread for the writer: {e}")))?;

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let ingest_stats = Arc::new(IngestStats::default());
        let mut receivers = Vec::new();
        for (role, address) in
            [(ReceiverRole::OtlpGrpc, options.otlp_grpc), (ReceiverRole::OtlpHttp, options.otlp_http)]
        {
            let receiver = Receiver::start(role, address, &sink, &ingest_stats, &stop, &tasks).await;
            if let (true, Some(problem)) = (options.strict, &receiver.problem) {
                stop.cancel();
                return Err(StudioError::Bind(problem.clone()));
            }
            receivers.push(receiver);
        }

        let studio = Studio(Arc::new(Inner {
            workspace,
            clock: options.clock,
            demo: options.demo,
            sink: Mutex::new(Some(sink)),
            notes: Mutex::new(Some(notes)),
            updates: broadcast::channel(256).0,
            ingest_stats,
            receivers,
            nats: NatsLinks::default(),
            imports: Imports::default(),
            views: Views::default(),
            activity: Activity::default(),
            keychain: OnceCell::new(),
            stop,
            tasks,
            writer: Mutex::new(Some(thread)),
        }));
        studio.keep_settings_copy().await;
        for (config, remembered) in nats_saved::load(&studio, options.nats, options.remembered_nats).await {
            studio.0.nats.start(&studio, config, remembered);
        }
        studio.0.tasks.spawn(ticker::run(studio.clone(), commits));
        Ok(studio)
    }

    /// Stops accepting, flushes what is under way, closes the workspace.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        if !self.0.nats.is_empty() {
            nats_saved::save(self).await;
        }
        // The writer ends when the last sink is gone and the queue is empty.
        drop(lock(&self.0.sink).take());
        drop(lock(&self.0.notes).take());
        // Idle readers would keep the write-ahead log from being folded into the file.
        self.0.workspace.close_idle();
        let thread = lock(&self.0.writer).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    /// The reading side.
    pub fn workspace(&self) -> &Workspace {
        &self.0.workspace
    }

    /// Updates from now on. A slow subscriber misses updates (`Lagged`) and should ask again for what it shows.
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.0.updates.subscribe()
    }

    /// Bound addresses: OTLP/gRPC, OTLP/HTTP.
    pub fn addresses(&self) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let of = |role| self.0.receivers.iter().find(|r| r.role == role).and_then(|r| r.address);
        (of(ReceiverRole::OtlpGrpc), of(ReceiverRole::OtlpHttp))
    }

    /// Where to hand in batches; `None` while stopping.
    pub fn sink(&self) -> Option<Sink> {
        lock(&self.0.sink).clone()
    }

    /// Now, by the studio's clock.
    pub fn now(&self) -> Nanos {
        (self.0.clock)()
    }

    pub(crate) fn publish(&self, update: Update) {
        // Nobody listening is fine.
        let _ = self.0.updates.send(update);
    }

    /// Runs a blocking question on a blocking thread.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Workspace) -> Result<T, WorkspaceError> + Send + 'static,
    ) -> Result<T, WorkspaceError> {
        let workspace = self.0.workspace.clone();
        match tokio::task::spawn_blocking(move || question(&workspace)).await {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Keeps a small text in the workspace.
    pub(crate) async fn note(&self, key: &'static str, value: String) -> Result<(), WorkspaceError> {
        let notes = lock(&self.0.notes).clone();
        let Some(notes) = notes else { return Ok(()) };
        let (done, written) = oneshot::channel();
        if notes.send(Note { key, value, done }).await.is_err() {
            return Ok(());
        }
        match written.await {
            Ok(result) => Ok(result?),
            Err(_) => Ok(()),
        }
    }

    /// Changes the settings file in place and puts the result in force.
    pub(crate) async fn edit_settings(
        &self,
        change: impl FnOnce(&mut toml_edit::DocumentMut) + Send + 'static,
    ) -> Result<(), WorkspaceError> {
        let path = self.0.workspace.settings().path;
        let edited = tokio::task::spawn_blocking(move || {
            let (text, config) = settings::edit(&path, change)?;
            Ok::<_, settings::SettingsError>(Settings { path, text, config: Arc::new(config), problem: None })
        });
        let settings = match edited.await {
            Ok(settings) => settings?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.0.workspace.set_settings(settings);
        self.keep_settings_copy().await;
        self.publish(Update::Settings {});
        Ok(())
    }

    /// Reads the settings file again if somebody changed it. Returns whether it did.
    pub(crate) async fn reload_settings(&self) -> bool {
        let old = self.0.workspace.settings();
        let path = old.path.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || settings::read(&path)).await else { return false };
        let new = match read {
            Ok(Some((text, _))) if text == old.text && old.problem.is_none() => return false,
            Ok(Some((text, config))) => {
                Settings { path: old.path.clone(), text, config: Arc::new(config), problem: None }
            }
            Ok(None) => return false,
            Err(error) if old.problem.as_deref() == Some(&error.to_string()) => return false,
            Err(error) => Settings { problem: Some(error.to_string()), ..old },
        };
        let good = new.problem.is_none();
        self.0.workspace.set_settings(new);
        if good {
            self.keep_settings_copy().await;
        }
        self.publish(Update::Settings {});
        true
    }

    async fn keep_settings_copy(&self) {
        let settings = self.0.workspace.settings();
        if settings.problem.is_some() {
            return;
        }
        if let Err(error) = self.note(META_CONFIG_COPY, settings.text).await {
            tracing::warn!(%error, "the workspace could not keep a copy of its settings");
        }
    }
}

/// The name of a workspace as people read it: its file name without ending.
pub fn workspace_name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
