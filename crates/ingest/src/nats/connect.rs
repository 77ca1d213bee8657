//! Connecting: options, authentication, transport security, and failures in words.

use std::path::Path;
use std::time::Duration;

use async_nats::rustls::pki_types::CertificateDer;
use async_nats::rustls::pki_types::pem::PemObject as _;
use async_nats::rustls::{CertificateError, Error as TlsError};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use tokio::sync::mpsc;

use super::api::{INBOX, Refusal, Refused};
use super::{NatsAuth, NatsConfig};
use crate::secrets::{SecretRef, Secrets};

/// How long to wait for a server to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Messages of one subscription that the client library keeps for us, at most.
pub(super) const SUBSCRIPTION: usize = 65_536;

/// A connection that stands.
pub(super) struct Connected {
    pub(super) client: Client,
    /// What happens to it.
    pub(super) events: mpsc::Receiver<Event>,
    /// What its user may not do.
    pub(super) refused: Refused,
    /// What people should know although it works.
    pub(super) warning: Option<String>,
}

/// Connects; an error in words.
pub(super) async fn connect(config: &NatsConfig, secrets: &Secrets) -> Result<Connected, String> {
    let (sender, events) = mpsc::channel(1_024);
    let refused = Refused::new();
    let heard = refused.clone();
    let options = ConnectOptions::new()
        .name("flowglass")
        .custom_inbox_prefix(INBOX)
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .ping_interval(Duration::from_secs(10))
        .subscription_capacity(SUBSCRIPTION)
        .ignore_discovered_servers()
        .max_reconnects(1)
        .event_callback(move |event| {
            if let Event::ServerError(ServerError::Other(text)) = &event
                && let Some(refusal) = Refusal::parse(text)
            {
                heard.add(refusal);
            }
            let sender = sender.clone();
            async move {
                // When nobody listens any more, the session is over anyway.
                let _ = sender.send(event).await;
            }
        });
    let (mut options, warning) = authenticated(options, &config.auth, secrets).await?;
    if config.tls.required || config.url.starts_with("tls://") || config.url.starts_with("wss://") {
        options = options.require_tls(true);
    }
    if let Some(ca) = &config.tls.ca_file {
        usable_ca(ca)?;
        options = options.add_root_certificates(ca.clone());
    }
    let client = options.connect(config.url.as_str()).await.map_err(|e| in_words(&e, config))?;
    Ok(Connected { client, events, refused, warning })
}

async fn authenticated(
    options: ConnectOptions,
    auth: &NatsAuth,
    secrets: &Secrets,
) -> Result<(ConnectOptions, Option<String>), String> {
    let secret = async |wanted: &SecretRef| {
        let secret = secrets.resolve(wanted).await.map_err(|e| e.to_string())?;
        Ok::<_, String>((secret.reveal().to_owned(), secrets.only_this_run(wanted)))
    };
    Ok(match auth {
        NatsAuth::None => (options, None),
        NatsAuth::UserPassword { user, password } => {
            let (password, warning) = secret(password).await?;
            (options.user_and_password(user.clone(), password), warning)
        }
        NatsAuth::Token { token } => {
            let (token, warning) = secret(token).await?;
            (options.token(token), warning)
        }
        NatsAuth::Nkey { seed } => {
            let (seed, warning) = secret(seed).await?;
            (options.nkey(seed), warning)
        }
        NatsAuth::CredsFile { path } => {
            let options = options.credentials_file(path).await;
            (options.map_err(|e| format!("the credentials file {} cannot be used: {e}", path.display()))?, None)
        }
    })
}

/// Whether a file holds certificates; else says why not. (The client library would go on with none and blame the server.)
fn usable_ca(path: &Path) -> Result<(), String> {
    let unreadable = |why: String| format!("the certificate file {} cannot be used: {why}", path.display());
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(|all| all.collect::<Result<Vec<_>, _>>())
        .map_err(|e| unreadable(e.to_string()))?;
    match certificates.is_empty() {
        true => Err(unreadable("it holds no certificate in PEM form".to_owned())),
        false => Ok(()),
    }
}

fn in_words(error: &ConnectError, config: &NatsConfig) -> String {
    use ConnectErrorKind as K;
    if let Some(tls) = tls_error(error) {
        return tls_in_words(tls, config);
    }
    let text = error.to_string();
    let lower = text.to_ascii_lowercase();
    match error.kind() {
        K::AuthorizationViolation | K::Authentication => refused_credentials(config),
        // Newer words of servers for the same: an expired or revoked user, a wrong account.
        _ if lower.contains("authorization") || lower.contains("authentication") => {
            format!("{} ({text})", refused_credentials(config))
        }
        K::Tls => format!("TLS failed: {text}"),
        K::TimedOut => format!("no answer within {} s", PATIENCE.as_secs()),
        _ => text,
    }
}

fn refused_credentials(config: &NatsConfig) -> String {
    match &config.auth {
        NatsAuth::None => "the server wants credentials, and this connection has none".to_owned(),
        NatsAuth::UserPassword { user, .. } => format!("the server refuses the password of the user “{user}”"),
        NatsAuth::Token { .. } => "the server refuses the token".to_owned(),
        NatsAuth::Nkey { .. } => {
            "the server refuses the nkey, or it is no seed of a user (it starts with SU)".to_owned()
        }
        NatsAuth::CredsFile { path } => format!("the server refuses the credentials file {}", path.display()),
    }
}

/// The failed handshake behind an error, if that is what it was.
fn tls_error(error: &ConnectError) -> Option<&TlsError> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(tls) = cause.downcast_ref::<TlsError>() {
            return Some(tls);
        }
        // An I/O error answers with the source of what it wraps, not with what it wraps.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    None
}

fn tls_in_words(error: &TlsError, config: &NatsConfig) -> String {
    use CertificateError as C;
    let TlsError::InvalidCertificate(certificate) = error else {
        return match error {
            TlsError::InvalidMessage(_) => "the server does not speak TLS at this address".to_owned(),
            other => format!("TLS failed: {other}"),
        };
    };
    match (certificate, &config.tls.ca_file) {
        (C::UnknownIssuer, None) => {
            "the server's certificate comes from an authority that this machine does not know; \
             name the file of that authority (CA file, PEM) for this connection"
                .to_owned()
        }
        // An authority made anew under its old name signs differently.
        (C::UnknownIssuer | C::BadSignature, Some(ca)) => {
            format!("the server's certificate does not come from the authority in {}", ca.display())
        }
        (C::NotValidForName | C::NotValidForNameContext { .. }, _) => {
            format!("the server's certificate is made for another name than the one in {}", config.url)
        }
        (C::Expired | C::ExpiredContext { .. }, _) => "the server's certificate has expired".to_owned(),
        (C::NotValidYet | C::NotValidYetContext { .. }, _) => {
            "the server's certificate is not valid yet; look at the clocks of both machines".to_owned()
        }
        (other, _) => format!("the server's certificate cannot be trusted: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let missing = usable_ca(&folder.path().join("no.pem")).unwrap_err();
        assert!(missing.contains("no.pem") && missing.contains("cannot be used"), "{missing}");
        let text = folder.path().join("text.pem");
        std::fs::write(&text, "hello").unwrap();
        assert!(usable_ca(&text).unwrap_err().ends_with("it holds no certificate in PEM form"));
    }

    #[test]
    fn certificates_that_are_refused_are_told_apart() {
        let mut config = NatsConfig::new("tls://broker.example");
        let of = |config: &NatsConfig, c| tls_in_words(&TlsError::InvalidCertificate(c), config);
        assert!(of(&config, CertificateError::UnknownIssuer).contains("CA file"));
        assert!(of(&config, CertificateError::NotValidForName).contains("another name"));
        assert!(of(&config, CertificateError::Expired).contains("expired"));
        config.tls.ca_file = Some("/ca.pem".into());
        assert!(of(&config, CertificateError::UnknownIssuer).contains("/ca.pem"));
    }
}
