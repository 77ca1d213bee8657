//! Who may send: programs of this machine always, programs of other machines with the token.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq as _;
use tonic::Code;

use super::request::Problem;
use crate::secrets::Secret;

/// Characters a token has at least.
pub const TOKEN_LENGTH: usize = 16;

/// A new token: 256 random bits as base64url without padding.
pub fn new_token() -> Secret {
    use base64::Engine as _;
    Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// Whether an address belongs to the loopback of this machine, also when it is written as an IPv6 one.
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Lets in whoever sends from this machine, or passes the token as `Authorization: Bearer …` (RFC 6750, 2.1).
pub(super) fn admit(token: Option<&Secret>, peer: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
    if is_loopback(peer) {
        return Ok(());
    }
    let refuse = |message: &str| Err(Problem::new(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message));
    let Some(token) = token else { return refuse("only programs of this machine may send here") };
    match bearer(headers) {
        Some(given) if given.as_bytes().ct_eq(token.reveal().as_bytes()).into() => Ok(()),
        Some(_) => refuse("the token of the authorization header is not the one of this Flowglass"),
        None => refuse("senders on other machines need the header `authorization: Bearer TOKEN`"),
    }
}

/// The token that a request brings.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_need_the_token_and_this_one_does_not() {
        let token = Secret::new("right-token-0123456789");
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            if !value.is_empty() {
                headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            }
            headers
        };
        let far: IpAddr = "192.168.1.7".parse().unwrap();
        for near in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(admit(Some(&token), near.parse().unwrap(), &with("")), Ok(()), "{near}");
        }
        assert_eq!(admit(Some(&token), far, &with("Bearer right-token-0123456789")), Ok(()));
        assert_eq!(admit(Some(&token), far, &with("bearer right-token-0123456789")), Ok(()));
        for wrong in ["", "Bearer wrong", "Bearer ", "Basic right-token-0123456789", "right-token-0123456789"] {
            let problem = admit(Some(&token), far, &with(wrong)).unwrap_err();
            assert_eq!((problem.status, problem.code), (StatusCode::UNAUTHORIZED, Code::Unauthenticated), "{wrong}");
            assert!(!problem.message.contains("right-token"));
        }
        assert!(admit(None, far, &with("Bearer ")).is_err());
    }

    #[test]
    fn tokens_are_random_and_fit_a_header() {
        let (a, b) = (new_token(), new_token());
        assert_ne!(a, b);
        assert_eq!(a.reveal().len(), 43);
        assert!(a.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }
}
