use super::theme::{DARK, LIGHT};
use super::*;
use crate::api::{Band, Edge, Figures, Nearest, Node, TopologyView};

fn node(id: &str, kind: &str, layer: &str, x: f64) -> Node {
    let name = id.split_once('/').map_or(id, |(_, n)| n);
    Node {
        id: id.into(),
        name: name.into(),
        kind: kind.into(),
        system: None,
        namespace: None,
        environment: None,
        layer: layer.into(),
        layer_reason: String::new(),
        layer_source: "name".into(),
        domain: None,
        owner: None,
        figures: Figures { count: 1200, errors: 3, rate: Some(2.0), p50_ms: Some(5.0), p95_ms: Some(48.0) },
        health: "healthy".into(),
        instrumented: true,
        consumers: (kind == "topic").then_some(0),
        members: Vec::new(),
        spark: vec![1.0, 4.0, 2.0],
        spark_errors: vec![0.0, 1.0, 0.0],
        x,
        y: 40.0,
        width: 168.0,
        height: if kind == "topic" { 26.0 } else { 72.0 },
    }
}

fn edge(source: &str, target: &str, kind: &str, count: u64, errors: u64, health: &str) -> Edge {
    Edge {
        id: format!("{source} → {target} {kind}"),
        source: source.into(),
        target: target.into(),
        kind: kind.into(),
        figures: Figures { count, errors, rate: Some(10.0), p50_ms: None, p95_ms: None },
        health: health.into(),
        waypoints: Vec::new(),
    }
}

fn view(nodes: Vec<Node>, edges: Vec<Edge>) -> TopologyView {
    let bands = vec![Band { layer: "system".into(), title: "System".into(), x: 100.0, width: 200.0, count: 1 }];
    TopologyView {
        revision: 0,
        full: true,
        nodes,
        edges,
        removed_nodes: Vec::new(),
        removed_edges: Vec::new(),
        bands,
        width: 0.0,
        height: 0.0,
        unresolved: Vec::new(),
        quiet: Vec::new(),
        noise: 0,
        hidden: Vec::new(),
        domains: Vec::new(),
        nearest: Nearest::default(),
    }
}

fn sample() -> TopologyView {
    let odd = "service:shop/a<\"b\">&`c`";
    view(
        vec![
            node(odd, "service", "process", 800.0),
            node("service:shop/erp-sys-api", "service", "system", 200.0),
            node("topic:nats/orders.placed", "topic", "event", 500.0),
        ],
        vec![
            edge(odd, "service:shop/erp-sys-api", "call", 1200, 300, "failing"),
            edge(odd, "topic:nats/orders.placed", "publish", 7, 0, "healthy"),
        ],
    )
}

fn caption() -> Caption {
    Caption { title: "shop \"eu\"".into(), range: "14:02 – 14:32".into() }
}

#[test]
fn mermaid_is_escaped_and_grouped_by_layer() {
    let want = r##"flowchart RL
  subgraph system["System"]
    n1["erp-sys-api"]
  end
  subgraph event["Events"]
    n2(["orders.placed"])
  end
  subgraph process["Process"]
    n0["a#lt;#quot;b#quot;#gt;#amp;#96;c#96;"]
  end
  n0 -->|"1,200 (300 errors)"| n1
  n0 -.->|"7"| n2
"##;
    assert_eq!(mermaid(&sample(), &Caption::default()), want);
    assert_eq!(mermaid(&view(Vec::new(), Vec::new()), &Caption::default()), "flowchart RL\n");
    let titled = mermaid(&sample(), &caption());
    assert!(titled.starts_with("---\ntitle: \"shop \\\"eu\\\" · 14:02 – 14:32\"\n---\nflowchart RL\n"), "{titled}");
}

#[test]
fn the_picture_names_everything_and_is_escaped() {
    for theme in [Theme::Dark, Theme::Light] {
        let picture = svg(&sample(), &caption(), theme);
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
        assert!(picture.contains("a&lt;&quot;b&quot;&gt;&amp;`c`") && !picture.contains("<\"b\">"), "{picture}");
        let texts = [
            "erp-sys-api",
            "orders.placed",
            "System",
            "stroke-dasharray",
            "1,200",
            "48 ms",
            "2.5 err/s",
            "shop &quot;eu&quot;",
            "14:02 – 14:32",
            "Failing, 5 % and more",
            "no consumer",
        ];
        for text in texts {
            assert!(picture.contains(text), "{text} is missing in {picture}");
        }
        // Nothing is fetched, nothing runs, and no style has to be allowed.
        assert!(!picture.contains("href") && !picture.contains("<script") && !picture.contains("style="), "{picture}");
    }
    assert!(svg(&view(Vec::new(), Vec::new()), &Caption::default(), Theme::Light).contains("</svg>"));
}

#[test]
fn colours_are_those_of_the_window() {
    let tokens = include_str!("../../../../ui/src/styles/tokens.css");
    let (dark, light) = tokens.split_once("[data-theme=\"light\"]").unwrap();
    for (css, colours) in [(dark, DARK), (light, LIGHT)] {
        for (name, value) in colours.tokens() {
            assert!(css.contains(&format!("--{name}:{value};")), "--{name} is not {value}");
        }
    }
}

#[test]
fn figures_read_as_in_the_window() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([118.2, 0.4, 0.05, 0.001].map(rate), ["118/s", "0.4/s", "3/min", "3.6/h"]);
    assert_eq!([percent(0, 10), percent(314, 1000), percent(1, 100_000)], ["0.0 %", "31.4 %", "<0.1 %"]);
    assert_eq!(shortened("web-orders-exp-api", 12), "web-o…xp-api");
}
