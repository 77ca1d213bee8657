//! Traces fetched from elsewhere.

use super::dto;

dto! {
    /// Fetches traces from Jaeger's or Tempo's HTTP query API; progress and cancelling as with imports.
    pub struct PullRequest {
        /// Link of a trace or search (Jaeger, Tempo, Grafana Explore), or the address of a server.
        pub url: String,
        /// Trace id, when the link names none.
        #[serde(default)]
        pub trace: Option<String>,
        /// Service to search for (Jaeger).
        #[serde(default)]
        pub service: Option<String>,
        /// TraceQL to search with (Tempo).
        #[serde(default)]
        pub query: Option<String>,
        /// Range of a search.
        #[serde(default)]
        pub range: super::Range,
        /// Traces at most; 0 means 100.
        #[serde(default)]
        pub limit: u32,
        /// `none`, `token`, `password`.
        #[serde(default)]
        pub auth: String,
        /// User for `password`.
        #[serde(default)]
        pub user: Option<String>,
        /// Token or password: used for this question and forgotten.
        #[serde(default)]
        pub secret: Option<String>,
        /// Tenant (`X-Scope-OrgID`), for a Tempo of several.
        #[serde(default)]
        pub tenant: Option<String>,
    }
}
