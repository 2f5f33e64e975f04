//! TLS servers on port 0 that always answer the same, and authorities for them and their clients.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{HandshakeKind, RootCertStore, ServerConfig};

/// An authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        // Each has a name of its own, or a foreign certificate would look like one with a broken
        // signature.
        let key = KeyPair::generate().unwrap();
        let name = format!("{:?}", key.public_key_raw());
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name`, and its key.
    pub(crate) fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate, key)
    }
}

/// The client certificates that a server accepts.
#[derive(Clone, Copy)]
pub(crate) enum Clients<'a> {
    /// It requests none.
    Anybody,
    /// It requests one of this authority, and accepts clients without one.
    May(&'a Authority),
    /// It requires one of this authority.
    Must(&'a Authority),
}

/// A running server; it stops with the test's runtime.
pub(crate) struct SecureServer {
    pub(crate) port: u16,
    /// For each connection, whether a certificate was shown.
    shown: Arc<Mutex<Vec<bool>>>,
    /// For each connection, whether it resumed the session of an earlier one.
    resumed: Arc<Mutex<Vec<bool>>>,
}

impl SecureServer {
    /// Starts a server for `localhost` whose certificate comes from `authority`.
    pub(crate) async fn start(
        authority: &Authority,
        clients: Clients<'_>,
        answer: impl Into<Vec<u8>>,
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let leaf = names.signed_by(&key, &authority.0).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier(clients))
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (shown, resumed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (log, sessions, answer) =
            (Arc::clone(&shown), Arc::clone(&resumed), Arc::new(answer.into()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, log, answer) =
                    (acceptor.clone(), Arc::clone(&log), Arc::clone(&answer));
                let sessions = Arc::clone(&sessions);
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let kind = stream.get_ref().1.handshake_kind();
                    sessions.lock().unwrap().push(kind == Some(HandshakeKind::Resumed));
                    log.lock().unwrap().push(stream.get_ref().1.peer_certificates().is_some());
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(&answer).await;
                    // Closed without notice, as some mirrors do.
                });
            }
        });
        Self { port, shown, resumed }
    }

    pub(crate) fn resumed(&self) -> Vec<bool> {
        self.resumed.lock().unwrap().clone()
    }

    pub(crate) fn shown(&self) -> Vec<bool> {
        self.shown.lock().unwrap().clone()
    }
}

/// Starts a server that accepts every client; returns its port and its authority's certificate.
pub(crate) async fn start(answer: &'static [u8]) -> (u16, String) {
    let authority = Authority::new();
    let server = SecureServer::start(&authority, Clients::Anybody, answer).await;
    (server.port, authority.pem())
}

fn verifier(clients: Clients<'_>) -> Arc<dyn ClientCertVerifier> {
    let (Clients::May(authority) | Clients::Must(authority)) = clients else {
        return WebPkiClientVerifier::no_client_auth();
    };
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone()).unwrap();
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder =
        if matches!(clients, Clients::May(_)) { builder.allow_unauthenticated() } else { builder };
    builder.build().unwrap()
}

fn provider() -> Arc<tokio_rustls::rustls::crypto::CryptoProvider> {
    Arc::new(tokio_rustls::rustls::crypto::ring::default_provider())
}
