//! How the system hands out memory, and what this program holds of it.

use flowglass_store::{Held, Writer};
use flowglass_topology::Resolver;

/// Lets the system give this process memory in its usual small pages only. Call it first of all.
///
/// Spans come and go by the thousand, and what is let go of is given back in pieces of some ten kilobytes. Where the system joins pages
/// to huge ones of 2 MiB, as it does by itself on most Linux systems, it fills these holes again: a program whose data stays the same
/// grows for as long as it runs (with questions beside 20,000 spans/s from 212 to 343 MB in two minutes; in small pages 230 MB, at rest).
pub fn keep_small() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_thp_disable(true) {
        // It works all the same, and takes more memory.
        tracing::debug!(%error, "huge pages stay");
    }
}

/// Says in the log what the writer and the resolver hold, for those who want to know where memory goes.
pub(crate) fn tell(resolver: &Resolver, writer: &Writer) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let (traces, spans) = resolver.held();
    tracing::debug!(traces, spans, "held by the resolver");
    for Held { what, entries, bytes } in writer.held() {
        tracing::debug!(what, entries, bytes, "held by the writer");
    }
}
