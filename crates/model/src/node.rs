//! Participants of the map and how they are named.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// `service.namespace` and `service.name`: what makes a service (never the instance).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceName {
    /// `service.namespace`, if any.
    pub namespace: Option<String>,
    /// `service.name`.
    pub name: String,
}

/// What a participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// Something that emits its own telemetry, or will be recognised as such.
    Service,
    /// A subject, topic or queue.
    Topic,
    /// A database or other backing system seen from its client only.
    Backend,
    /// A system outside, seen from its callers only.
    External,
    /// A caller without telemetry: browser, partner, scheduler.
    Consumer,
}

/// Integration layer, from core systems (left) to users (right).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Databases, ERP, external systems.
    Backend,
    /// System APIs.
    System,
    /// Topics, and services that only react to events.
    Event,
    /// Process APIs.
    Process,
    /// Experience APIs.
    Experience,
    /// Users and automations.
    Consumer,
}

impl Layer {
    /// All layers, left to right.
    pub const ALL: [Layer; 6] =
        [Layer::Backend, Layer::System, Layer::Event, Layer::Process, Layer::Experience, Layer::Consumer];

    /// The lower-case word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Layer::Backend => "backend",
            Layer::System => "system",
            Layer::Event => "event",
            Layer::Process => "process",
            Layer::Experience => "experience",
            Layer::Consumer => "consumer",
        }
    }

    /// The layer of a word, case ignored; the usual short forms are understood.
    pub fn parse(text: &str) -> Option<Layer> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "backend" => Layer::Backend,
            "system" | "sys" => Layer::System,
            "event" | "events" => Layer::Event,
            "process" | "prc" | "proc" => Layer::Process,
            "experience" | "exp" => Layer::Experience,
            "consumer" | "user" | "users" => Layer::Consumer,
            _ => return None,
        })
    }
}

/// How participants interact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InteractionKind {
    /// Caller to callee, synchronous.
    Call,
    /// Service to topic.
    Publish,
    /// Topic to service.
    Consume,
    /// Service to backend.
    Access,
}

impl InteractionKind {
    /// The lower-case word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            InteractionKind::Call => "call",
            InteractionKind::Publish => "publish",
            InteractionKind::Consume => "consume",
            InteractionKind::Access => "access",
        }
    }
}

/// Identity of a participant, in the text form of the command-line contract: `service:NAMESPACE/NAME`, `topic:SYSTEM/NAME`,
/// `backend:SYSTEM/ADDRESS/DATABASE`, `external:HOST`, `consumer:KIND`, with `@ENVIRONMENT` behind it where one is known.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(Arc<str>);

fn with_env(text: String, environment: Option<&str>) -> NodeId {
    match environment {
        Some(e) if !e.is_empty() => NodeId::from(format!("{text}@{e}")),
        _ => NodeId::from(text),
    }
}

impl NodeId {
    /// A service.
    pub fn service(service: &ServiceName, environment: Option<&str>) -> NodeId {
        let text = match service.namespace.as_deref() {
            Some(ns) if !ns.is_empty() => format!("service:{ns}/{}", service.name),
            _ => format!("service:{}", service.name),
        };
        with_env(text, environment)
    }

    /// A subject, topic or queue of a broker technology.
    pub fn topic(system: &str, name: &str, environment: Option<&str>) -> NodeId {
        with_env(format!("topic:{system}/{name}"), environment)
    }

    /// A backend with an address; `database` is left out where there is none.
    pub fn backend(system: &str, address: &str, database: Option<&str>, environment: Option<&str>) -> NodeId {
        let text = match database {
            Some(db) if !db.is_empty() => format!("backend:{system}/{address}/{db}"),
            _ => format!("backend:{system}/{address}"),
        };
        with_env(text, environment)
    }

    /// A backend without an address, which belongs to its caller (an embedded database).
    pub fn embedded_backend(system: &str, caller: &NodeId) -> NodeId {
        NodeId::from(format!("backend:{system}/{caller}"))
    }

    /// An external system.
    pub fn external(host: &str, environment: Option<&str>) -> NodeId {
        with_env(format!("external:{host}"), environment)
    }

    /// A caller without telemetry.
    pub fn consumer(kind: &str, environment: Option<&str>) -> NodeId {
        with_env(format!("consumer:{kind}"), environment)
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind, from the part before the first colon. Unknown prefixes count as external.
    pub fn kind(&self) -> NodeKind {
        match self.0.split(':').next().unwrap_or_default() {
            "service" => NodeKind::Service,
            "topic" => NodeKind::Topic,
            "backend" => NodeKind::Backend,
            "consumer" => NodeKind::Consumer,
            _ => NodeKind::External,
        }
    }

    /// The environment behind the last `@`, if any.
    pub fn environment(&self) -> Option<&str> {
        self.0.rsplit_once('@').map(|(_, e)| e)
    }

    /// The id without its environment.
    pub fn without_environment(&self) -> &str {
        self.0.rsplit_once('@').map_or(&*self.0, |(body, _)| body)
    }

    /// The same participant in another environment (or none).
    pub fn in_environment(&self, environment: Option<&str>) -> NodeId {
        with_env(self.without_environment().to_owned(), environment)
    }

    /// `NAMESPACE/NAME`, `SYSTEM/NAME`, …: what stands between the kind and the environment.
    pub fn body(&self) -> &str {
        let text = self.without_environment();
        text.split_once(':').map_or(text, |(_, body)| body)
    }

    /// What people read: the service or topic name, the database or host.
    pub fn name(&self) -> &str {
        let body = self.body();
        match self.kind() {
            NodeKind::Service => body.split_once('/').map_or(body, |(_, n)| n),
            NodeKind::Topic => body.split_once('/').map_or(body, |(_, n)| n),
            NodeKind::Backend => {
                let Some((system, rest)) = body.split_once('/') else { return body };
                if rest.starts_with("service:") { system } else { rest.rsplit_once('/').map_or(rest, |(_, d)| d) }
            }
            NodeKind::External | NodeKind::Consumer => body,
        }
    }

    /// Namespace of a service, if it has one.
    pub fn namespace(&self) -> Option<&str> {
        if self.kind() != NodeKind::Service {
            return None;
        }
        self.body().split_once('/').map(|(ns, _)| ns)
    }

    /// Technology of a topic or backend (`nats`, `postgresql`).
    pub fn system(&self) -> Option<&str> {
        matches!(self.kind(), NodeKind::Topic | NodeKind::Backend)
            .then(|| self.body().split('/').next().unwrap_or_default())
    }
}

impl From<String> for NodeId {
    fn from(text: String) -> Self {
        NodeId(Arc::from(text))
    }
}

impl From<&str> for NodeId {
    fn from(text: &str) -> Self {
        NodeId(Arc::from(text))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_ids_follow_the_contract() {
        let s = ServiceName { namespace: Some("orders".into()), name: "order-prc-api".into() };
        let id = NodeId::service(&s, Some("prod"));
        assert_eq!(id.as_str(), "service:orders/order-prc-api@prod");
        assert_eq!((id.name(), id.namespace(), id.environment()), ("order-prc-api", Some("orders"), Some("prod")));
        let db = NodeId::embedded_backend("sqlite", &id);
        assert_eq!(db.as_str(), "backend:sqlite/service:orders/order-prc-api@prod");
        assert_eq!((db.name(), db.system(), db.environment()), ("sqlite", Some("sqlite"), Some("prod")));
        assert_eq!(NodeId::backend("postgresql", "db.example", Some("shop"), None).name(), "shop");
        assert_eq!(NodeId::topic("nats", "orders.placed", None).name(), "orders.placed");
    }
}
