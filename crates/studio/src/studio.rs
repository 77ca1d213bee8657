//! The application: a workspace with its writer, its sources and its updates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use flowglass_ingest::secrets::Secret;
use flowglass_ingest::{IngestStats, Port, Sink};
use flowglass_model::Nanos;
use flowglass_store::{Access, StoreError, Writer};
use tokio::sync::{OnceCell, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Update;
use crate::configuration::Configuration;
use crate::control::{Control, Desk, Note};
use crate::findings::Judged;
use crate::nats_saved;
use crate::pipeline::Pipeline;
use crate::room::{RESERVE, Room};
use crate::scenarios::Runs;
use crate::sources::{Asked, Forwarding, Imports, Listeners, NatsLinks, forward_target, remembered_forward};
use crate::stranger;
use crate::ticker::{self, Activity};
use crate::views::Views;
use crate::workspace::{Workspace, WorkspaceError};

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
    /// Whether these addresses were asked for by name; else those that the workspace remembers take the place of the usual ones.
    pub otlp_grpc_named: bool,
    /// The same for HTTP.
    pub otlp_http_named: bool,
    /// What senders on other machines must pass; without one it is taken from the keychain when it is needed (window only).
    pub token: Option<Secret>,
    /// Where accepted OTLP requests are passed on to, if not where the workspace remembers.
    pub forward: Option<String>,
    /// NATS connections besides those the workspace remembers.
    pub nats: Vec<flowglass_ingest::nats::NatsConfig>,
    /// Whether a listener that cannot be bound is an error (command line) or a state to show (window).
    pub strict: bool,
    /// Whether the NATS connections that the workspace remembers are started too.
    pub remembered_nats: bool,
    /// Whether this user never had this workspace open: what it says of other machines and files is then forgotten.
    pub foreign: bool,
    /// Bytes of the disk that are kept free: with less room nothing more is taken. 0 keeps none.
    pub reserve: u64,
    /// Whether the sample landscape fills this workspace (said in the window).
    pub demo: bool,
    /// The clock, nanoseconds since the epoch.
    pub clock: fn() -> Nanos,
    /// Where updates go; a stream of its own unless a [`Host`](crate::Host) gives one that outlives this studio.
    pub updates: Option<broadcast::Sender<Update>>,
}

impl Options {
    /// Usual addresses, no NATS, the system clock.
    pub fn new(workspace: PathBuf) -> Options {
        Options {
            workspace,
            config: None,
            otlp_grpc: Some(SocketAddr::from(([127, 0, 0, 1], 4317))),
            otlp_http: Some(SocketAddr::from(([127, 0, 0, 1], 4318))),
            otlp_grpc_named: false,
            otlp_http_named: false,
            token: None,
            forward: None,
            nats: Vec::new(),
            strict: true,
            remembered_nats: true,
            foreign: false,
            reserve: RESERVE,
            demo: false,
            clock: system_clock,
            updates: None,
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
    pub(crate) configuration: Configuration,
    pub(crate) clock: fn() -> Nanos,
    pub(crate) demo: bool,
    pub(crate) sink: Mutex<Option<Sink>>,
    pub(crate) notes: Mutex<Option<mpsc::Sender<Control>>>,
    pub(crate) desk: Desk,
    pub(crate) judged: Judged,
    pub(crate) updates: broadcast::Sender<Update>,
    pub(crate) ingest_stats: Arc<IngestStats>,
    pub(crate) receivers: Listeners,
    pub(crate) forwarding: Forwarding,
    pub(crate) nats: NatsLinks,
    pub(crate) imports: Imports,
    pub(crate) scenarios: Runs,
    pub(crate) views: Views,
    pub(crate) activity: Activity,
    pub(crate) room: Arc<Room>,
    pub(crate) keychain: OnceCell<Option<String>>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Studio {
    /// Opens (or makes) the workspace, binds the listeners, starts the remembered NATS connections.
    pub async fn start(options: Options) -> Result<Studio, StudioError> {
        let mut writer = Writer::open(&options.workspace, Access::Create)?;
        if options.foreign {
            let forgotten = stranger::forget(&mut writer)?;
            if !forgotten.is_empty() {
                tracing::warn!(
                    "this workspace was never open here and may come from somebody else; not taken over: {}. Settings, \
                     Sources adds them again",
                    forgotten.join(", ")
                );
            }
        }
        let workspace = Workspace::open(&options.workspace, options.config.as_deref())?;
        let configuration = Configuration::new(workspace.settings().config);
        let (sink, queue) = Sink::channel(QUEUE_BATCHES, QUEUE_BYTES);
        let (notes, control) = mpsc::channel(16);
        let (committed, commits) = broadcast::channel(1024);
        let config = workspace.settings().config;
        let room = Arc::new(Room::new(&options.workspace, options.reserve));
        let pipeline = Pipeline::new(writer, committed)
            .joining(config.joins.clone())
            .keeping(config.retention.clone())
            .within(room.clone());
        let thread = std::thread::Builder::new()
            .name("flowglass-writer".into())
            .spawn(move || pipeline.run(queue, control))
            .map_err(|e| StudioError::System(format!("no thread for the writer: {e}")))?;

        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let ingest_stats = Arc::new(IngestStats::default());
        let updates = options.updates.clone().unwrap_or_else(|| broadcast::channel(256).0);
        let receivers = Listeners::new(options.token.clone(), stop.child_token());
        let forwarding = Forwarding::new(receivers.forward.clone(), updates.clone());
        let asked = [
            Asked { port: Port::Grpc, address: options.otlp_grpc, named: options.otlp_grpc_named },
            Asked { port: Port::Http, address: options.otlp_http, named: options.otlp_http_named },
        ];
        let started =
            receivers.start(asked, &workspace, options.strict, &sink, &ingest_stats, &configuration.keys).await;
        let forwarded = match started {
            Ok(()) => forward(&options, &workspace, &receivers, &forwarding).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = forwarded {
            stop.cancel();
            return Err(StudioError::Bind(problem));
        }

        let studio = Studio(Arc::new(Inner {
            workspace,
            configuration,
            clock: options.clock,
            demo: options.demo,
            sink: Mutex::new(Some(sink)),
            notes: Mutex::new(Some(notes)),
            desk: Desk::default(),
            judged: Judged::default(),
            updates,
            ingest_stats,
            receivers,
            forwarding,
            nats: NatsLinks::default(),
            imports: Imports::default(),
            scenarios: Runs::default(),
            views: Views::default(),
            activity: Activity::default(),
            room,
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
        self.0.scenarios.cancel_all();
        self.0.receivers.finished().await;
        self.0.forwarding.finish().await;
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
        (self.0.receivers.of(Port::Grpc).address(), self.0.receivers.of(Port::Http).address())
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

    /// Tells the writer something that it need not answer.
    pub(crate) async fn tell(&self, control: Control) {
        let writer = lock(&self.0.notes).clone();
        if let Some(writer) = writer
            && writer.send(control).await.is_err()
        {
            tracing::debug!("the writer has ended");
        }
    }

    /// Keeps a small text in the workspace.
    pub(crate) async fn note(&self, key: &'static str, value: String) -> Result<(), WorkspaceError> {
        let notes = lock(&self.0.notes).clone();
        let Some(notes) = notes else { return Ok(()) };
        let (done, written) = oneshot::channel();
        if notes.send(Control::Note(Note { key, value, done })).await.is_err() {
            return Ok(());
        }
        match written.await {
            Ok(result) => Ok(result?),
            Err(_) => Ok(()),
        }
    }
}

/// Starts passing requests on: to whom was asked for, else to whom the workspace remembers. An address that was asked for and
/// cannot be used is an error; a remembered one is told in the log.
async fn forward(
    options: &Options,
    workspace: &Workspace,
    receivers: &Listeners,
    forwarding: &Forwarding,
) -> Result<(), String> {
    let Some(url) = options.forward.clone().or_else(|| remembered_forward(workspace)) else { return Ok(()) };
    let target = forward_target(&url, &receivers.addresses()).await.map_err(|e| e.to_string());
    match target.and_then(|target| forwarding.set(Some(target))) {
        Err(problem) if options.forward.is_some() => Err(format!("--forward: {problem}")),
        Err(problem) => {
            tracing::warn!("nothing is passed on: {problem}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// The name of a workspace as people read it: its file name without ending.
pub fn workspace_name(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |s| s.to_string_lossy().into_owned())
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
