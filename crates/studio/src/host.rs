//! The program around the workspace: which one is open, and switching to another.
//!
//! A [`Host`] outlives its [`Studio`]: windows and the loopback server ask the host, and its stream of updates goes on across a
//! switch. One workspace is open at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use flowglass_store::{Access, Writer};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::api::{ApiError, Preferences, Update, WorkspaceEntry, Workspaces, to_ms};
use crate::home::{Home, Recent};
use crate::studio::{Options, Studio, StudioError, workspace_name};
use crate::workspace::WorkspaceError;

/// Updates that may wait for a slow window.
const UPDATES: usize = 256;
/// How workspace files end.
const ENDING: &str = "flowglass";
/// Longest name of a workspace, bytes.
const LONGEST_NAME: usize = 100;

/// The program. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    /// What the program was started with; listeners are taken over from one workspace to the next.
    options: Options,
    home: Home,
    studio: RwLock<Studio>,
    updates: broadcast::Sender<Update>,
    /// Held while switching: one at a time.
    switching: tokio::sync::Mutex<()>,
}

impl Host {
    /// Starts with the workspace that the options name. Errors as [`Studio::start`] does.
    pub async fn start(mut options: Options, home: Home) -> Result<Host, StudioError> {
        let (updates, _) = broadcast::channel(UPDATES);
        if let Ok(path) = std::path::absolute(&options.workspace) {
            options.workspace = path;
        }
        options.updates = Some(updates.clone());
        options.foreign = is_foreign(&home, &options.workspace);
        let studio = Studio::start(options.clone()).await?;
        let switching = tokio::sync::Mutex::new(());
        let host = Host(Arc::new(Inner { options, home, studio: RwLock::new(studio), updates, switching }));
        host.note_used();
        Ok(host)
    }

    /// The studio of the workspace that is open now.
    pub fn studio(&self) -> Studio {
        self.0.studio.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Updates from now on, of this workspace and those opened later ([`Update::Workspace`] in between). A slow subscriber misses
    /// updates (`Lagged`) and should ask again for what it shows.
    pub fn updates(&self) -> broadcast::Receiver<Update> {
        self.0.updates.subscribe()
    }

    /// Hands every update from now on to `take`, until that says false or the program ends. One that is too slow and missed some
    /// is told to ask again for everything.
    pub async fn follow(&self, mut take: impl FnMut(Update) -> bool) {
        let mut updates = self.updates();
        loop {
            let go_on = match updates.recv().await {
                Ok(update) => take(update),
                Err(RecvError::Lagged(_)) => Update::everything().into_iter().all(&mut take),
                Err(RecvError::Closed) => return,
            };
            if !go_on {
                return;
            }
        }
    }

    /// What closing the window means: `Some(true)` goes on without it, `Some(false)` ends, `None` asks, since data arrives.
    pub fn closing(&self) -> Option<bool> {
        self.preferences().keep_receiving.or_else(|| (!self.studio().receiving()).then_some(false))
    }

    /// Writes the bound addresses and the workspace to a file as one line of JSON; the file appears whole.
    pub fn announce(&self, path: &Path) -> std::io::Result<()> {
        let studio = self.studio();
        let (grpc, http) = studio.addresses();
        let line = serde_json::json!({
            "event": "ready",
            "otlp_grpc": grpc.map(|a| a.to_string()),
            "otlp_http": http.map(|a| a.to_string()),
            "workspace": studio.workspace().path(),
        });
        let partial = path.with_extension("partial");
        std::fs::write(&partial, format!("{line}\n"))?;
        std::fs::rename(&partial, path)
    }

    /// What is kept for all workspaces.
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// What the program does for its user.
    pub fn preferences(&self) -> Preferences {
        self.0.home.read().preferences.unwrap_or_default()
    }

    /// Stops accepting, flushes what is under way, closes the workspace.
    pub async fn stop(&self) {
        let _one_at_a_time = self.0.switching.lock().await;
        self.leave(&self.studio()).await;
    }

    /// Opens another workspace in place of this one, with the same listeners; `create` makes it. If it cannot be opened, the one
    /// that was open stays open, or comes back.
    ///
    /// Errors: `bad-request` for a name that cannot be used or a file that is there already, the store's codes
    /// (`workspace-held`, `workspace-newer`, `workspace-foreign`, …) for a file that cannot be opened.
    pub async fn open(&self, path: &str, create: bool) -> Result<(), ApiError> {
        let path = self.path_of(path)?;
        let _one_at_a_time = self.0.switching.lock().await;
        let old = self.studio();
        let here = old.workspace().path().to_owned();
        if !create && same_file(&here, &path) {
            return Ok(());
        }
        // Whatever can be found out is found out while the old one still receives.
        let checked = path.clone();
        blocking(move || check(&checked, create)).await?;
        let listeners = old.addresses();
        self.leave(&old).await;
        match Studio::start(self.options_for(&path, listeners)).await {
            Ok(studio) => {
                self.put(studio);
                Ok(())
            }
            Err(error) => Err(self.come_back(&here, listeners, error).await),
        }
    }

    /// Workspaces used lately, most recent first.
    pub(crate) async fn workspaces(&self) -> Result<Workspaces, ApiError> {
        let studio = self.studio();
        let path = studio.workspace().path().to_owned();
        let stats = studio.ask(|w| w.stats()).await?;
        let host = self.clone();
        blocking(move || {
            let mut recent = host.0.home.read().recent;
            if recent.iter().all(|r| r.path != path) {
                recent.insert(0, Recent { path: path.clone(), oldest: None, newest: None, view: None });
            }
            let recent = recent
                .into_iter()
                .map(|r| if r.path == path { Recent { oldest: stats.oldest, newest: stats.newest, ..r } } else { r })
                .map(|r| entry(r, &path))
                .collect();
            let folder = host.0.home.workspaces().map(|f| f.display().to_string()).unwrap_or_default();
            Ok(Workspaces { recent, folder })
        })
        .await
    }

    /// Takes a workspace off the list; the file stays.
    pub(crate) async fn forget(&self, path: &Path) -> Result<Workspaces, ApiError> {
        let (host, path) = (self.clone(), path.to_owned());
        blocking(move || host.0.home.change(|k| k.recent.retain(|r| r.path != path)).map_err(not_kept)).await?;
        self.workspaces().await
    }

    /// Flushes and closes a workspace, and notes what it held.
    async fn leave(&self, studio: &Studio) {
        let path = studio.workspace().path().to_owned();
        if let Ok(stats) = studio.ask(|w| w.stats()).await {
            let kept = self.0.home.change(|k| k.left(&path, stats.oldest, stats.newest));
            if let Err(error) = kept {
                tracing::warn!(%error, "the list of workspaces could not be kept");
            }
        }
        studio.stop().await;
    }

    /// After a start that failed: opens the one that was left, and says what happened.
    async fn come_back(&self, here: &Path, listeners: Listeners, error: StudioError) -> ApiError {
        let name = workspace_name(here);
        let mut told = ApiError::from(error);
        match Studio::start(self.options_for(here, listeners)).await {
            Ok(studio) => {
                self.put(studio);
                told.message.push_str(&format!(" — “{name}” stays open."));
            }
            Err(worse) => told.message.push_str(&format!(
                " — “{name}” could not be opened again either ({worse}): nothing is received now; start Flowglass again."
            )),
        }
        told
    }

    fn put(&self, studio: Studio) {
        *self.0.studio.write().unwrap_or_else(|e| e.into_inner()) = studio;
        self.note_used();
        // Nobody listens: fine.
        let _ = self.0.updates.send(Update::Workspace {});
    }

    fn note_used(&self) {
        let studio = self.studio();
        if let Err(error) = self.0.home.change(|k| k.used(studio.workspace().path())) {
            tracing::warn!(%error, "the list of workspaces could not be kept");
        }
    }

    /// What to start a workspace with: the listeners where they are now, so that senders need not be told; the rest as the program
    /// was started. A settings file named on the command line and the sample landscape belong to the first workspace only.
    fn options_for(&self, path: &Path, (grpc, http): Listeners) -> Options {
        let given = &self.0.options;
        let first = given.workspace == path;
        Options {
            workspace: path.to_owned(),
            config: given.config.clone().filter(|_| first),
            otlp_grpc: grpc.or(given.otlp_grpc),
            otlp_http: http.or(given.otlp_http),
            strict: false,
            demo: given.demo && first,
            foreign: is_foreign(&self.0.home, path),
            ..given.clone()
        }
    }

    /// The file that is meant: a plain name is one in the default folder.
    fn path_of(&self, text: &str) -> Result<PathBuf, ApiError> {
        let text = text.trim();
        let path = PathBuf::from(text);
        if path.is_absolute() {
            return Ok(path);
        }
        let refused = |why: &str| Err(bad_request(format!("“{text}” {why}")));
        let plain = !text.contains(['/', '\\', ':']) && !text.starts_with('.') && !text.chars().any(char::is_control);
        if text.is_empty() {
            return Err(bad_request("Give the workspace a name."));
        }
        if !plain || text.len() > LONGEST_NAME {
            return refused(
                "is no name for a workspace. Use letters, digits, blanks and dashes, or give the full path of a file.",
            );
        }
        let Some(folder) = self.0.home.workspaces() else {
            return refused("cannot be placed, since no home folder is known. Give the full path of a file.");
        };
        let ended = path.extension().is_some_and(|e| e == ENDING);
        Ok(folder.join(if ended { text.to_owned() } else { format!("{text}.{ENDING}") }))
    }
}

/// Waits until the system asks this process to end: SIGTERM or Ctrl-C.
pub async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the process itself.
        std::future::pending::<()>().await;
    }
}

type Listeners = (Option<std::net::SocketAddr>, Option<std::net::SocketAddr>);

impl From<StudioError> for ApiError {
    fn from(error: StudioError) -> Self {
        match error {
            StudioError::Workspace(error) => error.into(),
            other => ApiError { code: "unavailable".into(), message: other.to_string() },
        }
    }
}

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError { code: "bad-request".into(), message: message.into() }
}

/// Something could not be kept for all workspaces.
pub(crate) fn not_kept(error: std::io::Error) -> ApiError {
    ApiError { code: "unavailable".into(), message: format!("This could not be kept for the next start: {error}") }
}

/// Whether a workspace can be opened (or made) for writing. Nothing stays open.
fn check(path: &Path, create: bool) -> Result<(), ApiError> {
    if create {
        if path.exists() {
            return Err(bad_request(format!(
                "{}: there is a file of this name already. Open it, or choose another name.",
                path.display()
            )));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| bad_request(format!("{}: {e}", folder.display())))?;
        }
    }
    let access = if create { Access::Create } else { Access::Open };
    Writer::open(path, access).map(drop).map_err(|e| WorkspaceError::from(e).into())
}

/// Whether a workspace is there that this user never had open. Where nothing is kept for the user, nobody knows.
fn is_foreign(home: &Home, path: &Path) -> bool {
    home.folder().is_some() && path.exists() && !home.read().recent.iter().any(|r| same_file(&r.path, path))
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn entry(recent: Recent, current: &Path) -> WorkspaceEntry {
    let file = std::fs::metadata(&recent.path).ok().filter(std::fs::Metadata::is_file);
    // What was written last may lie in the log beside the file.
    let log = std::fs::metadata(format!("{}-wal", recent.path.display())).ok();
    let changed = [&file, &log].into_iter().flatten().filter_map(|m| m.modified().ok()).max();
    let since_epoch = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    WorkspaceEntry {
        name: workspace_name(&recent.path),
        bytes: file.as_ref().map(|f| f.len() + log.as_ref().map_or(0, |l| l.len())),
        changed_at: since_epoch.filter(|_| file.is_some()).map(|d| d.as_secs_f64() * 1e3),
        oldest_at: recent.oldest.map(to_ms),
        newest_at: recent.newest.map(to_ms),
        current: recent.path == current,
        path: recent.path.display().to_string(),
    }
}

/// Runs what waits for files on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
