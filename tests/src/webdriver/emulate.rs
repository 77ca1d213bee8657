//! What only a Chromium can be told to pretend: media features, a zone, a text size.

use anyhow::Result;
use serde_json::{Value, json};

use super::Driver;

impl Driver {
    /// A command of the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>).
    ///
    /// # Errors
    /// If it is no Chromium, or the command fails.
    pub fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// Pretends media features such as `prefers-reduced-motion`; those not named are as usual again.
    ///
    /// # Errors
    /// As [`Driver::devtools`].
    pub fn media(&self, features: &[(&str, &str)]) -> Result<()> {
        let features: Vec<Value> = features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).map(drop)
    }

    /// Makes the page's local time that of a zone: `UTC`, `Europe/Zurich`.
    ///
    /// # Errors
    /// As [`Driver::devtools`].
    pub fn zone(&self, zone: &str) -> Result<()> {
        self.devtools("Emulation.setTimezoneOverride", json!({"timezoneId": zone})).map(drop)
    }

    /// Zooms as the browser's own zoom does: everything is `factor` times as large, and the page has that much less room.
    ///
    /// # Errors
    /// As [`Driver::devtools`].
    pub fn zoom(&self, width: u32, height: u32, factor: u32) -> Result<()> {
        let size =
            json!({"width": width / factor, "height": height / factor, "deviceScaleFactor": factor, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).map(drop)
    }
}
