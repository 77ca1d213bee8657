//! What the program is made of: every Rust and JavaScript package that ships, with its licence.

use std::sync::OnceLock;

use crate::api::Component;

/// Written by `cargo xtask codegen` from `cargo metadata` and `ui/package-lock.json`.
const LIST: &str = include_str!("components.json");

/// All packages, by name.
pub fn components() -> &'static [Component] {
    static COMPONENTS: OnceLock<Vec<Component>> = OnceLock::new();
    // The file is part of the build and a test reads it: it cannot be wrong here.
    COMPONENTS.get_or_init(|| serde_json::from_str(LIST).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_what_ships_with_its_licence() {
        let list: Vec<Component> = serde_json::from_str(LIST).unwrap();
        for (name, kind) in [("rusqlite", "rust"), ("tauri", "rust"), ("tonic", "rust"), ("svelte", "javascript")] {
            assert!(list.iter().any(|c| c.name == name && c.kind == kind && !c.licence.is_empty()), "{name}");
        }
        // Needed to test and to build, and not part of what people run.
        for name in ["proptest", "criterion", "vite", "eslint", "flowglass-studio"] {
            assert!(list.iter().all(|c| c.name != name), "{name}");
        }
    }
}
