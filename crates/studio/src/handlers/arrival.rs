use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use flowglass_ingest::Port;

use super::{bad_request, sources};
use crate::Studio;
use crate::api::*;
use crate::sources as running;
use crate::sources::{META_FORWARD, Place, Senders, forward_target, is_remote, places, set_ups};

/// See [`SelfTest`].
pub(crate) async fn self_test(studio: &Studio, _: Nothing) -> Result<SelfTest, ApiError> {
    Ok(running::self_test(studio).await)
}

/// Rebinds a listener; kept for the next start of this workspace.
pub(crate) async fn set_listener(studio: &Studio, request: SetListenerRequest) -> Result<SourcesView, ApiError> {
    let port = match request.id.as_str() {
        "otlp-grpc" => Port::Grpc,
        "otlp-http" => Port::Http,
        other => return Err(bad_request(format!("`{other}` is no listener: there are otlp-grpc and otlp-http"))),
    };
    let address = request.address.as_deref().map(address).transpose()?;
    let mut token = None;
    if let Some(address) = address {
        if is_remote(address) && !request.accept_remote {
            return Err(bad_request(format!(
                "{address} can be reached from other machines: confirm that they may send, with a token"
            )));
        }
        if is_remote(address) {
            let obtained = studio.0.receivers.access.obtain().await;
            token = Some(obtained.map_err(|message| ApiError { code: "unavailable".into(), message })?);
        }
        if let Some(forward) = studio.0.receivers.forward.get() {
            forward.target().check_not(&[address]).await.map_err(|e| bad_request(e.to_string()))?;
        }
    }
    let set = studio.0.receivers.set(studio, port, address, token).await;
    studio.publish(Update::Sources {});
    if let Err(problem) = set {
        let offer = problem.offer.map(|a| format!("; {a} is free")).unwrap_or_default();
        return Err(ApiError { code: "held".into(), message: format!("{}{offer}", problem.words) });
    }
    sources(studio, Nothing {}).await
}

/// Sets or ends forwarding; kept for the next start of this workspace.
pub(crate) async fn set_forward(studio: &Studio, request: SetForwardRequest) -> Result<SourcesView, ApiError> {
    let url = request.url.map(|u| u.trim().to_owned()).filter(|u| !u.is_empty());
    let target = match &url {
        Some(url) => {
            let checked = forward_target(url, &studio.0.receivers.addresses()).await;
            Some(checked.map_err(|e| bad_request(e.to_string()))?)
        }
        None => None,
    };
    studio.0.forwarding.set(target).map_err(bad_request)?;
    studio.note(META_FORWARD, url.unwrap_or_default()).await?;
    studio.publish(Update::Sources {});
    sources(studio, Nothing {}).await
}

/// Set-ups to copy for senders at a place.
pub(crate) async fn snippets(studio: &Studio, request: SnippetsRequest) -> Result<Snippets, ApiError> {
    let place = Place::ALL.into_iter().find(|p| p.id() == request.place);
    let place = place.ok_or_else(|| bad_request(format!("`{}` is no place where senders run", request.place)))?;
    let senders = senders(studio);
    let open = studio.0.receivers.addresses().into_iter().any(is_remote);
    Ok(Snippets { places: places(open), items: set_ups(place, &senders) })
}

/// Where senders find the listeners now.
pub(super) fn senders(studio: &Studio) -> Senders {
    let (grpc, http) = studio.addresses();
    let open = [grpc, http].into_iter().flatten().any(is_remote);
    let token = studio.0.receivers.access.known().filter(|_| open).map(|t| t.reveal().to_owned());
    Senders { grpc, http, token, this_machine: this_machine() }
}

/// This machine's address in the network it reaches others by; nothing is sent to find it out.
fn this_machine() -> String {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        // An address of the documentation range (RFC 5737): only the route to it is looked up.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    match found.map(|a| a.ip()) {
        Ok(IpAddr::V4(ip)) if !ip.is_unspecified() && !ip.is_loopback() => ip.to_string(),
        _ => "THIS-MACHINE".to_owned(),
    }
}

/// `127.0.0.1:14317`, `localhost:14317`, `[::1]:14317`, or a port of the loopback.
fn address(text: &str) -> Result<SocketAddr, ApiError> {
    let text = text.trim();
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let read = match text.rsplit_once(':') {
        None => text.parse().ok().map(loopback),
        Some(("localhost" | "", port)) => port.parse().ok().map(loopback),
        Some(_) => text.parse().ok(),
    };
    read.ok_or_else(|| bad_request(format!("`{text}` is no address: write 127.0.0.1:14317, or a port")))
}
