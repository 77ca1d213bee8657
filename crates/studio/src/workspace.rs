//! The reading side of a workspace: connections, settings, and the questions that window and command line share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use flowglass_model::filter::{Filter, Places};
use flowglass_model::{
    Config, Graph, JoinsConfig, Journey, Layer, Mark, MarkKind, Message, Nanos, NodeId, SeriesKey, SeriesSum, TraceId,
};
use flowglass_store::{ChunkCache, Copied, EventRow, FindHit, GoOn, Reader, Seen, Spark, Stats, StoreError};
use flowglass_topology::graph;

use crate::api::{Range, TopologyView, to_ms};
use crate::handlers::scene::scene;
use crate::settings::{self, SettingsError};
use crate::stitch::Web;
use crate::views::{Grid, SparkedSeries, Views, Wishes};

/// Reading connections kept open at most.
const IDLE_READERS: usize = 4;
/// The newest journeys, events, spans and log records that names and values are taken from, each.
const SEEN: usize = 3_000;

/// Spans, events, log records.
type Amounts = [u64; 3];

/// What was seen, and when there was how much.
type LastSeen = Option<(Amounts, Arc<Seen>)>;

/// Workspace keys under which the settings file's path and last good text are kept.
pub(crate) const META_CONFIG_PATH: &str = "config_path";
pub(crate) const META_CONFIG_COPY: &str = "config_copy";

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The workspace could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings could not be read or written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing has this id.
    #[error("nothing in this workspace has the id `{0}`")]
    NotFound(String),
}

/// Settings in force, and where they are from.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// Its text as last read.
    pub text: String,
    /// What counts.
    pub config: Arc<Config>,
    /// Why the file could not be read; then the last good version counts.
    pub problem: Option<String>,
}

/// A workspace opened for reading; cheap to clone.
#[derive(Clone)]
pub struct Workspace {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Reader>>>,
    chunks: ChunkCache,
    seen: Arc<Mutex<LastSeen>>,
    settings: Arc<RwLock<Settings>>,
}

impl Workspace {
    /// Opens a workspace file for reading. `config` names a settings file other than the one the workspace names; such a file
    /// must be there and be valid. Errors when the workspace is missing (nothing is created), damaged or too new.
    pub fn open(path: &Path, config: Option<&Path>) -> Result<Workspace, WorkspaceError> {
        let chunks = ChunkCache::default();
        let reader = Reader::open_sharing(path, &chunks)?;
        let settings = load_settings(&reader, path, config)?;
        Ok(Workspace {
            path: path.to_owned(),
            idle: Arc::new(Mutex::new(vec![reader])),
            chunks,
            seen: Arc::default(),
            settings: Arc::new(RwLock::new(settings)),
        })
    }

    /// The workspace file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Settings in force.
    pub fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// How traces without a common context become one journey.
    pub(crate) fn joining(&self) -> Arc<JoinsConfig> {
        Arc::new(self.settings().config.joins.clone())
    }

    pub(crate) fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(|e| e.into_inner()) = settings;
    }

    /// Closes connections that nobody uses now.
    pub(crate) fn close_idle(&self) {
        self.idle.lock().unwrap_or_else(|e| e.into_inner()).clear();
    }

    /// Asks the store. Blocking: call it from a blocking thread.
    pub fn read<T>(&self, ask: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, WorkspaceError> {
        let idle = self.idle.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open_sharing(&self.path, &self.chunks)?,
        };
        let answer = ask(&reader);
        let mut idle = self.idle.lock().unwrap_or_else(|e| e.into_inner());
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        Ok(answer?)
    }

    /// Every series of a range, summed, and in `parts` equal parts of it.
    pub(crate) fn sparked(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        parts: usize,
    ) -> Result<Vec<SparkedSeries>, WorkspaceError> {
        let (sums, sparks) = self.read(|r| Ok((r.series(since, until)?, r.sparks(since, until, parts)?)))?;
        Ok(joined(sums, sparks))
    }

    /// Bars over a range, at most `most` (and one more at the edge), as short as there are figures; `None` without a range.
    pub(crate) fn grid(
        &self,
        (since, until): (Option<Nanos>, Option<Nanos>),
        stats: &Stats,
        most: usize,
    ) -> Result<Option<Grid>, WorkspaceError> {
        let Some(from) = since.or(stats.oldest) else { return Ok(None) };
        let least = self.read(|r| r.finest_step(from))?;
        Ok(Grid::new(since, until, stats.oldest.zip(stats.newest), most, least))
    }

    /// Every series of a range, summed, and over the parts of a grid; without one no parts.
    pub(crate) fn sparked_on(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        grid: Option<Grid>,
    ) -> Result<Vec<SparkedSeries>, WorkspaceError> {
        let (sums, sparks) = self.read(|r| {
            let sparks = grid.map(|g| r.sparks(Some(g.since), Some(g.until), g.parts)).transpose()?;
            Ok((r.series(since, until)?, sparks.unwrap_or_default()))
        })?;
        Ok(joined(sums, sparks))
    }

    /// Counters of the workspace.
    pub fn stats(&self) -> Result<Stats, WorkspaceError> {
        self.read(|r| r.stats())
    }

    /// Writes a copy of all that was committed before into a new file, while others go on writing. `go_on` is told how many bytes
    /// of about how many are written, and answers whether to go on; `None` when it did not, and then there is no file.
    pub fn copy_to(&self, to: &Path, go_on: &mut GoOn<'_>) -> Result<Option<Copied>, WorkspaceError> {
        self.read(|r| r.copy_to(to, go_on))
    }

    /// Names and values of the newest journeys, events, spans and log records: what can be completed, and what is spelled nearly so.
    /// Looked at anew only when there is notably more or anything less: it is asked for with every letter that is typed.
    pub(crate) fn seen(&self) -> Result<Arc<Seen>, WorkspaceError> {
        let amounts = amounts(&self.stats()?);
        let known = self.seen.lock().unwrap_or_else(|e| e.into_inner()).clone();
        if let Some((_, seen)) = known.filter(|(of, _)| *of == amounts) {
            return Ok(seen);
        }
        let seen = Arc::new(self.read(|r| r.seen(SEEN))?);
        *self.seen.lock().unwrap_or_else(|e| e.into_inner()) = Some((amounts, seen.clone()));
        Ok(seen)
    }

    /// The map of a range. Buckets of 10 s that start in the range count.
    pub fn graph(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        environment: Option<&str>,
    ) -> Result<Graph, WorkspaceError> {
        let sums = self.read(|r| r.series(since, until))?;
        let settings = self.settings();
        Ok(graph(&sums, &settings.config, environment))
    }

    /// The map of a range as windows show it, laid out afresh, nothing folded.
    pub fn map(
        &self,
        since: Option<Nanos>,
        until: Option<Nanos>,
        environment: Option<&str>,
    ) -> Result<TopologyView, WorkspaceError> {
        let range = Range { since_at: since.map(to_ms), until_at: until.map(to_ms) };
        // At the end of time nothing is too young to be shown.
        let scene = scene(self, range, environment, Nanos::MAX)?;
        Ok(Views::default().once(&scene, &Wishes::open()))
    }

    /// Layers of all participants ever seen.
    pub fn layers(&self) -> Result<BTreeMap<NodeId, Layer>, WorkspaceError> {
        Ok(self.graph(None, None, None)?.nodes.into_iter().map(|n| (n.id, n.layer)).collect())
    }

    /// Where participants stand, as far as a filter asks for it.
    pub fn places(&self, filter: &Filter) -> Result<Places, WorkspaceError> {
        crate::handlers::places(self, filter)
    }

    /// What has this trace id, span id, message id or business key.
    pub fn find(&self, text: &str) -> Result<Vec<FindHit>, WorkspaceError> {
        self.read(|r| r.find(text))
    }

    /// The same, but looking ends once `most` were found in what was stored last.
    pub fn find_first(&self, text: &str, most: usize) -> Result<Vec<FindHit>, WorkspaceError> {
        self.read(|r| r.find_first(text, most))
    }

    /// The journey that a trace belongs to: the one of its name, else the oldest.
    pub fn journey_of(&self, trace: TraceId) -> Result<TraceId, WorkspaceError> {
        let all = self.read(|r| r.journeys_of_trace(trace))?;
        let named = all.iter().find(|id| **id == trace).or(all.first());
        named.copied().ok_or_else(|| WorkspaceError::NotFound(trace.to_string()))
    }

    /// Journeys that a message belongs to, oldest first: by its context, else by the spans that name its id.
    pub fn journeys_of_message(&self, message: &Message) -> Result<Vec<TraceId>, WorkspaceError> {
        self.read(|r| {
            let mut out = Vec::new();
            for context in [message.hop, message.origin].into_iter().flatten() {
                out.extend(r.journeys_of_trace(context.trace_id)?);
            }
            if let Some(id) = message.event_id.as_deref().filter(|_| out.is_empty()) {
                for trace in r.traces_with_message(message.topic().body(), id)? {
                    out.extend(r.journeys_of_trace(trace)?);
                }
            }
            let mut seen = BTreeSet::new();
            out.retain(|id| seen.insert(*id));
            Ok(out)
        })
    }

    /// A journey in full, with its events as stored, by the id of any of its traces.
    pub fn journey(
        &self,
        trace: TraceId,
        layers: &dyn Fn(&NodeId) -> Layer,
    ) -> Result<(Journey, Vec<EventRow>), WorkspaceError> {
        let root = self.journey_of(trace)?;
        let joining = self.joining();
        let (members, rows) = self.read(|r| {
            let mut web = Web::new(r, joining.clone());
            let members = web.members(root)?;
            let rows = web.events(&members)?;
            Ok((members, rows))
        })?;
        let mut journey = members.tell(root, &rows, layers, flowglass_journey::build);
        if let Some(first) = journey.items.first() {
            let mark = |words| Mark { id: first.id.clone(), kind: MarkKind::Hub, words };
            journey.marks.extend(members.limits().into_iter().map(mark));
        }
        self.explain(&mut journey)?;
        Ok((journey, rows))
    }
}

/// Amounts of spans, events and log records, as exactly as matters for what the newest of them carry: to one while there are few,
/// else to a tenth of those looked at.
fn amounts(stats: &Stats) -> Amounts {
    let step = |n: u64| if n <= SEEN as u64 { n } else { n - n % (SEEN as u64 / 10) };
    [stats.spans, stats.events, stats.logs].map(step)
}

fn joined(sums: Vec<SeriesSum>, mut sparks: BTreeMap<SeriesKey, Spark>) -> Vec<SparkedSeries> {
    let with_spark = |sum: SeriesSum| {
        let spark = sparks.remove(&sum.key).unwrap_or_default();
        (sum, spark)
    };
    sums.into_iter().map(with_spark).collect()
}

/// Settings for a workspace: the file named, else the one the workspace names, else the one beside it; when that cannot be read,
/// the last good version that the workspace kept.
fn load_settings(reader: &Reader, workspace: &Path, named: Option<&Path>) -> Result<Settings, WorkspaceError> {
    if let Some(path) = named {
        let Some((text, config)) = settings::read(path)? else {
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(SettingsError::Io { path: path.to_owned(), source }.into());
        };
        return Ok(Settings { path: path.to_owned(), text, config: Arc::new(config), problem: None });
    }
    let path = reader
        .meta(META_CONFIG_PATH)?
        .filter(|p| !p.is_empty())
        .map_or_else(|| settings::default_path(workspace), |p| workspace.parent().unwrap_or(Path::new("")).join(p));
    match settings::read(&path) {
        Ok(Some((text, config))) => Ok(Settings { path, text, config: Arc::new(config), problem: None }),
        other => {
            let copy = reader.meta(META_CONFIG_COPY)?.unwrap_or_default();
            let config = Arc::new(settings::parse(&copy).unwrap_or_default());
            Ok(Settings { path, text: copy, config, problem: other.err().map(|e| e.to_string()) })
        }
    }
}
