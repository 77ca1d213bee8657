//! Values of arguments that are read from text.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where to listen; `None` is off. (A type of its own, because clap gives `Option` a meaning.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) Option<SocketAddr>);

/// Reads `off`, a port, `localhost:port` or `ip:port` of an OTLP listener. Whether other machines may reach it is a question of
/// the token.
pub(super) fn sender_address(text: &str) -> Result<Listen, String> {
    if text == "off" {
        return Ok(Listen(None));
    }
    let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let port_of = |port: &str| port.parse::<u16>().ok();
    let address = match text.rsplit_once(':') {
        None => port_of(text).map(loopback),
        Some(("localhost" | "", port)) => port_of(port).map(loopback),
        Some(_) => text.parse().ok(),
    };
    Ok(Listen(Some(address.ok_or("write 127.0.0.1:PORT, a port, or off")?)))
}

/// The same for the UI, which only this machine may reach.
pub(super) fn listen_address(text: &str) -> Result<Listen, String> {
    match sender_address(text)? {
        Listen(Some(address)) if !address.ip().is_loopback() => {
            Err(format!("other machines could reach it; use a loopback address such as 127.0.0.1:{}", address.port()))
        }
        listen => Ok(listen),
    }
}

/// Bytes of `500MB`, `2GB`, `1.5TB` (powers of ten).
pub(super) fn size(text: &str) -> Result<u64, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[number.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return Err("give a size such as 500MB or 2GB".to_owned()),
    };
    match number.trim().parse::<f64>() {
        Ok(size) if size.is_finite() && size >= 0.0 => Ok((size * unit) as u64),
        _ => Err("give a size such as 500MB or 2GB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let at = |text| listen_address(text).map(|l| l.0.map(|a| a.to_string()));
        assert_eq!(at("off"), Ok(None));
        assert_eq!(at("0"), Ok(Some("127.0.0.1:0".into())));
        assert_eq!(at("localhost:4317"), Ok(Some("127.0.0.1:4317".into())));
        assert_eq!(at("[::1]:80"), Ok(Some("[::1]:80".into())));
        for bad in ["", "here", "127.0.0.1", "127.0.0.1:99999", "example.com:80"] {
            assert!(at(bad).is_err(), "{bad}");
        }
        for open in ["0.0.0.0:4317", "[::]:4317", "192.168.1.7:4317"] {
            assert!(at(open).unwrap_err().contains("127.0.0.1:4317"), "{open}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(
            (size("0"), size("500MB"), size("1.5gb"), size("7")),
            (Ok(0), Ok(500_000_000), Ok(1_500_000_000), Ok(7))
        );
        for bad in ["", "MB", "-1", "5 miles", "NaN"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
