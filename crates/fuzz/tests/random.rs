//! Every target survives its corpus and a fixed number of random inputs, the same in each run.

use flowglass_fuzz::{TARGETS, Until, replay, session, target};

/// Where the random numbers of tests begin. To look further: `cargo xtask fuzz --minutes 10 --seed 7`.
const SEED: u64 = 20_261_130;

fn survives(name: &str) {
    let target = target(name).expect("a target of this name");
    if let Err(failure) = replay(target) {
        panic!("{name}: {}", failure.why);
    }
    match session(target, SEED, Until::Runs(target.runs), None) {
        Ok(report) => assert_eq!(report.runs, u64::from(target.runs)),
        Err(failure) => panic!("{name}: {} {:?}", failure.why, String::from_utf8_lossy(&failure.input)),
    }
}

macro_rules! targets {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { survives($name); })*

        #[test]
        fn no_target_is_left_out() {
            let tested = [$($name),*];
            for target in TARGETS {
                assert!(tested.contains(&target.name), "{} has no test", target.name);
            }
        }
    };
}

targets! {
    otlp_protobuf "otlp-protobuf"
    otlp_json "otlp-json"
    jaeger "jaeger"
    zipkin "zipkin"
    cloudevents "cloudevents"
    nats "nats"
    headers "headers"
    import "import"
    descriptors "descriptors"
    filter "filter"
    settings "settings"
    scenario "scenario"
    design "design"
    link "link"
    http "http"
    workspace "workspace"
    chunk "chunk"
}
