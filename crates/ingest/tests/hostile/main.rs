//! Whoever can reach a port, and whatever comes in a file: it is survived, and what is refused is said.

mod connections;
mod content;
mod http2;
mod support;
