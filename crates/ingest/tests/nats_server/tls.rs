//! Transport security with an authority of one's own.

use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;
use async_nats::jetstream::stream::RetentionPolicy;
use flowglass_ingest::nats::{NatsConfig, NatsTls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::broker::{Server, fingerprint, jetstream, on_both_servers, publish, stream};
use crate::look::look;

on_both_servers!(a_certificate_of_a_private_authority);

/// A certificate authority, with its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(file: PathBuf) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Authority { issuer: Issuer::new(params, key), file }
    }

    /// Lines of configuration for a server of this name.
    fn server(&self, name: &str, folder: &Path) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        std::fs::write(folder.join("cert.pem"), params.signed_by(&key, &self.issuer).unwrap().pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        "tls {\n  cert_file: \"{folder}/cert.pem\"\n  key_file: \"{folder}/key.pem\"\n}\n".to_owned()
    }
}

async fn a_certificate_of_a_private_authority(binary: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path().join("ca.pem"));
    let lines = format!("{}{}", jetstream(""), authority.server("127.0.0.1", folder.path()));
    let server = Server::configured(binary, folder.path(), None, &lines).await;
    let js = server.owner(ConnectOptions::new().add_root_certificates(authority.file.clone())).await;
    stream(&js, "LIM", RetentionPolicy::Limits, true).await;
    publish(&js, "lim.a", 5).await;
    let before = fingerprint(&js).await;

    let config = |scheme: &str, port: u16, ca: Option<&Path>, required| {
        let tls = NatsTls { required, ca_file: ca.map(Into::into) };
        NatsConfig { tls, ..NatsConfig::new(format!("{scheme}://127.0.0.1:{port}")) }
    };
    // The server asks for TLS itself: the scheme need not.
    for (scheme, required) in [("tls", false), ("nats", false), ("nats", true)] {
        let looking = look(config(scheme, server.port, Some(&authority.file), required));
        looking.connected().await;
        looking.messages(5).await;
        assert_eq!(looking.end().await.messages.len(), 5);
    }

    let other = Authority::new(folder.path().join("other.pem"));
    let missing = folder.path().join("missing.pem");
    for (ca, words) in [
        (None, "an authority that this machine does not know; name the file of that authority"),
        (Some(other.file.as_path()), "does not come from the authority in"),
        (Some(missing.as_path()), "missing.pem cannot be used"),
    ] {
        let reason = look(config("tls", server.port, ca, false)).failure().await;
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(fingerprint(&js).await, before);

    let elsewhere = tempfile::tempdir().unwrap();
    let lines = authority.server("broker.example", elsewhere.path());
    let named = Server::configured(binary, elsewhere.path(), None, &lines).await;
    let reason = look(config("tls", named.port, Some(&authority.file), false)).failure().await;
    assert!(reason.contains("made for another name than the one in tls://127.0.0.1"), "{reason}");

    let plain_folder = tempfile::tempdir().unwrap();
    let plain = Server::start(binary, plain_folder.path()).await;
    let reason = look(config("nats", plain.port, Some(&authority.file), true)).failure().await;
    assert!(reason.contains("does not speak TLS"), "{reason}");
}
