//! Room on the disk.

use std::path::Path;

use crate::{Result, StoreError};

/// Bytes that may still be written to the disk that holds a workspace. Errors when the system does not say.
pub fn free_bytes(workspace: &Path) -> Result<u64> {
    fs4::available_space(workspace).map_err(|e| StoreError::io(workspace, e))
}
