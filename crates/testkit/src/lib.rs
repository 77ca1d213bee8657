//! Test-only: a small text language for spans and events, and renderers of model types to text.
//!
//! One line is one item; items are named, so that parents, links and hops read well:
//!
//! ```text
//! a client  web  peer=api:80 @0..20
//! b server  api  <a op=POST_/orders @5..15 err
//! c send    api  <b topic=nats/orders id=m1 @10..11
//! d process mail ~c trace=u topic=nats/orders id=m1 group=mailer @14..20
//! message  nats/orders id=m1 hop=c source=/api @11
//! delivery nats/orders mailer @12
//! ```
//!
//! `<x` is the parent (a name that no line defines is a span that never arrives), `~x` a link, `@start..end` milliseconds.

mod render;
mod story;

pub use render::{render_deltas, render_graph, render_joins};
pub use story::{Story, span_id, story, trace_id};
