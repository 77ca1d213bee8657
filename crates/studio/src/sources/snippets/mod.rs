//! Set-ups to copy: how each kind of sender reaches the listeners from where it runs.
//!
//! What the variables mean, and which sender honours them, was looked up in the documents of each SDK; where one does not honour
//! a variable, its own way stands in its place.

mod place;
mod senders;

use std::net::SocketAddr;

use crate::api::Snippet;

pub(crate) use place::{Place, places};

use place::render;

/// Where senders find the listeners.
#[derive(Debug, Clone, Default)]
pub(crate) struct Senders {
    /// The port named for gRPC, if it listens.
    pub(crate) grpc: Option<SocketAddr>,
    /// The port named for HTTP, if it listens.
    pub(crate) http: Option<SocketAddr>,
    /// What senders on other machines pass, when a listener takes them.
    pub(crate) token: Option<String>,
    /// This machine as others see it.
    pub(crate) this_machine: String,
}

/// An OTLP protocol, as its variable names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Grpc,
    Http,
}

impl Wire {
    fn name(self) -> &'static str {
        match self {
            Wire::Grpc => "grpc",
            Wire::Http => "http/protobuf",
        }
    }
}

/// What a set-up is written for.
struct Setting<'a> {
    place: Place,
    senders: &'a Senders,
}

impl Setting<'_> {
    /// `host:port` for a protocol: each port takes both, so one is enough.
    fn authority(&self, wire: Wire) -> String {
        let Senders { grpc, http, .. } = self.senders;
        let address = match wire {
            Wire::Grpc => grpc.or(*http),
            Wire::Http => http.or(*grpc),
        };
        let port = address.map_or(4318, |a| a.port());
        self.place.authority(address, port, &self.senders.this_machine)
    }

    fn endpoint(&self, wire: Wire) -> String {
        format!("http://{}", self.authority(wire))
    }

    /// The token, where the listener asks for it.
    fn token(&self) -> Option<&str> {
        self.senders.token.as_deref().filter(|_| self.place.is_seen_from_afar())
    }

    /// Variables every SDK honours, in the order people read them.
    fn variables(&self, wire: Wire) -> Vec<(String, String)> {
        let mut all = vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), self.endpoint(wire)),
            ("OTEL_EXPORTER_OTLP_PROTOCOL".to_owned(), wire.name().to_owned()),
        ];
        if let Some(token) = self.token() {
            // Values are written as in a URL (OpenTelemetry specification, "Specifying headers via environment variables").
            all.push(("OTEL_EXPORTER_OTLP_HEADERS".to_owned(), format!("authorization=Bearer%20{token}")));
        }
        all.push(("OTEL_SERVICE_NAME".to_owned(), "order-prc-api".to_owned()));
        let resource = "service.namespace=shop,deployment.environment.name=dev";
        all.push(("OTEL_RESOURCE_ATTRIBUTES".to_owned(), resource.to_owned()));
        all
    }
}

/// Set-ups for senders at a place, one a kind of sender, in the order of the tabs. None while nothing listens.
pub(crate) fn set_ups(place: Place, senders: &Senders) -> Vec<Snippet> {
    if senders.grpc.is_none() && senders.http.is_none() {
        return Vec::new();
    }
    let setting = Setting { place, senders };
    senders::all(&setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(token: Option<&str>) -> Senders {
        let at = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        Senders { grpc: at(14317), http: at(4318), token: token.map(str::to_owned), this_machine: "192.168.1.7".to_owned() }
    }

    fn text<'a>(all: &'a [Snippet], id: &str) -> &'a str {
        &all.iter().find(|s| s.id == id).unwrap_or_else(|| panic!("no {id}")).text
    }

    #[test]
    fn every_sender_at_every_place_reaches_the_port_that_listens_and_sends_no_metrics() {
        for place in Place::ALL {
            let all = set_ups(place, &listening(None));
            let ids: Vec<&str> = all.iter().map(|s| s.id.as_str()).collect();
            let wanted = ["shell", "spring-3", "spring-4", "java-agent", "dotnet", "node", "python", "go", "rust", "collector"];
            assert_eq!(ids, wanted, "{place:?}");
            for one in &all {
                let text = &one.text;
                assert!(text.contains(":14317") || text.contains(":4318"), "{place:?} {}: {text}", one.id);
                assert!(!text.contains(":4317") && !text.contains("Bearer"), "{place:?} {}: {text}", one.id);
                assert!(text.lines().all(|l| l.len() <= 130), "{place:?} {}: {text}", one.id);
            }
            for honouring in ["shell", "java-agent", "node", "python", "go"] {
                let text = text(&all, honouring).to_lowercase().replace(['.', '-'], "_");
                assert!(text.contains("otel_metrics_exporter=none"), "{place:?} {honouring}: {text}");
            }
            for spring in ["spring-3", "spring-4"] {
                let text = text(&all, spring).to_lowercase().replace('_', ".");
                assert!(text.contains("management.otlp.metrics.export.enabled=false"), "{place:?}: {text}");
            }
        }
    }

    #[test]
    fn hosts_are_right_for_the_place() {
        let at = |place| text(&set_ups(place, &listening(None)), "shell").to_owned();
        assert!(at(Place::Local).contains("http://127.0.0.1:14317"));
        assert!(at(Place::DockerLinux).contains("--network host") && at(Place::DockerLinux).contains("127.0.0.1:14317"));
        assert!(at(Place::DockerDesktop).contains("http://host.docker.internal:14317"));
        for cluster in [Place::Kind, Place::Remote] {
            assert!(at(cluster).contains("192.168.1.7:14317") && at(cluster).contains("kubectl set env"));
        }
        assert!(set_ups(Place::Local, &Senders::default()).is_empty());
    }

    #[test]
    fn the_token_goes_along_only_where_it_is_asked_for() {
        let senders = listening(Some("t0ken"));
        assert!(set_ups(Place::Local, &senders).iter().all(|s| !s.text.contains("t0ken")));
        for one in set_ups(Place::Remote, &senders) {
            assert!(one.text.contains("Bearer%20t0ken") || one.text.contains("Bearer t0ken"), "{}: {}", one.id, one.text);
        }
    }

    #[test]
    fn with_one_port_both_protocols_go_there() {
        let senders = Senders { grpc: None, ..listening(None) };
        let all = set_ups(Place::Local, &senders);
        assert!(text(&all, "collector").contains("endpoint: 127.0.0.1:4318"));
        assert!(text(&all, "dotnet").contains("http://127.0.0.1:4318") && text(&all, "dotnet").contains("PROTOCOL=grpc"));
    }
}
