use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowglass_store::sqlite_version;

use super::sources;
use crate::api::*;
use crate::time::file_stamp;
use crate::{Studio, components, diagnostics};

/// See [`About`].
pub(crate) async fn about(_: &Studio, _: Nothing) -> Result<About, ApiError> {
    Ok(About {
        version: env!("CARGO_PKG_VERSION").into(),
        sqlite: sqlite_version().into(),
        licence: env!("CARGO_PKG_LICENSE").into(),
        components: components::components().to_vec(),
    })
}

/// The file for bug reports.
pub(crate) async fn diagnostics(studio: &Studio, request: DiagnosticsRequest) -> Result<FileContents, ApiError> {
    let sources = serde_json::to_value(sources(studio, Nothing {}).await?).ok();
    let zip = studio.ask(move |w| diagnostics::bundle(Some(w), sources, request.screen)).await?;
    Ok(FileContents {
        name: format!("flowglass-diagnostics-{}.zip", file_stamp(studio.now())),
        media_type: "application/zip".into(),
        base64: STANDARD.encode(zip),
    })
}
