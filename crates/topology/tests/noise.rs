//! Noise as small stories: what is left out, what stays, who is hidden.

mod common;

use common::told;
use flowglass_model::{Config, SeriesSum};
use flowglass_testkit::render_graph;
use flowglass_topology::{Folding, Noise, folded_by, graph_of};

fn map(text: &str, patterns: &[&str]) -> (String, Noise) {
    let sums = told(text).series();
    let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
    let noise = Noise::new(&sums, &patterns);
    let folding = Folding::new(&sums, &Config::default());
    let kept: Vec<SeriesSum> = sums.into_iter().filter(|s| !noise.has(&s.key)).collect();
    (render_graph(&graph_of(&folding, &kept, &Config::default(), None)), noise)
}

#[test]
fn probes_leave_entry_edges_and_figures_but_polls_between_services_stay_on_their_edge() {
    let text = "a server shop/api op=GET_/healthz\nb server shop/api op=POST_/orders\n\
                c server shop/web op=GET_/\nd client shop/web <c\ne server shop/api <d op=GET_/healthz\n\
                f server shop/idle op=GET_/healthz\ng server shop/lost <gone op=GET_/healthz\n";
    let (drawn, noise) = map(text, &["GET /healthz"]);
    assert!(drawn.contains("call consumer:client -> service:shop/api 1\n"), "{drawn}");
    assert!(drawn.contains("call service:shop/web -> service:shop/api 1\n"), "{drawn}");
    assert!(!drawn.contains("idle") && !drawn.contains("lost"), "{drawn}");
    let hidden: Vec<&str> = noise.hidden.iter().map(|id| id.name()).collect();
    assert_eq!((noise.requests, hidden), (4, vec!["idle", "lost"]));
    let (all, none) = map(text, &[]);
    assert!(all.contains("call consumer:client -> service:shop/api 2\n") && all.contains("idle"), "{all}");
    assert_eq!(none, Noise::default());
}

#[test]
fn each_pattern_says_what_it_folds() {
    let sums =
        told("a server shop/api op=GET_/healthz\nb server shop/api op=GET_/ready\nc server shop/api op=GET_/x\n")
            .series();
    let patterns = ["*/healthz", "*/ready", "*z", "*/ping"].map(str::to_owned);
    let counts: Vec<u64> = folded_by(&patterns, &sums).into_values().collect();
    // Sorted by pattern: healthz, ping, ready, z (whose request counts for the first).
    assert_eq!(counts, [1, 0, 1, 0]);
}
