//! A screen that nobody looks at.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::Process;
use crate::product::READY_WITHIN;
use crate::webdriver::tool;

/// A running Xvfb on a free display.
pub struct Screen {
    display: String,
    // Held for its Drop.
    _server: Process,
}

impl Screen {
    /// Starts one of this size in pixels.
    ///
    /// # Errors
    /// If Xvfb is missing or does not start.
    pub fn start(width: u32, height: u32) -> Result<Screen> {
        let mut command = Command::new(tool("Xvfb", "xvfb")?);
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"]).arg(format!("{width}x{height}x24"));
        let mut server = Process::start("Xvfb", &mut command)?;
        // It writes the number of the display it took: a line of JSON, as it happens.
        let number = server.json_line(READY_WITHIN)?.as_u64().context("Xvfb names its display")?;
        Ok(Screen { display: format!(":{number}"), _server: server })
    }

    /// Its name for `DISPLAY`.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }
}
