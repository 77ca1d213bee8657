//! Requests, updates and uploads over HTTP.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use flowglass_studio::api::{ApiError, ImportView, Update, answer};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::io::StreamReader;
use tracing::Instrument as _;

use super::Ui;

/// Largest argument of a request, bytes.
const LARGEST_ARGUMENT: usize = 64 << 20;

/// An error with the status that goes with its code.
pub(super) struct Refused(ApiError, StatusCode);

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        let status = match error.code.as_str() {
            "bad-request" => StatusCode::BAD_REQUEST,
            "not-found" => StatusCode::NOT_FOUND,
            // Nobody failed: something else came first, or somebody stopped it.
            "held" | "workspace-held" | "read-only" | "conflict" | "cancelled" => StatusCode::CONFLICT,
            "workspace-missing" => StatusCode::NOT_FOUND,
            // A file that people chose and that is none of ours: nothing is wrong with the server.
            "workspace-newer" | "workspace-foreign" | "workspace-corrupt" | "workspace-read-only" => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            "unavailable" | "workspace-busy" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refused(error, status)
    }
}

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.1, Json(self.0)).into_response()
    }
}

fn refused(status: StatusCode, message: String) -> Refused {
    Refused(ApiError { code: "bad-request".into(), message }, status)
}

/// `POST /api/request/{name}` with the argument as JSON.
pub(super) async fn request(
    State(ui): State<Ui>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<serde_json::Value>, Refused> {
    let body = to_bytes(body, LARGEST_ARGUMENT).await.map_err(|_| {
        let message = format!("the argument is larger than {} MiB, or was cut off", LARGEST_ARGUMENT >> 20);
        refused(StatusCode::PAYLOAD_TOO_LARGE, message)
    })?;
    let argument = match body.is_empty() {
        true => serde_json::Value::Object(serde_json::Map::new()),
        false => serde_json::from_slice(&body)
            .map_err(|e| refused(StatusCode::BAD_REQUEST, format!("the argument is no JSON: {e}")))?,
    };
    let span = tracing::info_span!("request", otel.name = %name, otel.kind = "server");
    Ok(Json(answer(&ui.host, &name, argument).instrument(span).await?))
}

/// `GET /api/updates`: server-sent events, each an update as JSON.
pub(super) async fn updates(State(ui): State<Ui>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let updates = BroadcastStream::new(ui.host.updates())
        .flat_map(|update| {
            stream::iter(match update {
                Ok(update) => vec![update],
                Err(_) => Update::everything().to_vec(),
            })
        })
        .filter_map(|update| async move { serde_json::to_string(&update).ok() })
        .map(|text| Ok(Event::default().data(text)))
        .take_until(ui.stop.cancelled_owned());
    Sse::new(updates).keep_alive(KeepAlive::default())
}

/// What an upload is called.
#[derive(Deserialize)]
pub(super) struct Upload {
    name: Option<String>,
}

/// `POST /api/import?name=…` with a file as the body, of any size: it is read as it is stored.
pub(super) async fn import(
    State(ui): State<Ui>,
    Query(upload): Query<Upload>,
    body: Body,
) -> Result<Json<ImportView>, Refused> {
    let name = upload.name.filter(|n| !n.trim().is_empty()).unwrap_or_else(|| "upload".to_owned());
    // An upload that stalls must not keep the server from ending.
    let bytes = body.into_data_stream().map_err(std::io::Error::other).take_until(ui.stop.clone().cancelled_owned());
    let reader = StreamReader::new(Box::pin(bytes));
    let studio = ui.host.studio();
    // On a task of its own: a browser that goes away ends its upload, not the bookkeeping of the import.
    let import = tokio::spawn(async move { studio.import_stream(&name, reader).await });
    match import.await {
        Ok(view) => Ok(Json(view)),
        Err(_) => Err(ApiError { code: "internal".into(), message: "the import failed unexpectedly".into() }.into()),
    }
}
