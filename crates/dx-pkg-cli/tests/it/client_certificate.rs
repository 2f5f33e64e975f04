//! A registry that requires a client certificate.

use std::sync::Arc;

use dx_pkg_testkit::{Project, Registry};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::harness::{dx, fails, ok, required};

/// A TLS proxy before a registry that requires a client certificate.
struct Proxy {
    authority: CertifiedIssuer<'static, KeyPair>,
    port: u16,
    _runtime: Runtime,
}

impl Proxy {
    fn before(registry: &Registry) -> Proxy {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = acceptor(&authority);
        let inside = registry.port();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut outer) = acceptor.accept(stream).await else { return };
                    let mut inner = TcpStream::connect(("127.0.0.1", inside)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
                });
            }
        });
        registry.tarballs_at(&format!("https://localhost:{port}/"));
        Proxy { authority, port, _runtime: runtime }
    }

    /// Returns a project that uses the proxy, with a client's certificate and key beside it.
    fn project(&self) -> Project {
        let project = Project::offline().dep("a", "1").create();
        let (certificate, key) = issue(&self.authority, "client");
        project.write("ca.pem", self.authority.pem());
        project.write("client.pem", certificate.pem());
        project.write("client.key", key.serialize_pem());
        let lines = format!("registry=https://localhost:{}/\ncafile=ca.pem\n", self.port);
        add_settings(&project, &lines);
        project
    }

    /// Sets the certificate for the registry.
    fn show(&self, project: &Project, certificate: &str) {
        let prefix = format!("//localhost:{}/", self.port);
        let lines = format!("{prefix}:certfile={certificate}\n{prefix}:keyfile=client.key\n");
        add_settings(project, &lines);
    }
}

/// Adds lines to the user's `.npmrc`.
fn add_settings(project: &Project, lines: &str) {
    let path = project.home().join(".npmrc");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(path, before + lines).unwrap();
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap(), key)
}

fn acceptor(authority: &CertifiedIssuer<'static, KeyPair>) -> TlsAcceptor {
    let provider = Arc::new(default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .unwrap();
    let (certificate, key) = issue(authority, "localhost");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[test]
fn registry_that_requires_a_certificate_serves_clients_with_one() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let proxy = Proxy::before(&registry);
    let project = proxy.project();
    let stderr = fails(dx(&project, ["install"]), "DX_FETCH_CLIENT_CERTIFICATE");
    assert!(stderr.contains(":certfile"), "{stderr}");
    proxy.show(&project, "client.pem");
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn a_certificate_in_npms_old_settings_serves_the_registry() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let proxy = Proxy::before(&registry);
    let project = proxy.project();
    let line = |name: &str, file: &str| {
        format!("{name}=\"{}\"\n", project.read(file).replace('\n', "\\n"))
    };
    let lines = line("cert", "client.pem") + &line("key", "client.key");
    add_settings(&project, &lines);
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn unreadable_certificate_is_an_error_that_names_its_setting() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let proxy = Proxy::before(&registry);
    let project = proxy.project();
    proxy.show(&project, "missing.pem");
    let stderr = fails(dx(&project, ["install"]), "DX_FETCH_CONFIG");
    assert!(
        stderr.contains(&format!("//localhost:{}/:certfile", proxy.port))
            && stderr.contains("missing.pem"),
        "{stderr}"
    );
    assert_eq!(registry.metadata_requests(), 0);
}
