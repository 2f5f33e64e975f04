//! Servers' certificates of every form: which are accepted, and what is said of those that are not.

use crate::forged::{Form, Key, Made, element, extension, sequence};
use crate::server::impatient;
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::tls::TlsSettings;
use dx_pkg_fetch::{FetchError, Fetcher, Request};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::{default_provider, sign::any_supported_type};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};
use url::Url;

/// Shows its certificate to everyone, whatever its form.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Starts a server with the certificates of `chain`, whose first is its own; returns its port.
async fn start(chain: &[&Made], version: &'static SupportedProtocolVersion) -> u16 {
    let Key::P256(key) = &chain[0].key else { panic!("the server only knows keys on P-256") };
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let certificates = chain.iter().map(|made| CertificateDer::from(made.der.clone())).collect();
    let shown = CertifiedKey::new(certificates, any_supported_type(&key).unwrap());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shows(Arc::new(shown))));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    });
    port
}

async fn get(host: &str, port: u16, tls: TlsSettings) -> Result<Vec<u8>, FetchError> {
    let fetcher = Fetcher::new(FetchConfig { tls, ..impatient() });
    let url = Url::parse(&format!("https://{host}:{port}/a")).unwrap();
    Ok(fetcher.get(Request::metadata(url)).await?.body.to_vec())
}

fn trusting(made: &Made) -> TlsSettings {
    TlsSettings { ca: vec![made.pem()], ..TlsSettings::default() }
}

fn lax() -> TlsSettings {
    TlsSettings { verify: false, ..TlsSettings::default() }
}

async fn is_accepted(chain: &[&Made], trusted: &Made) {
    for version in [&TLS12, &TLS13] {
        let port = start(chain, version).await;
        let answer = get("localhost", port, trusting(trusted)).await;
        assert_eq!(answer.unwrap(), b"ok", "{version:?}");
    }
}

/// Asserts that the server is refused, and returns message and hint.
async fn refused(chain: &[&Made], tls: TlsSettings) -> String {
    let port = start(chain, &TLS13).await;
    let error = get("localhost", port, tls).await.unwrap_err();
    assert_eq!((error.code(), error.tries), ("DX_FETCH_TLS", 1), "{error}");
    format!("{error}; {}", error.hint().unwrap())
}

fn authority() -> Made {
    Form::of("Our Authority").authority().self_signed(Key::p256())
}

/// The forms of a server's certificate that npm accepts.
fn forms() -> Vec<(&'static str, Form)> {
    let email = extension(17, false, &sequence(&[element(0x81, b"a@example.com")]));
    vec![
        ("a usual one", Form::of("somebody").host("localhost")),
        ("marked as an authority", Form::of("localhost").authority().host("localhost")),
        ("with a common name alone", Form::of("localhost")),
        ("both", Form::of("localhost").authority()),
        ("of version 1", Form::of("localhost").version_1()),
        ("with an alternative name that is no host", Form::of("localhost").with(email)),
    ]
}

#[tokio::test]
async fn a_named_certificate_is_accepted_as_the_servers_own() {
    for (_, form) in forms() {
        let made = form.self_signed(Key::p256());
        is_accepted(&[&made], &made).await;
    }
}

#[tokio::test]
async fn a_certificate_of_a_named_authority_is_accepted_in_every_form() {
    let old = Form::of("Old Authority").version_1().self_signed(Key::p256());
    for authority in [authority(), old] {
        for (_, form) in forms() {
            let made = form.issued_by(&authority, Key::p256());
            is_accepted(&[&made], &authority).await;
        }
    }
}

#[tokio::test]
async fn a_certificate_is_accepted_in_every_form_below_authorities_that_the_server_sends() {
    let root = authority();
    let middle = Form::of("Middle").authority().issued_by(&root, Key::p256());
    let lower = Form::of("Lower").authority().issued_by(&middle, Key::p256());
    for (_, form) in forms() {
        let made = form.issued_by(&lower, Key::p256());
        is_accepted(&[&made, &lower, &middle], &root).await;
    }
}

#[tokio::test]
async fn a_certificate_signed_with_sha_512_by_a_key_on_p256_is_accepted() {
    let authority = Form::of("Our Authority").authority().self_signed(Key::p256_sha512());
    for (_, form) in forms() {
        let made = form.issued_by(&authority, Key::p256());
        is_accepted(&[&made], &authority).await;
    }
}

#[tokio::test]
async fn what_is_no_authority_issues_nothing() {
    let root = authority();
    let short = sequence(&[element(1, &[0xff]), element(2, &[0])]);
    let only_server = extension(15, true, &element(3, &[5, 0xa0]));
    let constrained = extension(30, true, &sequence(&[]));
    for (what, form) in [
        ("no basic constraints", Form::of("Middle")),
        ("version 1", Form::of("Middle").version_1()),
        ("a key usage without signing", Form::of("Middle").authority().with(only_server)),
        ("constrained names", Form::of("Middle").authority().with(constrained)),
        ("expired", Form::of("Middle").authority().valid(["20100101000000Z", "20110101000000Z"])),
    ] {
        let middle = form.issued_by(&root, Key::p256());
        for form in [Form::of("localhost"), Form::of("localhost").host("localhost").authority()] {
            let made = form.issued_by(&middle, Key::p256());
            let said = refused(&[&made, &middle], trusting(&root)).await;
            let is_told = said.contains("is not trusted")
                || what == "expired" && said.contains("an authority above");
            assert!(is_told, "{what}: {said}");
        }
    }
    // One authority may follow below this one: itself.
    let middle = Form::of("Middle").with(extension(19, true, &short)).issued_by(&root, Key::p256());
    let lower = Form::of("Lower").authority().issued_by(&middle, Key::p256());
    let made = Form::of("localhost").issued_by(&middle, Key::p256());
    is_accepted(&[&made, &middle], &root).await;
    let made = Form::of("localhost").issued_by(&lower, Key::p256());
    refused(&[&made, &lower, &middle], trusting(&root)).await;
}

#[tokio::test]
async fn a_certificate_with_a_named_ones_name_and_another_key_is_refused() {
    for (_, form) in forms() {
        let ours = form.clone().self_signed(Key::p256());
        let theirs = form.self_signed(Key::p256());
        refused(&[&theirs], trusting(&ours)).await;
        refused(&[&theirs, &ours], trusting(&ours)).await;
    }
}

#[tokio::test]
async fn the_common_name_counts_only_where_no_host_is_listed() {
    let authority = authority();
    let made = Form::of("localhost").host("elsewhere.example").issued_by(&authority, Key::p256());
    let said = refused(&[&made], trusting(&authority)).await;
    assert!(said.contains("is for elsewhere.example, and not for localhost"), "{said}");
    assert!(said.contains("registry's address") && !said.contains("cafile"), "{said}");
    let made = Form::of("127.0.0.1").issued_by(&authority, Key::p256());
    let port = start(&[&made], &TLS13).await;
    let error = get("127.0.0.1", port, trusting(&authority)).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TLS", "an address is never a common name: {error}");
}

#[tokio::test]
async fn an_address_among_the_alternative_names_is_accepted() {
    let address = extension(17, false, &sequence(&[element(0x87, &[127, 0, 0, 1])]));
    let made = Form::of("ours").authority().with(address).self_signed(Key::p256());
    let port = start(&[&made], &TLS13).await;
    assert_eq!(get("127.0.0.1", port, trusting(&made)).await.unwrap(), b"ok");
}

#[tokio::test]
async fn times_and_purposes_are_checked_in_every_form() {
    let client = sequence(&[element(6, &[0x2b, 6, 1, 5, 5, 7, 3, 2])]);
    let unknown = extension(99, true, &element(5, &[]));
    for (form, expected) in [
        (
            Form::of("localhost").valid(["20100101000000Z", "20110101000000Z"]),
            "expired on Sat, 01 Jan 2011 00:00:00 GMT",
        ),
        (
            Form::of("localhost").valid(["20850101000000Z", "20900101000000Z"]),
            "only valid from Mon, 01 Jan 2085",
        ),
        (Form::of("localhost").with(extension(37, false, &client)), "not meant for servers"),
        (
            Form::of("localhost").with(extension(15, true, &element(3, &[1, 6]))),
            "not meant for servers",
        ),
        (Form::of("localhost").with(unknown), "must be understood"),
    ] {
        for made in [
            form.clone().authority().self_signed(Key::p256()),
            form.clone().self_signed(Key::p256()),
        ] {
            let said = refused(&[&made], trusting(&made)).await;
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("cafile"), "{said}");
        }
    }
}

#[tokio::test]
async fn every_form_is_accepted_without_strict_ssl() {
    let expired = Form::of("x").version_1().valid(["20100101000000Z", "20110101000000Z"]);
    let forms = forms().into_iter().map(|(_, form)| form).chain([expired]);
    for form in forms {
        let made = form.self_signed(Key::p256());
        for version in [&TLS12, &TLS13] {
            let port = start(&[&made], version).await;
            assert_eq!(get("localhost", port, lax()).await.unwrap(), b"ok");
        }
    }
}

#[tokio::test]
async fn the_hint_never_names_what_is_done_already() {
    let made = Form::of("localhost").authority().host("localhost").self_signed(Key::p256());
    let other = authority();
    let said = refused(&[&made], TlsSettings::default()).await;
    assert!(
        said.contains("self-signed") && said.contains("cafile or NODE_EXTRA_CA_CERTS"),
        "{said}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, other.pem()).unwrap();
    let named = TlsSettings { ca_file: Some(file.clone()), ..TlsSettings::default() };
    let said = refused(&[&made], named).await;
    let expected = format!("only what cafile ({}) holds is trusted", file.display());
    assert!(said.contains(&expected) && said.contains("add this certificate there"), "{said}");
    let said = refused(&[&made], trusting(&other)).await;
    assert!(said.contains("only what the setting ca holds is trusted"), "{said}");

    let extra = TlsSettings { extra_ca_file: Some(file.clone()), ..TlsSettings::default() };
    let said = refused(&[&made], extra).await;
    assert!(said.contains(&format!("to {}, which NODE_EXTRA_CA_CERTS", file.display())), "{said}");
    let missing = folder.path().join("missing.pem");
    let extra = TlsSettings { extra_ca_file: Some(missing.clone()), ..TlsSettings::default() };
    let said = refused(&[&made], extra).await;
    assert!(said.contains("does not exist"), "{said}");

    let issued = Form::of("x").host("localhost").issued_by(&other, Key::p256());
    let said = refused(&[&issued], TlsSettings::default()).await;
    assert!(said.contains("comes from Our Authority"), "{said}");
}
