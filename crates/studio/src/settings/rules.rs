//! Which lists the window changes, and how they get into the document.

use flowglass_model::{
    Age, Alias, Config, JoinsConfig, Layer, LayerPattern, LinkTemplate, Owner, ProtobufRule, RedactionRule,
    RetentionConfig, TraceStore, TraceStoreKind, default_noise,
};
use toml_edit::DocumentMut;

use super::merge::{Row, merge};
use super::write;

impl Row for LayerPattern {
    fn key(&self) -> &str {
        &self.pattern
    }
}

impl Row for Alias {
    fn key(&self) -> &str {
        &self.from
    }
}

impl Row for Owner {
    fn key(&self) -> &str {
        &self.match_name
    }
}

impl Row for LinkTemplate {
    fn key(&self) -> &str {
        &self.name
    }
}

impl Row for ProtobufRule {
    fn key(&self) -> &str {
        &self.subject
    }
}

impl Row for TraceStore {
    fn key(&self) -> &str {
        &self.name
    }
}

impl Row for RedactionRule {
    fn key(&self) -> &str {
        &self.key
    }
}

/// Lists as the window wants them; absent lists stay as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) layers: Option<Vec<(String, Layer)>>,
    /// Empty: the built-in ones.
    pub(crate) patterns: Option<Vec<LayerPattern>>,
    pub(crate) domains: Option<Vec<(String, String)>>,
    pub(crate) aliases: Option<Vec<Alias>>,
    pub(crate) owners: Option<Vec<Owner>>,
    pub(crate) business_keys: Option<Vec<String>>,
    /// The built-in list takes the file's list away.
    pub(crate) noise: Option<Vec<String>>,
    /// Empty: the built-in ones.
    pub(crate) redaction: Option<Vec<RedactionRule>>,
    pub(crate) links: Option<Vec<LinkTemplate>>,
    pub(crate) protobuf: Option<Vec<ProtobufRule>>,
    pub(crate) trace_stores: Option<Vec<TraceStore>>,
    pub(crate) joins: Option<JoinsConfig>,
    pub(crate) retention: Option<RetentionConfig>,
}

fn owned<V: Clone>(map: &std::collections::BTreeMap<String, V>) -> Vec<(String, V)> {
    map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

impl Change {
    /// What is said of some participants: layer, domain and owner; an outer `None` leaves it, an inner one clears it. An owner
    /// brings the contact and runbook that another rule of the same owner names.
    pub(crate) fn participants(
        now: &Config,
        ids: &[String],
        layer: Option<Option<Layer>>,
        domain: Option<Option<String>>,
        owner: Option<Option<String>>,
    ) -> Change {
        fn set<V: Clone>(
            map: &std::collections::BTreeMap<String, V>,
            ids: &[String],
            to: &Option<V>,
        ) -> Vec<(String, V)> {
            let mut map = map.clone();
            for id in ids {
                match to {
                    Some(value) => map.insert(id.clone(), value.clone()),
                    None => map.remove(id),
                };
            }
            owned(&map)
        }
        let owners = owner.map(|owner| {
            let others = now.owners.iter().filter(|o| !ids.contains(&o.match_name)).cloned();
            let new = ids.iter().filter_map(|id| {
                let owner = owner.clone()?;
                let same = now.owners.iter().find(|o| o.owner == owner);
                Some(Owner {
                    match_name: id.clone(),
                    contact: same.and_then(|o| o.contact.clone()),
                    runbook: same.and_then(|o| o.runbook.clone()),
                    owner,
                })
            });
            others.chain(new).collect()
        });
        Change {
            layers: layer.map(|to| set(&now.layers, ids, &to)),
            domains: domain.map(|to| set(&now.domains, ids, &to)),
            owners,
            ..Change::default()
        }
    }

    /// Does to the document what leads from `base` (what the window showed) to this. `now` is what the document says.
    pub(crate) fn apply(&self, document: &mut DocumentMut, base: &Config, now: &Config) {
        if let Some(mine) = &self.layers {
            let rows = merge(&owned(&base.layers), mine, &owned(&now.layers));
            let rows: Vec<_> = rows.into_iter().map(|(name, layer)| (name, layer.as_str().to_owned())).collect();
            write::pairs(document, "layers", &rows);
        }
        if let Some(mine) = &self.domains {
            write::pairs(document, "domains", &merge(&owned(&base.domains), mine, &owned(&now.domains)));
        }
        if let Some(mine) = &self.patterns {
            let rows = merge_own(&base.layer_patterns, mine, &now.layer_patterns);
            let fields = rows
                .iter()
                .map(|p| vec![("pattern", Some(p.pattern.clone())), ("layer", Some(p.layer.as_str().to_owned()))]);
            write::tables(document, "layer_patterns", "pattern", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.aliases {
            let rows = merge(&base.aliases, mine, &now.aliases);
            let fields = rows.iter().map(|a| vec![("from", Some(a.from.clone())), ("to", Some(a.to.clone()))]);
            write::tables(document, "aliases", "from", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.owners {
            let rows = merge(&base.owners, mine, &now.owners);
            let fields = rows.iter().map(|o| {
                vec![
                    ("match_name", Some(o.match_name.clone())),
                    ("owner", Some(o.owner.clone())),
                    ("contact", o.contact.clone()),
                    ("runbook", o.runbook.clone()),
                ]
            });
            write::tables(document, "owners", "match_name", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.redaction {
            let rows = merge_own(&base.redaction, mine, &now.redaction);
            let fields = rows.iter().map(|r| vec![("key", Some(r.key.clone()))]);
            write::tables(document, "redaction", "key", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.business_keys {
            let rows = merge(&base.business_keys, mine, &now.business_keys);
            write::list(document, "business_keys", Some(&rows));
        }
        if let Some(mine) = &self.noise {
            let rows = if *mine == default_noise() { mine.clone() } else { merge(&base.noise, mine, &now.noise) };
            write::list(document, "noise", (rows != default_noise()).then_some(rows.as_slice()));
        }
        self.apply_elsewhere(document, base, now);
        if let Some(mine) = &self.joins {
            joins(document, mine, &base.joins, &now.joins);
        }
        if let Some(mine) = &self.retention {
            retention(document, mine, &base.retention);
        }
    }

    fn apply_elsewhere(&self, document: &mut DocumentMut, base: &Config, now: &Config) {
        if let Some(mine) = &self.links {
            let rows = merge(&base.links, mine, &now.links);
            let fields = rows.iter().map(|l| vec![("name", Some(l.name.clone())), ("url", Some(l.url.clone()))]);
            write::tables(document, "links", "name", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.protobuf {
            let rows = merge(&base.protobuf, mine, &now.protobuf);
            let fields = rows.iter().map(|p| {
                vec![
                    ("subject", Some(p.subject.clone())),
                    ("message", Some(p.message.clone())),
                    ("descriptors", Some(p.descriptors.clone())),
                ]
            });
            write::tables(document, "protobuf", "subject", &fields.collect::<Vec<_>>());
        }
        if let Some(mine) = &self.trace_stores {
            let rows = merge(&base.trace_stores, mine, &now.trace_stores);
            let fields = rows.iter().map(|t| {
                let kind = match t.kind {
                    TraceStoreKind::Jaeger => "jaeger",
                    TraceStoreKind::Tempo => "tempo",
                };
                vec![("name", Some(t.name.clone())), ("url", Some(t.url.clone())), ("kind", Some(kind.to_owned()))]
            });
            write::tables(document, "trace_stores", "name", &fields.collect::<Vec<_>>());
        }
    }
}

/// Decisions about joins; what was not touched stays as the file says it.
fn joins(document: &mut DocumentMut, mine: &JoinsConfig, base: &JoinsConfig, now: &JoinsConfig) {
    let listed = |of: &JoinsConfig, always: bool| {
        if always { of.always.iter().cloned().collect::<Vec<_>>() } else { of.never.iter().cloned().collect() }
    };
    for (name, always) in [("never", false), ("always", true)] {
        let rows = merge(&listed(base, always), &listed(mine, always), &listed(now, always));
        write::list_in(document, "joins", name, &rows);
    }
}

/// What is kept; values that were not touched stay as the file says them.
fn retention(document: &mut DocumentMut, mine: &RetentionConfig, base: &RetentionConfig) {
    let usual = RetentionConfig::default().size;
    let age = |age: Option<Age>| age.map(|age| age.to_string());
    let values = |of: &RetentionConfig| {
        [
            ("size", (of.size != usual).then(|| of.size.to_string())),
            ("age", age(of.age)),
            ("failed_age", age(of.failed_age)),
            ("events_age", age(of.events_age)),
            ("logs_age", age(of.logs_age)),
        ]
    };
    for ((name, new), (_, old)) in values(mine).into_iter().zip(values(base)) {
        if new != old {
            write::value_in(document, "retention", name, new.map(toml_edit::Value::from));
        }
    }
    if mine.journeys != base.journeys {
        let new = mine.journeys.map(|n| toml_edit::Value::from(i64::try_from(n).unwrap_or(i64::MAX)));
        write::value_in(document, "retention", "journeys", new);
    }
}

/// Lists whose emptiness means the built-in rows: going back to those takes away everything, whoever wrote it.
fn merge_own<R: Row>(base: &[R], mine: &[R], now: &[R]) -> Vec<R> {
    if mine.is_empty() { Vec::new() } else { merge(base, mine, now) }
}
