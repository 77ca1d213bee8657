//! The whole product, from outside: real clients, a real NATS server, a real window, a real browser.

mod architecture;
mod browser;
mod demo;
mod designs;
mod drift;
mod exports;
mod findings;
mod first_hour;
mod host;
mod recordings;
mod scenarios;
mod sdks;
mod steps;
mod support_path;
mod ui;
mod window;
