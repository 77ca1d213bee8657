//! Traces fetched from elsewhere.

use flowglass_ingest::pull::{PullAuth, PullConfig, Wanted};
use flowglass_ingest::secrets::Secret;

use super::{bad_request, bounds};
use crate::Studio;
use crate::api::{ApiError, ImportView, PullRequest};

/// See [`PullRequest`]. What the link asks for is worked out before anybody is asked.
pub(crate) async fn pull(studio: &Studio, request: PullRequest) -> Result<ImportView, ApiError> {
    let secret = request.secret.filter(|s| !s.is_empty()).map(Secret::new);
    let auth = match (request.auth.as_str(), secret) {
        ("" | "none", _) => PullAuth::None,
        ("token", Some(token)) => PullAuth::Bearer(token),
        ("token", None) => return Err(bad_request("give the token")),
        ("password", password) => {
            let user = request.user.filter(|u| !u.is_empty()).ok_or_else(|| bad_request("name the user"))?;
            PullAuth::Basic { user, password: password.unwrap_or_else(|| Secret::new("")) }
        }
        (other, _) => {
            return Err(bad_request(format!("`{other}` is no way to authenticate; it is none, token or password")));
        }
    };
    let (since, until) = bounds(request.range);
    let wanted = Wanted {
        url: request.url.trim().to_owned(),
        trace: request.trace,
        service: request.service,
        query: request.query,
        since,
        until,
        limit: request.limit as usize,
    };
    wanted.ask(studio.now()).map_err(|e| bad_request(e.to_string()))?;
    let host = wanted.url.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default();
    let title = format!("traces of {host}");
    Ok(studio.start_pull(PullConfig { wanted, auth, tenant: request.tenant }, title))
}
