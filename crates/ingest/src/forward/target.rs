//! Whom requests are passed on to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Uri;
use url::{Host, Url};

use crate::otlp::{SERVICES, Signal};

/// Port that OTLP/gRPC has registered.
const GRPC_PORT: u16 = 4317;
/// How long looking a name up may take.
const LOOK_UP: Duration = Duration::from_secs(2);

/// How the other side is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// An OTLP receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    given: String,
    /// With `http` or `https` as its scheme.
    url: Url,
    protocol: Protocol,
}

/// Why an address cannot be forwarded to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("`{0}` is no address to forward to; write http://host:4318 or grpc://host:4317")]
    Unreadable(String),
    /// It holds a user or password.
    #[error(
        "an address to forward to holds no user and no password: they would be kept in the workspace; senders pass such \
         headers themselves, and they go along"
    )]
    Credentials,
    /// It leads back to Flowglass.
    #[error("{0} is a listener of this Flowglass: what comes in would go round in circles; name the other receiver")]
    Itself(String),
}

impl Target {
    /// Reads `http://host:4318`, `https://…`, `grpc://host:4317`, `grpcs://…`. An address without a scheme is `http`; port 4317
    /// without a path is gRPC.
    pub fn parse(text: &str) -> Result<Target, TargetError> {
        let text = text.trim();
        let unreadable = || TargetError::Unreadable(text.to_owned());
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = scheme.to_ascii_lowercase();
        let plain = match scheme.as_str() {
            "http" | "grpc" => "http",
            "https" | "grpcs" => "https",
            _ => return Err(unreadable()),
        };
        let mut url = Url::parse(&format!("{plain}://{rest}")).map_err(|_| unreadable())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
            return Err(unreadable());
        }
        let bare = matches!(url.path(), "" | "/");
        let named_grpc = scheme.starts_with("grpc");
        if named_grpc && !bare {
            return Err(unreadable());
        }
        if named_grpc && url.port().is_none() {
            // No port at all, or the one that `http` has by default: only the former is given GRPC's.
            let written = rest.trim_end_matches('/').rsplit_once(':').is_some_and(|(_, p)| p.parse::<u16>().is_ok());
            if !written {
                url.set_port(Some(GRPC_PORT)).map_err(|()| unreadable())?;
            }
        }
        let grpc = named_grpc || (bare && url.port() == Some(GRPC_PORT));
        let protocol = if grpc { Protocol::Grpc } else { Protocol::Http };
        let path = url.path().trim_end_matches('/').to_owned();
        let base = ["/v1/traces", "/v1/logs", "/v1/metrics"].iter().find_map(|end| path.strip_suffix(end));
        url.set_path(base.unwrap_or(&path));
        Ok(Target { given: text.to_owned(), url, protocol })
    }

    /// How it is spoken to.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where a signal goes.
    pub(super) fn endpoint(&self, signal: Signal) -> Result<Uri, TargetError> {
        let path = match self.protocol {
            Protocol::Grpc => SERVICES.iter().find(|(_, s)| *s == signal).map_or("/", |(path, _)| path),
            Protocol::Http => match signal {
                Signal::Traces => "/v1/traces",
                Signal::Logs => "/v1/logs",
                Signal::Metrics => "/v1/metrics",
            },
        };
        let base = self.url.as_str().trim_end_matches('/');
        format!("{base}{path}").parse().map_err(|_| TargetError::Unreadable(self.given.clone()))
    }

    /// Refuses an address that leads to one of these listeners of ours: the same port, on a host that is this machine.
    pub async fn check_not(&self, listeners: &[SocketAddr]) -> Result<(), TargetError> {
        let Some(port) = self.url.port_or_known_default() else { return Ok(()) };
        if listeners.iter().all(|l| l.port() != port) {
            return Ok(());
        }
        let addresses: Vec<IpAddr> = match self.url.host() {
            Some(Host::Ipv4(ip)) => vec![ip.into()],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain(name)) => {
                match tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((name, port))).await {
                    Ok(Ok(found)) => found.map(|a| a.ip()).collect(),
                    _ => Vec::new(),
                }
            }
            None => Vec::new(),
        };
        let leads_to = |ip: IpAddr, listener: &SocketAddr| {
            let (ip, own) = (ip.to_canonical(), listener.ip().to_canonical());
            listener.port() == port && (ip == own || ip.is_unspecified() || (own.is_unspecified() && is_here(ip)))
        };
        match addresses.into_iter().any(|ip| listeners.iter().any(|l| leads_to(ip, l))) {
            true => Err(TargetError::Itself(self.given.clone())),
            false => Ok(()),
        }
    }
}

/// Whether an address is one of this machine: only those can be bound.
fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, protocol, traces) in [
            ("http://jaeger:4318", Protocol::Http, "http://jaeger:4318/v1/traces"),
            ("http://jaeger:4318/", Protocol::Http, "http://jaeger:4318/v1/traces"),
            ("localhost:4318", Protocol::Http, "http://localhost:4318/v1/traces"),
            ("https://collector.example/otlp", Protocol::Http, "https://collector.example/otlp/v1/traces"),
            ("http://jaeger:4318/v1/traces", Protocol::Http, "http://jaeger:4318/v1/traces"),
            ("http://jaeger:4317/otlp", Protocol::Http, "http://jaeger:4317/otlp/v1/traces"),
            ("http://jaeger:4317", Protocol::Grpc, "http://jaeger:4317/opentelemetry"),
            ("grpc://[::1]:5317", Protocol::Grpc, "http://[::1]:5317/opentelemetry"),
            ("grpc://jaeger", Protocol::Grpc, "http://jaeger:4317/opentelemetry"),
            ("grpcs://collector.example:443", Protocol::Grpc, "https://collector.example/opentelemetry"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.protocol(), protocol, "{text}");
            assert!(target.endpoint(Signal::Traces).unwrap().to_string().starts_with(traces), "{text}: {target:?}");
            assert_eq!(target.to_string(), text);
        }
        for bad in ["", "http://", "nats://h:1", "grpc://h:1/path", "http://h:1?x=1"] {
            assert!(matches!(Target::parse(bad), Err(TargetError::Unreadable(_))), "{bad}");
        }
        assert_eq!(Target::parse("http://u:p@h:4318"), Err(TargetError::Credentials));
    }

    #[tokio::test]
    async fn itself_is_refused() {
        let near = [SocketAddr::from(([127, 0, 0, 1], 5317))];
        let everywhere = [SocketAddr::from(([0, 0, 0, 0], 5317))];
        for (text, listeners, itself) in [
            ("grpc://127.0.0.1:5317", near, true),
            ("http://localhost:5317", near, true),
            ("http://0.0.0.0:5317", near, true),
            ("http://127.0.0.1:5318", near, false),
            ("http://192.0.2.1:5317", near, false),
            ("http://127.0.0.1:5317", everywhere, true),
            ("http://192.0.2.1:5317", everywhere, false),
        ] {
            assert_eq!(Target::parse(text).unwrap().check_not(&listeners).await.is_err(), itself, "{text}");
        }
    }
}
