//! HTTP requests to a query API.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Client, StatusCode, redirect};
use url::Url;

use crate::secrets::Secret;

/// Bytes of one answer at most.
const ANSWER: usize = 128 << 20;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Characters of an error's text that are shown.
const SAID: usize = 200;

/// How to authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PullAuth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// User and password.
    Basic {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
}

/// A client with credentials.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    client: Client,
    auth: PullAuth,
    tenant: Option<String>,
    wanted: Wanted,
}

/// What is asked for, for limits and words.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    most: usize,
    missing: &'static str,
    too_much: &'static str,
}

const TRACES: Wanted = Wanted {
    most: ANSWER,
    missing: "has no such trace (404); it may have been dropped there, or the address is another one",
    too_much: "ask for fewer traces",
};

/// An answer.
pub(super) struct Answer {
    pub(super) json: bool,
    pub(super) body: Vec<u8>,
}

impl Asker {
    /// Straight to the address: no proxy of the environment, no redirects (they would carry the question elsewhere).
    pub(super) fn new(auth: PullAuth, tenant: Option<String>) -> Result<Asker, String> {
        use hyper_rustls::ConfigBuilderExt as _;
        let provider = rustls::crypto::ring::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_native_roots()
            .map_err(|e| format!("this system's certificates cannot be read: {e}"))?
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .user_agent(concat!("flowglass/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Asker { client, auth, tenant: tenant.filter(|t| !t.is_empty()), wanted: TRACES })
    }

    /// Asks; an error in words. `accept` is what the answer should be.
    pub(super) async fn get(&self, url: &Url, accept: &str) -> Result<Answer, String> {
        let mut request = self.client.get(url.clone()).header("accept", accept);
        request = match &self.auth {
            PullAuth::None => request,
            PullAuth::Bearer(token) => request.bearer_auth(token.reveal()),
            PullAuth::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
        };
        if let Some(tenant) = &self.tenant {
            request = request.header("x-scope-orgid", tenant);
        }
        let answer = request.send().await.map_err(|e| in_words(url, &e))?;
        let status = answer.status();
        let json = answer
            .headers()
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .is_some_and(|t| t.to_ascii_lowercase().contains("json"));
        let (mut body, mut pieces) = (Vec::new(), answer.bytes_stream());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|e| in_words(url, &e))?;
            if body.len() + piece.len() > self.wanted.most {
                let Wanted { most, too_much, .. } = self.wanted;
                return Err(format!("{} answers more than {} MiB; {too_much}", host(url), most >> 20));
            }
            body.extend_from_slice(&piece);
        }
        match status.is_success() {
            true => Ok(Answer { json, body }),
            false => Err(refusal(url, status, &body, self.wanted.missing)),
        }
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

fn refusal(url: &Url, status: StatusCode, body: &[u8], missing: &str) -> String {
    let host = host(url);
    match status {
        StatusCode::NOT_FOUND => {
            format!("{host} {missing}")
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            format!(
                "{host} refuses the credentials ({}); give a token, or user and password, and the tenant where there are several",
                status.as_u16()
            )
        }
        s if s.is_redirection() => {
            format!(
                "{host} sends elsewhere ({}); give the address it leads to, often a login page is in between",
                s.as_u16()
            )
        }
        s => {
            let said: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(SAID).collect();
            format!("{host} answers {}: {said}", s.as_u16())
        }
    }
}

fn in_words(url: &Url, error: &reqwest::Error) -> String {
    let to = url.authority();
    if error.is_timeout() {
        return format!("{to} did not answer in time");
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match error.is_connect() {
        true => format!("{to} cannot be reached: {deepest}"),
        false => format!("the connection to {to} broke: {deepest}"),
    }
}

/// Fetches a text of `most` bytes at most from an address; an error in words.
pub async fn fetch(url: &str, most: usize) -> Result<String, String> {
    let url = Url::parse(url).map_err(|e| format!("this is no address: {e}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("only http and https are fetched, not {}", url.scheme()));
    }
    let mut asker = Asker::new(PullAuth::None, None)?;
    asker.wanted =
        Wanted { most, missing: "has no such file (404); look at the address", too_much: "name a smaller file" };
    let answer = asker.get(&url, "application/yaml, application/json, text/plain, */*").await?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}
