//! HTTPS: both versions of HTTP, certificates that change, and files that are none.

use crate::server::command;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Writes a certificate of this machine and its key.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), own.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), own.signing_key.serialize_pem()).unwrap();
    own.cert.der().clone()
}

struct Secure {
    folder: TempDir,
    process: Child,
    address: String,
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path) -> Command {
    let mut command = command(folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--upstream", "none"]);
    command.current_dir(folder).args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    command
}

fn start(folder: TempDir) -> Secure {
    let mut process = serve(folder.path())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("https://").nth(1).unwrap_or_else(|| panic!("{line:?}"));
    Secure { folder, process, address: address.trim().trim_end_matches('/').to_owned() }
}

fn client(trusted: &CertificateDer<'static>, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// Requests `/-/ping` in HTTP/1.1; the error is the handshake's.
fn ping(server: &Secure, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = rustls::ClientConnection::new(client(trusted, &[b"http/1.1"]), name).unwrap();
    let stream = TcpStream::connect(&server.address)?;
    let mut stream = rustls::StreamOwned::new(client, stream);
    let head = format!("GET /-/ping HTTP/1.1\r\nhost: {}\r\n", server.address);
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"connection: close\r\n\r\n")?;
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    if answer.is_empty() {
        read?;
    }
    Ok(answer)
}

#[test]
fn both_versions_of_http_are_spoken_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = certify(folder.path());
    let server = start(folder);
    assert!(ping(&server, &trusted).unwrap().starts_with("HTTP/1.1 200"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let body = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(client(&trusted, &[b"h2", b"http/1.1"]));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) = hyper::client::conn::http2::handshake(
            hyper_util::rt::TokioExecutor::new(),
            hyper_util::rt::TokioIo::new(stream),
        )
        .await
        .unwrap();
        tokio::spawn(connection);
        let request = hyper::Request::post(format!("https://{}/-/v1/login", server.address))
            .header("content-type", "application/json")
            .body("{}".to_owned())
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (hyper::Version::HTTP_2, 200));
        http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes()
    });
    // The addresses that clients are told are of the scheme by which they came.
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let told = told["loginUrl"].as_str().unwrap();
    assert!(told.starts_with(&format!("https://{}/", server.address)), "{told}");
}

#[test]
fn client_without_tls_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let server = start(folder);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.write_all(b"GET /-/ping HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(body.contains("speaks HTTPS"), "{body}");
}

#[cfg(unix)]
#[test]
fn certificate_is_read_again_at_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let former = certify(folder.path());
    let server = start(folder);
    assert!(ping(&server, &former).is_ok());
    let hang_up = || {
        let id = server.process.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    };
    let logs = |text: &str| {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if fs::read_to_string(server.folder.path().join("log")).unwrap().contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no {text:?}");
    };
    // What is no certificate changes nothing.
    let key = fs::read(server.folder.path().join("key.pem")).unwrap();
    fs::write(server.folder.path().join("key.pem"), "").unwrap();
    hang_up();
    logs("the certificate stays the one before");
    assert!(ping(&server, &former).is_ok());
    fs::write(server.folder.path().join("key.pem"), key).unwrap();
    let later = certify(server.folder.path());
    assert!(ping(&server, &later).is_err());
    hang_up();
    logs("read the certificate again");
    assert!(ping(&server, &later).is_ok());
    assert!(ping(&server, &former).is_err());
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("other")).unwrap();
    certify(&path("other"));
    fs::write(path("empty.pem"), "").unwrap();
    for (arguments, reason) in [
        (&["--tls-cert", "cert.pem"][..], "tls-cert needs tls-key"),
        (&["--tls-key", "key.pem"], "tls-key needs tls-cert"),
        (&["--tls-cert", "none.pem", "--tls-key", "key.pem"], "tls-cert: cannot use none.pem"),
        (&["--tls-cert", "empty.pem", "--tls-key", "key.pem"], "has no certificate"),
        (&["--tls-cert", "cert.pem", "--tls-key", "cert.pem"], "has no private key"),
        (&["--tls-cert", "cert.pem", "--tls-key", "other/key.pem"], "is not the key of cert.pem"),
    ] {
        let mut command = command(folder.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--upstream", "none"]).args(arguments);
        let output = command.current_dir(folder.path()).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains(reason), "{arguments:?}: {text}");
    }
}
