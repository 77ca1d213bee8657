//! Journeys as files for others.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{bad_request, trace_id};
use crate::Studio;
use crate::api::{ApiError, FileContents, JourneyExportRequest};
use crate::share::{ExportError, Format, Wish, export};

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Workspace(e) => e.into(),
            ExportError::TooMuch(e) => bad_request(e),
            ExportError::File(_) => ApiError { code: "internal".into(), message: error.to_string() },
        }
    }
}

/// See [`JourneyExportRequest`].
pub(crate) async fn journey_export(studio: &Studio, request: JourneyExportRequest) -> Result<FileContents, ApiError> {
    let format: Format = request.format.parse().map_err(|e: String| bad_request(e))?;
    let journeys = request.ids.iter().map(|id| trace_id(id)).collect::<Result<Vec<_>, _>>()?;
    let stem = match request.ids.as_slice() {
        [one] => format!("journey-{}", one.get(..8).unwrap_or(one)),
        many => format!("{}-journeys", many.len()),
    };
    let wish = Wish { journeys, format, unredacted: request.unredacted, now: studio.now() };
    let exported = studio.ask(move |workspace| Ok(export(workspace, &wish))).await??;
    Ok(FileContents {
        name: format!("{stem}.{}", format.ending()),
        media_type: format.media_type().into(),
        base64: BASE64_STANDARD.encode(exported.bytes),
    })
}
