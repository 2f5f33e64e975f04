//! Client certificates: which server sees which one, and the errors where one is missing or wrong.

use crate::secure::{Authority, Clients, SecureServer};
use crate::server::impatient;
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::tls::{ClientCertificate, Pem, PemSource, TlsSettings};
use dx_pkg_fetch::{FetchError, Fetcher, Request};
use url::Url;

use std::path::PathBuf;
use std::sync::Arc;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";

/// A temporary folder for each test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dx-fetch-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.0.join(name), text).unwrap();
        self.0.join(name)
    }

    /// A client certificate of `authority`, in files.
    fn identity(&self, authority: &Authority) -> ClientCertificate {
        let (certificate, key) = authority.issue("client");
        identity(
            self.write("client.pem", &certificate.pem()),
            self.write("client.key", &key.serialize_pem()),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn identity(certificate: PathBuf, key: PathBuf) -> ClientCertificate {
    let pem = |name: &str, path| Pem {
        setting: format!("//localhost/:{name}"),
        source: PemSource::File(path),
    };
    ClientCertificate { certificate: pem("certfile", certificate), key: pem("keyfile", key) }
}

/// A fetcher that shows `identity` to the server on `port`, and nothing to others.
fn fetcher(authority: &Authority, port: u16, identity: ClientCertificate) -> Fetcher {
    Fetcher::new(FetchConfig {
        tls: TlsSettings { ca: vec![authority.pem()], ..TlsSettings::default() },
        client_certificates: Some(Arc::new(move |url| {
            (url.port() == Some(port)).then(|| identity.clone())
        })),
        ..impatient()
    })
}

async fn get(fetcher: &Fetcher, port: u16) -> Result<Vec<u8>, FetchError> {
    let url = Url::parse(&format!("https://localhost:{port}/a")).unwrap();
    Ok(fetcher.get(Request::metadata(url)).await?.body.to_vec())
}

#[tokio::test]
async fn the_certificate_opens_the_server_that_wants_it() {
    let (folder, authority, clients) =
        (Folder::new("accepted"), Authority::new(), Authority::new());
    let server = SecureServer::start(&authority, Clients::Must(&clients), ANSWER).await;
    let fetcher = fetcher(&authority, server.port, folder.identity(&clients));
    assert_eq!(get(&fetcher, server.port).await.unwrap(), b"secure");
    // Read once: the files may go.
    drop(folder);
    assert_eq!(get(&fetcher, server.port).await.unwrap(), b"secure");
    assert_eq!(server.shown(), [true, true]);
}

#[tokio::test]
async fn a_missing_or_a_foreign_certificate_is_told_in_one_try() {
    let (folder, authority, clients) = (Folder::new("refused"), Authority::new(), Authority::new());
    let server = SecureServer::start(&authority, Clients::Must(&clients), ANSWER).await;
    let without = fetcher(&authority, 0, folder.identity(&clients));
    let foreign = fetcher(&authority, server.port, folder.identity(&Authority::new()));
    for fetcher in [without, foreign] {
        let error = get(&fetcher, server.port).await.unwrap_err();
        assert_eq!((error.code(), error.tries), ("DX_FETCH_CLIENT_CERTIFICATE", 1), "{error}");
        assert!(error.hint().unwrap().contains(":certfile"), "{:?}", error.hint());
    }
    assert!(server.shown().is_empty());
}

#[tokio::test]
async fn a_redirect_to_another_server_does_not_take_the_certificate_along() {
    let (folder, authority, clients) =
        (Folder::new("redirect"), Authority::new(), Authority::new());
    let storage = SecureServer::start(&authority, Clients::May(&clients), ANSWER).await;
    let location = format!("https://localhost:{}/b", storage.port);
    let redirect =
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let registry = SecureServer::start(&authority, Clients::May(&clients), redirect).await;
    let fetcher = fetcher(&authority, registry.port, folder.identity(&clients));
    assert_eq!(get(&fetcher, registry.port).await.unwrap(), b"secure");
    assert_eq!((registry.shown(), storage.shown()), (vec![true], vec![false]));
}

#[tokio::test]
async fn unusable_files_are_told_with_the_setting_that_names_them() {
    let (folder, authority) = (Folder::new("unusable"), Authority::new());
    let server = SecureServer::start(&authority, Clients::Must(&authority), ANSWER).await;
    folder.identity(&authority);
    let nothing =
        folder.write("nothing.pem", "-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n");
    let garbage = folder
        .write("garbage.pem", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n");
    let not_a_key =
        folder.write("not-a.key", "-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----\n");
    let strange_key = folder
        .write("strange.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let other_key = folder.write("other.key", &authority.issue("another").1.serialize_pem());
    let (right_certificate, right_key) = (folder.0.join("client.pem"), folder.0.join("client.key"));
    let certificate = |path: PathBuf| identity(path, right_key.clone());
    let key = |path: PathBuf| identity(right_certificate.clone(), path);
    let cases = [
        (certificate(folder.0.join("missing.pem")), "//localhost/:certfile", "missing.pem"),
        (certificate(nothing.clone()), "//localhost/:certfile", "no certificate"),
        (certificate(garbage), "//localhost/:certfile", "garbage.pem"),
        (key(folder.0.join("missing.key")), "//localhost/:keyfile", "missing.key"),
        (key(nothing), "//localhost/:keyfile", "encrypted"),
        (key(not_a_key), "//localhost/:keyfile", "not-a.key"),
        (key(strange_key), "//localhost/:keyfile", "strange.key"),
        (key(other_key), "//localhost/:keyfile", "other.key"),
    ];
    for (identity, setting, said) in cases {
        let error =
            get(&fetcher(&authority, server.port, identity), server.port).await.unwrap_err();
        assert_eq!((error.code(), error.tries), ("DX_FETCH_CONFIG", 1), "{error}");
        assert!(error.to_string().contains(&format!("{setting} cannot be used")), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert!(server.shown().is_empty());
}

#[tokio::test]
async fn a_certificate_and_its_key_may_be_given_as_text_and_are_not_shown() {
    let authority = Authority::new();
    let server = SecureServer::start(&authority, Clients::Must(&authority), ANSWER).await;
    let (certificate, key) = authority.issue("client");
    let pem =
        |setting: &str, text| Pem { setting: setting.to_owned(), source: PemSource::Text(text) };
    let identity = ClientCertificate {
        certificate: pem("cert", certificate.pem()),
        key: pem("key", key.serialize_pem()),
    };
    assert!(!format!("{identity:?}").contains("BEGIN"), "{identity:?}");
    assert_eq!(
        get(&fetcher(&authority, server.port, identity.clone()), server.port).await.unwrap(),
        b"secure"
    );
    let broken = ClientCertificate { key: pem("key", "s3cret".to_owned()), ..identity };
    let error =
        get(&fetcher(&authority, server.port, broken), server.port).await.unwrap_err().to_string();
    assert!(error.contains("setting key cannot be used") && !error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_does_not_disturb_other_servers() {
    let authority = Authority::new();
    let server = SecureServer::start(&authority, Clients::Anybody, ANSWER).await;
    let missing = identity("/nowhere/client.pem".into(), "/nowhere/client.key".into());
    assert_eq!(get(&fetcher(&authority, 0, missing), server.port).await.unwrap(), b"secure");
}
