//! Workspace, sources, imports.

use super::dto;

dto! {
    /// What the window needs to know first.
    pub struct AppInfo {
        /// Product version.
        pub version: String,
        /// Workspace file.
        pub workspace: String,
        /// Its short name.
        pub workspace_name: String,
        /// Environments seen.
        pub environments: Vec<String>,
        /// Configuration file.
        pub config_path: String,
        /// Whether anything was ever stored.
        pub empty: bool,
        /// First data.
        pub oldest_at: Option<f64>,
        /// Last data.
        pub newest_at: Option<f64>,
        /// Sample landscape running in this workspace.
        pub demo: bool,
        /// Problems to show (file above 20 GB, configuration with errors, …).
        pub warnings: Vec<String>,
        /// The studio's clock, to correct a browser's.
        pub now_at: f64,
    }

    /// A listener.
    pub struct ReceiverView {
        /// `otlp-grpc`, `otlp-http`, `ui`.
        pub id: String,
        /// `OTLP gRPC`.
        pub title: String,
        /// `127.0.0.1:4317`, or null when it is off.
        pub address: Option<String>,
        /// `listening`, `off`, `failed`.
        pub state: String,
        /// Why it failed, with what to do.
        pub problem: Option<String>,
        /// Program that holds the port, where the system tells: `jaeger (process 4711)`.
        pub holder: Option<String>,
        /// A free address to use instead.
        pub offer: Option<String>,
        /// Whether other machines can reach it.
        pub remote: bool,
        /// Requests taken.
        pub requests: u64,
        /// Spans taken.
        pub spans: u64,
        /// Events taken.
        pub events: u64,
        /// Log records taken.
        pub logs: u64,
        /// Requests refused.
        pub refused: u64,
        /// Bytes taken.
        pub bytes: u64,
        /// Last request.
        pub last_at: Option<f64>,
    }

    /// A NATS connection.
    pub struct NatsView {
        /// Identity.
        pub id: String,
        /// Server.
        pub url: String,
        /// `connecting`, `connected`, `lost`, `failed`.
        pub state: String,
        /// Why, with what to do.
        pub problem: Option<String>,
        /// Server name and version.
        pub server: Option<String>,
        /// Nothing may be published over it.
        pub read_only: bool,
        /// Subjects watched.
        pub subjects: Vec<String>,
        /// Streams read.
        pub streams: Vec<NatsStreamView>,
        /// Publications seen.
        pub messages: u64,
        /// Deliveries seen.
        pub deliveries: u64,
        /// Dropped by this machine being too slow.
        pub dropped: u64,
        /// Gaps in words: `14:02:11 to 14:02:19 nothing was received`.
        pub gaps: Vec<String>,
        /// Permissions that were refused, in words.
        pub refused: Vec<String>,
    }

    /// A stream of a NATS connection.
    pub struct NatsStreamView {
        /// Name.
        pub name: String,
        /// Messages in it.
        pub messages: u64,
        /// `limits`, `interest`, `workqueue`.
        pub retention: String,
        /// Messages read so far.
        pub read: u64,
        /// What history can be read, in words.
        pub note: Option<String>,
    }

    /// Something refused.
    pub struct RefusalView {
        /// When.
        pub at: Option<f64>,
        /// Listener, connection or file.
        pub source: String,
        /// Where in it.
        pub place: String,
        /// Why and what to do.
        pub reason: String,
        /// Items lost.
        pub count: u64,
    }

    /// An import, running or done.
    pub struct ImportView {
        /// Identity.
        pub id: u32,
        /// What is imported.
        pub title: String,
        /// `running`, `done`, `cancelled`, `failed`.
        pub state: String,
        /// Bytes read.
        pub bytes_read: u64,
        /// Bytes in all, where known.
        pub bytes_total: Option<u64>,
        /// File being read.
        pub file: Option<String>,
        /// Files read.
        pub files: u32,
        /// New spans.
        pub spans: u64,
        /// New events.
        pub events: u64,
        /// New log records.
        pub logs: u64,
        /// Stored before.
        pub known: u64,
        /// Rejected.
        pub rejected_total: u64,
        /// The first rejections.
        pub rejected: Vec<RefusalView>,
        /// First instant imported.
        pub first_at: Option<f64>,
        /// Last instant imported.
        pub last_at: Option<f64>,
        /// Why nothing more of it is stored now, and what to do; it goes on by itself once it can.
        pub waiting: Option<String>,
        /// Why it failed.
        pub problem: Option<String>,
    }

    /// All sources.
    pub struct SourcesView {
        /// Listeners.
        pub receivers: Vec<ReceiverView>,
        /// NATS connections.
        pub nats: Vec<NatsView>,
        /// Imports, newest first.
        pub imports: Vec<ImportView>,
        /// What was refused lately, newest first.
        pub refusals: Vec<RefusalView>,
        /// Counters of the workspace.
        pub stats: StatsView,
        /// Set-ups to copy.
        pub snippets: Vec<Snippet>,
        /// The last connections that brought nothing, newest first.
        pub silent: Vec<super::SilentConnection>,
        /// Where accepted requests are passed on to.
        pub forward: Option<super::ForwardView>,
        /// What senders on other machines must pass as `Authorization: Bearer …`; null while only this machine can send.
        pub token: Option<String>,
        /// Why the token is kept for this run only, if so.
        pub token_problem: Option<String>,
        /// Whether secrets can be kept: null, or why not.
        pub keychain_problem: Option<String>,
    }

    /// Counters of the workspace.
    pub struct StatsView {
        /// Spans.
        pub spans: u64,
        /// Traces.
        pub traces: u64,
        /// Events.
        pub events: u64,
        /// Log records.
        pub logs: u64,
        /// Rejected items.
        pub rejected: u64,
        /// Dropped items.
        pub dropped: u64,
        /// Credentials replaced at the door since start.
        pub redacted: u64,
        /// File size.
        pub bytes: u64,
    }

    /// A set-up to copy.
    pub struct Snippet {
        /// `shell`, `docker-compose`, …
        pub id: String,
        /// Tab title.
        pub title: String,
        /// Text.
        pub text: String,
    }

    /// Starts a NATS connection.
    pub struct NatsConnectRequest {
        /// `nats://host:4222` without credentials.
        pub url: String,
        /// Subjects; empty is `>`.
        pub subjects: Vec<String>,
        /// Streams; empty is all.
        pub streams: Vec<String>,
        /// `none`, `password`, `token`, `creds`, `nkey`.
        pub auth: String,
        /// User for `password`.
        pub user: Option<String>,
        /// Password, token or nkey seed: goes to the OS keychain, never to the workspace.
        pub secret: Option<String>,
        /// File for `creds`.
        pub creds_file: Option<String>,
        /// Require TLS.
        pub tls: bool,
        /// PEM file of the authority that signed the server's certificate, if it is not a public one.
        #[serde(default)]
        pub ca_file: Option<String>,
        /// `all`, `none`, or minutes back as text.
        pub history: String,
        /// Keep headers and keys only, no payloads.
        pub headers_only: bool,
    }

    /// Names a connection or import.
    pub struct ById {
        /// Identity.
        pub id: String,
    }

    /// Imports files or folders of this machine.
    pub struct ImportRequest {
        /// Paths.
        pub paths: Vec<String>,
    }

    /// Imports text (pasted OTLP, Jaeger or Zipkin JSON, …).
    pub struct ImportTextRequest {
        /// The text.
        pub text: String,
    }
}
