use super::unavailable;
use crate::Studio;
use crate::api::*;

/// See [`SettingsView`].
pub(crate) async fn set_participants(_: &Studio, _: SetParticipantsRequest) -> Result<SettingsView, ApiError> {
    Err(unavailable("set_participants"))
}

/// See [`SettingsView`].
pub(crate) async fn edit_settings(_: &Studio, _: EditSettingsRequest) -> Result<SettingsView, ApiError> {
    Err(unavailable("edit_settings"))
}
