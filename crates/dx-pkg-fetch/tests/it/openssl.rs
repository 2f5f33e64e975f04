//! TLS of OpenSSL, as Node.js has it: what the TLS library of the tests cannot serve.

use crate::forged::{Form, Key, Made};
use crate::server::impatient;
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::tls::TlsSettings;
use dx_pkg_fetch::{FetchError, Fetcher, Request};
use dx_pkg_testkit::require;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use url::Url;

/// Answers every request with the negotiated suite and `LENGTH` bytes; prints its port.
const SERVER: &str = r"
const { readFileSync } = require('node:fs')
const [folder, options] = process.argv.slice(1)
const read = name => readFileSync(`${folder}/${name}.pem`)
const server = require('node:https').createServer(
  { cert: read('certificate'), key: read('key'), ...JSON.parse(options) },
  (request, response) => {
    const body = `${request.socket.getCipher().standardName} ` + 'x'.repeat(Number(request.headers['x-length'] ?? 0))
    response.end(body)
  }).listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
";

struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(made: &Made, options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("certificate.pem"), made.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.key_pem()).unwrap();
        let mut child = Command::new("node")
            .args(["-e", SERVER, folder.path().to_str().unwrap(), options])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().unwrap(), _folder: folder }
    }

    async fn get(&self, tls: TlsSettings, length: usize) -> Result<String, FetchError> {
        let fetcher = Fetcher::new(FetchConfig { tls, ..impatient() });
        let url = Url::parse(&format!("https://localhost:{}/a", self.port)).unwrap();
        let name = dx_pkg_fetch::header::HeaderName::from_static("x-length");
        let request = Request::metadata(url).header(name, length.to_string().parse().unwrap());
        let body = fetcher.get(request).await?.body;
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn trusting(made: &Made) -> TlsSettings {
    TlsSettings { ca: vec![made.pem()], ..TlsSettings::default() }
}

fn lax() -> TlsSettings {
    TlsSettings { verify: false, ..TlsSettings::default() }
}

/// Returns a new RSA key: in PEM form, and the public key in DER.
fn rsa(bits: u32) -> (String, Vec<u8>) {
    let script = format!(
        "const {{ privateKey, publicKey }} = crypto.generateKeyPairSync('rsa', {{\
           modulusLength: {bits},\
           privateKeyEncoding: {{ type: 'pkcs8', format: 'pem' }},\
           publicKeyEncoding: {{ type: 'spki', format: 'der' }} }});\
         console.log(publicKey.toString('hex') + privateKey)"
    );
    let output = require::output("node", ["-e", &script]).unwrap();
    let (public, private) = output.split_at(output.find("-----").unwrap());
    let digit = |at: usize| u8::from_str_radix(&public[at..at + 2], 16).unwrap();
    (private.to_owned(), (0..public.len()).step_by(2).map(digit).collect())
}

fn with_rsa() -> Made {
    self_signed(Key::rsa(&rsa(2048).0))
}

fn self_signed(key: Key) -> Made {
    Form::of("localhost").authority().host("localhost").self_signed(key)
}

#[tokio::test]
async fn servers_that_only_know_cbc_are_reached() {
    if !require::node() {
        return;
    }
    for (made, kind) in [(self_signed(Key::p256()), "ECDSA"), (with_rsa(), "RSA")] {
        for (suite, name) in [
            ("AES256-SHA384", "AES_256_CBC_SHA384"),
            ("AES128-SHA256", "AES_128_CBC_SHA256"),
            ("AES256-SHA", "AES_256_CBC_SHA"),
            ("AES128-SHA", "AES_128_CBC_SHA"),
        ] {
            let options = format!(r#"{{"ciphers":"ECDHE-{kind}-{suite}","maxVersion":"TLSv1.2"}}"#);
            let server = Server::start(&made, &options);
            // Several records, and lengths at which a record's padding is longest and shortest.
            for length in [0, 1, 15, 16, 100, 16_384, 100_000] {
                let body = server.get(trusting(&made), length).await.unwrap();
                let expected = format!("TLS_ECDHE_{kind}_WITH_{name} ");
                assert!(body.starts_with(&expected), "{body}");
                assert_eq!(body.len(), expected.len() + length);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_better_than_cbc_is_not_asked_for_it() {
    if !require::node() {
        return;
    }
    let made = self_signed(Key::p256());
    let ciphers = "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
    let options =
        format!(r#"{{"ciphers":"{ciphers}","maxVersion":"TLSv1.2","honorCipherOrder":false}}"#);
    let server = Server::start(&made, &options);
    let body = server.get(trusting(&made), 0).await.unwrap();
    assert_eq!(body, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ");
}

#[tokio::test]
async fn keys_and_signatures_on_p521_are_accepted() {
    if !require::node() {
        return;
    }
    let authority = Form::of("Our Authority").authority().self_signed(Key::p521());
    let issued = Form::of("x").host("localhost").issued_by(&authority, Key::p521());
    let small = Form::of("x").host("localhost").issued_by(&authority, Key::p256());
    let own = self_signed(Key::p521());
    for version in ["TLSv1.2", "TLSv1.3"] {
        let options = format!(r#"{{"maxVersion":"{version}"}}"#);
        for (made, trusted) in [(&issued, &authority), (&small, &authority), (&own, &own)] {
            let server = Server::start(made, &options);
            server.get(trusting(trusted), 0).await.unwrap();
            server.get(lax(), 0).await.unwrap();
            let error = server.get(TlsSettings::default(), 0).await.unwrap_err();
            assert_eq!(error.code(), "DX_FETCH_TLS", "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_may_agree_on_keys_over_p521() {
    if !require::node() {
        return;
    }
    let made = self_signed(Key::p256());
    for version in ["TLSv1.2", "TLSv1.3"] {
        let options = format!(r#"{{"ecdhCurve":"secp521r1","maxVersion":"{version}"}}"#);
        Server::start(&made, &options).get(trusting(&made), 0).await.unwrap();
    }
}

#[tokio::test]
async fn a_short_rsa_key_is_named_as_the_cause() {
    if !require::node() {
        return;
    }
    let authority = Form::of("Our Authority").authority().self_signed(Key::p256());
    let (private, public) = rsa(1024);
    let form = Form::of("x").host("localhost");
    let made = form.issued_by(&authority, Key::Other(private, public));
    for version in ["TLSv1.2", "TLSv1.3"] {
        let options = format!(r#"{{"ciphers":"DEFAULT@SECLEVEL=0","maxVersion":"{version}"}}"#);
        let server = Server::start(&made, &options);
        server.get(lax(), 0).await.unwrap();
        let error = server.get(trusting(&authority), 0).await.unwrap_err();
        assert!(error.to_string().contains("too weak"), "{error}");
        assert!(error.hint().unwrap().contains("2048 bits"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_agreed_on_is_named_as_the_cause() {
    if !require::node() {
        return;
    }
    let made = with_rsa();
    for (options, expected) in [
        (r#"{"ciphers":"AES128-GCM-SHA256","maxVersion":"TLSv1.2"}"#, "no cipher suite"),
        (
            r#"{"ciphers":"DEFAULT@SECLEVEL=0","minVersion":"TLSv1","maxVersion":"TLSv1.1"}"#,
            "before 1.2",
        ),
    ] {
        let server = Server::start(&made, options);
        for tls in [trusting(&made), lax()] {
            let error = server.get(tls, 0).await.unwrap_err();
            assert_eq!((error.code(), error.tries), ("DX_FETCH_TLS", 1), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().unwrap().contains("on the server"), "{error}");
        }
    }
}
