use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`Completion`].
pub(crate) async fn complete(_: &Studio, _: CompleteRequest) -> Result<Completion, ApiError> {
    Err(unavailable("complete"))
}

/// See [`MapMatches`].
pub(crate) async fn map_matches(_: &Studio, _: MapMatchesRequest) -> Result<MapMatches, ApiError> {
    Err(unavailable("map_matches"))
}

/// See [`SearchHits`].
pub(crate) async fn search(_: &Studio, _: SearchRequest) -> Result<SearchHits, ApiError> {
    Err(unavailable("search"))
}
