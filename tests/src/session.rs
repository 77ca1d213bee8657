//! The requests that the UI makes, without the UI: signed in to `flowglass serve --ui` as a browser is.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::product::Serve;

/// A session of the UI. It uses the one-time link up.
pub struct Session {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    cookie: String,
}

impl Session {
    /// Signs in.
    ///
    /// # Errors
    /// If there is no UI, or its link was used before.
    pub fn open(serve: &Serve) -> Result<Session> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        // No client can be built before somebody says what does the cryptography; that it was said before is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(120))
            .build()?;
        let answer = runtime.block_on(async { client.get(serve.ui()).send().await })?;
        let cookie = answer.headers().get(SET_COOKIE).with_context(|| format!("no session: {}", answer.status()))?;
        let cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        let base = serve.ui().split("/?").next().unwrap_or_default().to_owned();
        Ok(Session { runtime, client, base, cookie })
    }

    /// The session's cookie, `name=value`, for a browser that is to be signed in too.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// The UI's address, without a token.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks, and says how long the answer took to be there completely.
    ///
    /// # Errors
    /// If the answer is an error.
    pub fn ask(&self, name: &str, argument: &Value) -> Result<(Value, Duration)> {
        let request = self
            .client
            .post(format!("{}/api/request/{name}", self.base))
            .header(COOKIE, &self.cookie)
            .header(CONTENT_TYPE, "application/json")
            .body(argument.to_string());
        let started = Instant::now();
        let (status, body) = self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status();
            anyhow::Ok((status, answer.bytes().await?))
        })?;
        let took = started.elapsed();
        if !status.is_success() {
            bail!("{name} {argument}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok((serde_json::from_slice(&body)?, took))
    }
}
