//! Fields of JSON payloads that may be keys.

use flowglass_model::{payload_fields, scalar_text};

/// Tells every text and number of a JSON object with its path (see [`payload_fields`]); a truth value is nobody's key.
pub(crate) fn fields(payload: &[u8], tell: &mut dyn FnMut(&str, String)) {
    payload_fields(payload, &mut |path, value| {
        if !value.is_boolean() {
            tell(path, scalar_text(value));
        }
    });
}
