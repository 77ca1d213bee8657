//! The sample landscape, live into `flowglass serve` by OTLP/gRPC, OTLP/HTTP and NATS at once: the map is its own truth.

use std::time::Duration;

use anyhow::Result;
use flowglass_tests::demo::Demo;
use flowglass_tests::graph::Graph;
use flowglass_tests::names::truth_graph;
use flowglass_tests::process::{free_port, until};
use flowglass_tests::product::{Serve, topology};

use crate::ui::asked_for;

#[test]
fn the_map_is_what_was_done() -> Result<()> {
    if !asked_for("the sample landscape (it needs nats-server)") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let workspace = folder.path().join("demo.flowglass");
    let (grpc, http) = (free_port()?, free_port()?);
    let mut demo = Demo::start(folder.path(), grpc, http, &["--requests", "40", "--rate", "20", "--seed", "3"])?;
    let (at_grpc, at_http) = (format!("127.0.0.1:{grpc}"), format!("127.0.0.1:{http}"));
    let serve = Serve::start(&workspace, &["--otlp-grpc", &at_grpc, "--otlp-http", &at_http, "--nats", &demo.nats])?;
    demo.go()?;
    demo.done()?;
    let expected = truth_graph(&demo.truth()?)?;
    // What the spans say is on disk when the exporters were answered; messages follow a moment behind their broker.
    until("the map to be what was done", Duration::from_secs(20), || {
        Graph::read(&topology(&workspace)?)?.must_be(&expected)
    })?;
    serve.stop()?;
    Graph::read(&topology(&workspace)?)?.must_be(&expected)
}
