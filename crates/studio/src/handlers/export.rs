use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::collections::BTreeSet;

use super::bad_request;
use super::scene::scene;
use crate::Studio;
use crate::api::{ApiError, FileContents, MapExportRequest, TopologyView};
use crate::render::{Caption, Theme, mermaid, svg};
use crate::studio::workspace_name;
use crate::views::Wishes;

/// See [`MapExportRequest`]: the map as it stands in the window, with heading, range and legend.
pub(crate) async fn map_export(studio: &Studio, request: MapExportRequest) -> Result<FileContents, ApiError> {
    let (ending, media_type) = match request.format.as_str() {
        "svg" => ("svg", "image/svg+xml"),
        "mermaid" => ("mmd", "text/vnd.mermaid"),
        other => return Err(bad_request(format!("`{other}` is no format of the map; it is svg or mermaid"))),
    };
    let Some(theme) = Theme::parse(&request.theme) else {
        return Err(bad_request(format!("`{}` is no theme; it is dark or light", request.theme)));
    };
    let inner = studio.0.clone();
    let now = studio.now();
    let file = studio.ask(move |workspace| {
        let scene = scene(workspace, request.range, request.environment.as_deref(), now)?;
        let wishes = Wishes { folded: request.folded, keep: request.keep, relayout: false };
        let view = only(inner.views.once(&scene, &wishes), &request.nodes);
        let name = workspace_name(workspace.path());
        let title = if request.title.is_empty() { name.clone() } else { request.title };
        let caption = Caption { title, range: request.range_words };
        let text = if ending == "svg" { svg(&view, &caption, theme) } else { mermaid(&view, &caption) };
        Ok(FileContents {
            name: format!("{name}-map.{ending}"),
            media_type: media_type.into(),
            base64: BASE64_STANDARD.encode(text),
        })
    });
    Ok(file.await?)
}

/// Only these participants and what passes between them; none named means all.
fn only(mut view: TopologyView, ids: &[String]) -> TopologyView {
    if ids.is_empty() {
        return view;
    }
    let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    view.nodes.retain(|n| wanted.contains(n.id.as_str()));
    view.edges.retain(|e| wanted.contains(e.source.as_str()) && wanted.contains(e.target.as_str()));
    for band in &mut view.bands {
        let members: Vec<_> = view.nodes.iter().filter(|n| n.layer == band.layer).collect();
        band.count = members.len() as u32;
        let left = members.iter().map(|n| n.x - n.width / 2.0).fold(f64::MAX, f64::min);
        let right = members.iter().map(|n| n.x + n.width / 2.0).fold(f64::MIN, f64::max);
        if band.count > 0 {
            (band.x, band.width) = (left, right - left);
        }
    }
    view
}
