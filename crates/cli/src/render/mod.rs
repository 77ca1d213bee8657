//! The map as text for other programs to draw, and as a picture.

mod mermaid;
mod svg;

pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;

/// `1,234`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use flowglass_studio::model::{
        EdgeStats, Graph, GraphEdge, GraphNode, InteractionKind, Layer, LayerSource, NodeId,
    };

    use super::*;

    fn node(id: &str, layer: Layer, x: f64) -> GraphNode {
        let id = NodeId::from(id);
        GraphNode {
            name: id.name().to_owned(),
            kind: id.kind(),
            environment: None,
            layer,
            layer_reason: String::new(),
            layer_source: LayerSource::Name,
            domain: None,
            owner: None,
            stats: EdgeStats::default(),
            instrumented: true,
            x,
            y: 0.0,
            id,
        }
    }

    fn sample() -> Graph {
        let edge = |source: &str, target: &str, kind, count, errors| GraphEdge {
            source: source.into(),
            target: target.into(),
            kind,
            stats: EdgeStats { count, errors, p50_ms: None, p95_ms: None },
        };
        Graph {
            nodes: vec![
                node("service:shop/a<\"b\">&`c`", Layer::Process, 600.0),
                node("service:shop/erp-sys-api", Layer::System, 200.0),
                node("topic:nats/orders.placed", Layer::Event, 400.0),
            ],
            edges: vec![
                edge("service:shop/a<\"b\">&`c`", "service:shop/erp-sys-api", InteractionKind::Call, 1200, 3),
                edge("service:shop/a<\"b\">&`c`", "topic:nats/orders.placed", InteractionKind::Publish, 7, 0),
            ],
            unresolved: Vec::new(),
        }
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
  n0 -->|"1,200 (3 errors)"| n1
  n0 -.->|"7"| n2
"##;
        assert_eq!(mermaid(&sample()), want);
        assert_eq!(mermaid(&Graph::default()), "flowchart RL\n");
    }

    #[test]
    fn the_picture_names_everything_and_is_escaped() {
        let picture = svg(&sample());
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
        assert!(picture.contains("a&lt;&quot;b&quot;&gt;&amp;`c`"), "{picture}");
        assert!(!picture.contains("<\"b\">"), "{picture}");
        for text in ["erp-sys-api", "orders.placed", "System", "stroke-dasharray", "1,200"] {
            assert!(picture.contains(text), "{text} is missing in {picture}");
        }
        // Nothing is fetched, nothing runs.
        assert!(!picture.contains("href") && !picture.contains("<script"), "{picture}");
        assert!(svg(&Graph::default()).contains("</svg>"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
