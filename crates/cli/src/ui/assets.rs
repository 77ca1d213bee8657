//! The files of the UI: those of this binary, or of the folder that `FLOWGLASS_UI_DIST` names.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use super::guard::page;

/// Path and content of every file of `ui/dist` at build time; none if the UI was not built then.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/ui_files.rs"));

/// Names a folder to serve instead.
const FOLDER: &str = "FLOWGLASS_UI_DIST";

/// Answers with a file.
pub(super) async fn asset(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let file = match std::env::var_os(FOLDER).filter(|f| !f.is_empty()) {
        Some(folder) => from_folder(PathBuf::from(folder), path).await,
        None => FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| Cow::Borrowed(*bytes)),
    };
    match file {
        Some(bytes) => {
            // File names under assets/ carry a hash of their content.
            let keep = if path.starts_with("assets/") { "private, max-age=31536000, immutable" } else { "no-cache" };
            ([(CONTENT_TYPE, media_type(path)), (CACHE_CONTROL, keep)], bytes.into_owned()).into_response()
        }
        None if path == "index.html" => page(
            StatusCode::SERVICE_UNAVAILABLE,
            "The UI is not in this build. Build it (npm ci and npm run build in the folder ui, or cargo xtask demo), then \
             build flowglass again, or set FLOWGLASS_UI_DIST to the folder ui/dist.",
        ),
        None => page(StatusCode::NOT_FOUND, "There is nothing here."),
    }
}

async fn from_folder(folder: PathBuf, path: &str) -> Option<Cow<'static, [u8]>> {
    let plain = Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    if !plain {
        return None;
    }
    tokio::fs::read(folder.join(path)).await.ok().map(Cow::Owned)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
