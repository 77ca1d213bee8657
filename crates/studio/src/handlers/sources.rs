use std::path::PathBuf;
use std::time::Duration;

use flowglass_ingest::PayloadPolicy;
use flowglass_ingest::nats::{Backfill, NatsAuth, NatsConfig, NatsTls};
use flowglass_ingest::secrets::{self, Secret, SecretRef};

use super::arrival::senders;
use super::{bad_request, not_found};
use crate::api::{
    ApiError, ById, ImportRequest, ImportTextRequest, ImportView, NatsConnectRequest, NatsView, Nothing, RefusalView,
    SilentConnection, SourcesView, StatsView, to_ms,
};
use crate::sources::{Place, is_remote, set_ups};
use crate::{Studio, nats_saved};

/// How long the question whether there is a keychain may take.
const KEYCHAIN_PATIENCE: Duration = Duration::from_secs(2);

/// See [`SourcesView`].
pub(crate) async fn sources(studio: &Studio, _: Nothing) -> Result<SourcesView, ApiError> {
    let (stats, rejected) = studio.ask(|w| w.read(|r| Ok((r.stats()?, r.rejected(100)?)))).await?;
    let rejected = rejected.into_iter().map(|(at, r)| RefusalView {
        at: at.map(to_ms),
        source: r.source,
        place: r.at,
        reason: r.reason,
        count: r.count,
    });
    let silent = studio.0.ingest_stats.silent.list().into_iter().map(|c| SilentConnection {
        at: to_ms(c.time),
        listener: studio.0.receivers.of(c.listener).id().into(),
        peer: c.program.map_or_else(|| c.peer.to_string(), |program| format!("{}, {program}", c.peer)),
        what: c.what,
        reason: c.reason,
        advice: c.advice,
        times: c.times,
    });
    let open = studio.0.receivers.addresses().into_iter().any(is_remote);
    let last = studio.0.activity.last_requests();
    Ok(SourcesView {
        receivers: studio
            .0
            .receivers
            .iter()
            .enumerate()
            .map(|(i, r)| r.view(&studio.0.ingest_stats, last.get(i).copied().flatten()))
            .collect(),
        nats: studio.0.nats.views(),
        imports: studio.0.imports.views(),
        refusals: rejected.collect(),
        stats: StatsView {
            spans: stats.spans,
            traces: stats.traces,
            events: stats.events,
            logs: stats.logs,
            rejected: stats.rejected,
            dropped: stats.dropped,
            redacted: studio.0.activity.redacted(),
            bytes: stats.bytes,
        },
        snippets: set_ups(Place::Local, &senders(studio)),
        silent: silent.collect(),
        forward: studio.0.forwarding.view(),
        token: studio.0.receivers.access.known().filter(|_| open).map(|t| t.reveal().to_owned()),
        token_problem: studio.0.receivers.access.problem().filter(|_| open),
        keychain_problem: studio.0.keychain.get_or_init(keychain_problem).await.clone(),
    })
}

/// Why secrets cannot be kept on this machine, if so. Asked once: a keychain does not come and go.
async fn keychain_problem() -> Option<String> {
    let asked = tokio::task::spawn_blocking(|| match secrets::get("probe") {
        Err(problem @ secrets::KeychainError::Unavailable { .. }) => Some(problem.to_string()),
        _ => None,
    });
    // A keychain that asks people to unlock it keeps us waiting: that is no problem yet.
    tokio::time::timeout(KEYCHAIN_PATIENCE, asked).await.ok()?.ok()?
}

/// Starts a NATS connection, kept for the next start.
pub(crate) async fn nats_connect(studio: &Studio, request: NatsConnectRequest) -> Result<NatsView, ApiError> {
    let mut config = NatsConfig::new(request.url.trim());
    if !request.subjects.is_empty() {
        config.subjects = request.subjects.clone();
    }
    config.streams = request.streams.clone();
    let ca_file = request.ca_file.as_deref().map(str::trim).filter(|f| !f.is_empty()).map(PathBuf::from);
    config.tls = NatsTls { required: request.tls, ca_file };
    config.backfill = backfill(&request.history, studio)?;
    if request.headers_only {
        config.payloads = PayloadPolicy::HeadersAndKeys;
    }
    config.check().map_err(|e| bad_request(e.to_string()))?;
    config.auth = auth(&request).await?;
    let id = studio.0.nats.start(studio, config, true).ok_or_else(|| bad_request("the workspace is being closed"))?;
    nats_saved::save(studio).await;
    let views = studio.0.nats.views();
    views.into_iter().find(|v| v.id == id).ok_or_else(|| not_found(&id))
}

fn backfill(history: &str, studio: &Studio) -> Result<Backfill, ApiError> {
    match history.trim() {
        "" | "all" => Ok(Backfill::All),
        "none" => Ok(Backfill::None),
        minutes => {
            let minutes: i64 = minutes
                .parse()
                .map_err(|_| bad_request(format!("`{minutes}` is no history: write all, none or minutes")))?;
            Ok(Backfill::Since(studio.now() - minutes.saturating_mul(60_000_000_000)))
        }
    }
}

/// How to authenticate; a secret that was typed in goes to the OS keychain, and only there.
async fn auth(request: &NatsConnectRequest) -> Result<NatsAuth, ApiError> {
    if request.auth == "creds" {
        let path = request.creds_file.as_deref().filter(|p| !p.is_empty());
        let path = path.ok_or_else(|| bad_request("name the credentials file"))?;
        return Ok(NatsAuth::CredsFile { path: PathBuf::from(path) });
    }
    if request.auth.is_empty() || request.auth == "none" {
        return Ok(NatsAuth::None);
    }
    let name = format!("nats:{}", request.url.trim());
    if let Some(secret) = request.secret.clone().filter(|s| !s.is_empty()) {
        let entry = name.clone();
        let kept = tokio::task::spawn_blocking(move || secrets::set(&entry, &Secret::new(secret)));
        match kept.await {
            Ok(kept) => kept.map_err(|e| ApiError { code: "unavailable".into(), message: e.to_string() })?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    let secret = SecretRef::Keychain(name);
    match request.auth.as_str() {
        "password" => {
            let user = request.user.clone().filter(|u| !u.is_empty());
            let user = user.ok_or_else(|| bad_request("name the user"))?;
            Ok(NatsAuth::UserPassword { user, password: secret })
        }
        "token" => Ok(NatsAuth::Token { token: secret }),
        "nkey" => Ok(NatsAuth::Nkey { seed: secret }),
        other => Err(bad_request(format!("`{other}` is no way to authenticate"))),
    }
}

/// Ends and forgets a NATS connection.
pub(crate) async fn nats_disconnect(studio: &Studio, request: ById) -> Result<Nothing, ApiError> {
    if !studio.0.nats.end(&request.id) {
        return Err(not_found(&format!("the connection `{}`", request.id)));
    }
    nats_saved::save(studio).await;
    Ok(Nothing {})
}

/// Imports files or folders; progress comes as updates.
pub(crate) async fn import_paths(studio: &Studio, request: ImportRequest) -> Result<ImportView, ApiError> {
    if request.paths.is_empty() {
        return Err(bad_request("name at least one file or folder"));
    }
    Ok(studio.start_import(request.paths.into_iter().map(PathBuf::from).collect()))
}

/// Imports pasted text.
pub(crate) async fn import_text(studio: &Studio, request: ImportTextRequest) -> Result<ImportView, ApiError> {
    Ok(studio.import_stream("pasted text", std::io::Cursor::new(request.text.into_bytes())).await)
}

/// Stops a running import.
pub(crate) async fn import_cancel(studio: &Studio, request: ById) -> Result<Nothing, ApiError> {
    let id = request.id.parse().ok().filter(|id| studio.0.imports.cancel(*id));
    id.map(|_| Nothing {}).ok_or_else(|| not_found(&format!("a running import {}", request.id)))
}
