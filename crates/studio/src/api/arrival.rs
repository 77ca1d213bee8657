//! Is anything arriving? Self test, silent connections, ports, forwarding, set-ups to copy.

use super::dto;

dto! {
    /// A connection that brought nothing.
    pub struct SilentConnection {
        /// When the last of them failed or ended.
        pub at: f64,
        /// `otlp-grpc` or `otlp-http`.
        pub listener: String,
        /// Who connected: address and port, and the program where the system tells.
        pub peer: String,
        /// What was asked for, if anything: `POST /v1/trace`.
        pub what: Option<String>,
        /// Why nothing came of it, in words.
        pub reason: String,
        /// What to change at the sender.
        pub advice: String,
        /// How many connections of that machine were like it.
        pub times: u64,
    }

    /// One step of the self test.
    pub struct SelfTestStep {
        /// `OTLP gRPC`, `OTLP HTTP`, `CloudEvents`, `workspace`.
        pub title: String,
        /// Address asked.
        pub address: Option<String>,
        /// `ok`, `warning`, `failed`, `skipped`.
        pub outcome: String,
        /// What happened, in words, with what to do when it failed.
        pub words: String,
        /// How long it took.
        pub took_ms: Option<f64>,
    }

    /// Outcome of sending a span and an event of its own through each listener. Nothing of it is kept.
    pub struct SelfTest {
        /// In order.
        pub steps: Vec<SelfTestStep>,
        /// One sentence.
        pub verdict: String,
    }

    /// Rebinds a listener.
    pub struct SetListenerRequest {
        /// `otlp-grpc` or `otlp-http`.
        pub id: String,
        /// `127.0.0.1:14317`, a port, or null for off.
        pub address: Option<String>,
        /// Must be true for an address that other machines can reach: they then need the token.
        pub accept_remote: bool,
    }

    /// Where accepted OTLP requests are passed on to.
    pub struct ForwardView {
        /// Address.
        pub url: String,
        /// `grpc` or `http`.
        pub protocol: String,
        /// `idle`, `sending`, `failing`.
        pub state: String,
        /// Requests passed on.
        pub sent: u64,
        /// Requests lost because the other side was slow or gone.
        pub lost: u64,
        /// Requests waiting.
        pub waiting: u64,
        /// Last failure, with what to do; null once something was passed on again.
        pub problem: Option<String>,
        /// What the other side does not take at all: it is not passed on and not counted as lost.
        pub note: Option<String>,
    }

    /// Sets or ends forwarding; kept for the next start.
    pub struct SetForwardRequest {
        /// `http://host:4318`, `grpc://host:4317`; null ends it.
        pub url: Option<String>,
    }

    /// Asks for set-ups to copy.
    pub struct SnippetsRequest {
        /// Where the sender runs: `local`, `docker-linux`, `docker-desktop`, `kind`, `remote`.
        pub place: String,
    }

    /// A place where a sender runs.
    pub struct SnippetPlace {
        /// `docker-desktop`.
        pub id: String,
        /// `Docker Desktop`.
        pub title: String,
        /// What is special there, and what must be done on this side first (null: nothing).
        pub note: Option<String>,
        /// Whether a listener must take connections from other machines for it.
        pub needs_remote: bool,
    }

    /// Set-ups to copy.
    pub struct Snippets {
        /// Places on offer.
        pub places: Vec<SnippetPlace>,
        /// One a language, in order.
        pub items: Vec<super::Snippet>,
    }

    /// A participant that used to send and stopped.
    pub struct QuietSource {
        /// Node id.
        pub participant: String,
        /// Its name.
        pub name: String,
        /// Last data.
        pub last_at: f64,
        /// Usual longest pause before that.
        pub usual_ms: f64,
    }
}
