//! Which layer a participant stands in, and why.
//!
//! In this order: the user's own choice, a declaration of the service, a pattern in the name, the place in the graph. Only the
//! last is a guess.

mod names;
mod place;

use std::collections::BTreeMap;

use flowglass_model::{Config, GraphEdge, Layer, LayerSource, NodeId, NodeKind};

pub use names::{default_patterns, layer_pattern_matches};

/// A layer with what decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// The layer.
    pub layer: Layer,
    /// Why, as a sentence without a full stop.
    pub reason: String,
    /// What decided.
    pub source: LayerSource,
}

/// Classifies the participants of a map. `declared` holds the word a service's resource declares; words that name no layer are
/// passed over. The order of nodes and edges does not matter.
pub fn classify(
    nodes: &[NodeId],
    edges: &[GraphEdge],
    declared: &BTreeMap<NodeId, String>,
    config: &Config,
) -> BTreeMap<NodeId, Classified> {
    let builtin = default_patterns();
    let places = place::Places::new(edges);
    let one = |id: &NodeId| {
        chosen(id, config)
            .or_else(|| declared_layer(declared.get(id)?))
            .or_else(|| names::by_name(id, &config.layer_patterns, &builtin))
            .unwrap_or_else(|| places.infer(id))
    };
    nodes.iter().map(|id| (id.clone(), one(id))).collect()
}

fn chosen(id: &NodeId, config: &Config) -> Option<Classified> {
    let layer = config.layer_of(id)?;
    Some(Classified { layer, reason: "chosen in the configuration".into(), source: LayerSource::User })
}

fn declared_layer(word: &str) -> Option<Classified> {
    let layer = Layer::parse(word)?;
    let reason = "declared by resource attribute flowglass.layer or integration.layer".to_owned();
    Some(Classified { layer, reason, source: LayerSource::Declared })
}

/// Whether names say anything about this kind of participant.
fn is_api(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::Service | NodeKind::External)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowglass_model::{EdgeStats, InteractionKind, LayerPattern};

    fn edge(source: &str, kind: InteractionKind, target: &str) -> GraphEdge {
        GraphEdge { source: source.into(), target: target.into(), kind, stats: EdgeStats::default() }
    }

    fn nodes(edges: &[GraphEdge]) -> Vec<NodeId> {
        let all: std::collections::BTreeSet<_> =
            edges.iter().flat_map(|e| [e.source.clone(), e.target.clone()]).collect();
        all.into_iter().collect()
    }

    fn layer_of(id: &str, edges: &[GraphEdge], config: &Config) -> (Layer, LayerSource, String) {
        let mut all = nodes(edges);
        all.push(id.into());
        let c = classify(&all, edges, &BTreeMap::new(), config)[&NodeId::from(id)].clone();
        (c.layer, c.source, c.reason)
    }

    #[test]
    fn the_order_is_user_declared_name_graph() {
        let id = NodeId::from("service:orders/crm-sys-api@prod");
        let mut config = Config::default();
        let mut declared = BTreeMap::new();
        let get = |d: &BTreeMap<_, _>, c: &Config| {
            let c = &classify(std::slice::from_ref(&id), &[], d, c)[&id];
            (c.layer, c.source)
        };
        assert_eq!(get(&declared, &config), (Layer::System, LayerSource::Name));
        declared.insert(id.clone(), "no layer at all".to_owned());
        assert_eq!(get(&declared, &config), (Layer::System, LayerSource::Name));
        declared.insert(id.clone(), "experience".to_owned());
        assert_eq!(get(&declared, &config), (Layer::Experience, LayerSource::Declared));
        config.layers.insert("crm-sys-api".into(), Layer::Process);
        assert_eq!(get(&declared, &config), (Layer::Process, LayerSource::User));
        config.layers.insert(id.to_string(), Layer::Backend);
        assert_eq!(get(&declared, &config), (Layer::Backend, LayerSource::User));
    }

    #[test]
    fn names_match_whole_tokens_only() {
        let name = |n: &str| {
            let (layer, source, _) = layer_of(&format!("service:{n}"), &[], &Config::default());
            (source == LayerSource::Name).then_some(layer)
        };
        for (text, layer) in [
            ("customers360-exp-api", Layer::Experience),
            ("crm-accounts-sys-api", Layer::System),
            ("fakestore-cart-papi", Layer::Process),
            ("fakestore-cart-prc-api", Layer::Process),
            ("accel-saphana-pricing-sys-api", Layer::System),
            ("experience-customer-api", Layer::Experience),
            ("system-customer-api", Layer::System),
            ("web-bff", Layer::Experience),
            ("OrderSysApi", Layer::System),
            ("orderXAPI", Layer::Experience),
            ("hospital-sys-api-v2", Layer::System),
            ("sys-orders-exp-api", Layer::Experience),
            ("order_process", Layer::Process),
        ] {
            assert_eq!(name(text), Some(layer), "{text}");
        }
        for text in
            ["expense-service", "processor", "ecosystem", "payment-process-manager", "file-system-watcher", "sysadmin"]
        {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn own_patterns_replace_the_built_in_ones_and_are_tried_in_order() {
        let pattern = |pattern: &str, layer| LayerPattern { pattern: pattern.into(), layer };
        let config = Config {
            layer_patterns: vec![pattern("-core", Layer::System), pattern("shop", Layer::Experience)],
            ..Config::default()
        };
        assert_eq!(layer_of("service:shop-core", &[], &config).0, Layer::System);
        assert_eq!(layer_of("service:web-shop-eu", &[], &config).0, Layer::Experience);
        assert_ne!(layer_of("service:crm-sys-api", &[], &config).1, LayerSource::Name);
        assert_eq!(layer_of("service:shop-core", &[], &config).2, "its name ends in -core");
    }

    #[test]
    fn the_graph_tells_the_rest() {
        use InteractionKind::*;
        let edges = [
            edge("consumer:browser", Call, "service:shop"),
            edge("service:shop", Call, "service:orders"),
            edge("service:orders", Call, "service:stock"),
            edge("service:orders", Publish, "topic:nats/placed"),
            edge("service:stock", Access, "backend:postgresql/db/stock"),
            edge("service:stock", Call, "external:erp.example"),
            edge("topic:nats/placed", Consume, "service:mailer"),
            edge("service:mailer", Call, "external:smtp.example"),
            edge("topic:nats/placed", Consume, "service:stock"),
        ];
        let layer = |id: &str| {
            let (layer, source, _) = layer_of(id, &edges, &Config::default());
            assert_eq!(source, LayerSource::Inferred, "{id}");
            layer
        };
        assert_eq!(layer("consumer:browser"), Layer::Consumer);
        assert_eq!(layer("service:shop"), Layer::Experience);
        assert_eq!(layer("service:orders"), Layer::Process);
        assert_eq!(layer("service:stock"), Layer::System);
        assert_eq!(layer("service:mailer"), Layer::Event);
        assert_eq!(layer("topic:nats/placed"), Layer::Event);
        assert_eq!(layer("backend:postgresql/db/stock"), Layer::Backend);
        assert_eq!(layer("external:erp.example"), Layer::Backend);
        assert_eq!(layer_of("service:mailer", &edges, &Config::default()).2, "entered only by messages");
    }
}
