//! Signatures by sigstore: a key that lives as long as the command, a certificate for it that names
//! the job, and an entry in a transparency log. The bundle has the form 0.3 of sigstore.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_compat::provenance::signed_message;
use dx_pkg_fetch::Method;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use url::Url;

use crate::AuthorError;
use crate::publish::PublishError;
use crate::publish::jobs;
use crate::registry::Registry;

/// The authority that certifies keys, where no setting names another.
const FULCIO: &str = "https://fulcio.sigstore.dev/";
/// The transparency log, where no setting names another.
const REKOR: &str = "https://rekor.sigstore.dev/";

/// The kind of a statement.
const STATEMENT: &str = "application/vnd.in-toto+json";
/// The kind of a bundle.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What stands before the 65 bytes of a P-256 key in a `SubjectPublicKeyInfo`.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Signs statements with one key.
pub(super) struct Signer<'r> {
    registry: &'r Registry<'r>,
    fulcio: Url,
    rekor: Url,
    random: SystemRandom,
    key: EcdsaKeyPair,
}

impl<'r> Signer<'r> {
    /// Makes a key.
    ///
    /// # Errors
    /// A setting that cannot be used, or a machine without random numbers.
    pub(super) fn new(registry: &'r Registry<'r>) -> Result<Self, AuthorError> {
        let config = registry.config();
        let address = |set: Option<Url>, usual: &str| match set {
            Some(url) => Ok(url),
            None => {
                Url::parse(usual).map_err(|_| AuthorError::Address { address: usual.to_owned() })
            }
        };
        let fulcio = address(config.fulcio_url()?, FULCIO)?;
        let rekor = address(config.rekor_url()?, REKOR)?;
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let no_key = |_| failed("this machine makes no key");
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(no_key)?;
        let key = EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random)
            .map_err(|_| failed("this machine makes no key"))?;
        Ok(Signer { registry, fulcio, rekor, random, key })
    }

    /// Signs a statement for the bearer of an identity token; returns the bundle.
    ///
    /// # Errors
    /// The authority or the log refuses, or its answer is not as it should be.
    pub(super) fn attest(&self, token: &str, statement: &[u8]) -> Result<Value, AuthorError> {
        let certificate = self.certificate(token)?;
        let signed = signed_message(STATEMENT, statement);
        let envelope = json!({
            "payload": STANDARD.encode(statement),
            "payloadType": STATEMENT,
            "signatures": [{ "sig": STANDARD.encode(self.sign(&signed)?) }],
        });
        let entry = self.log(&envelope, &certificate)?;
        Ok(json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(from_pem(&certificate)?) },
                "tlogEntries": [entry],
                "timestampVerificationData": {},
            },
            "dsseEnvelope": envelope,
        }))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorError> {
        let signature = self.key.sign(&self.random, message);
        signature.map(|it| it.as_ref().to_vec()).map_err(|_| failed("signing failed"))
    }

    /// Gets a certificate for the key, in PEM. That the key is at hand is proved by a signature
    /// over the token's subject.
    fn certificate(&self, token: &str) -> Result<String, AuthorError> {
        let claims = jobs::claims(token).unwrap_or_default();
        let text = |key: &str| claims.get(key).and_then(Value::as_str);
        let subject = match text("email") {
            Some(_) if claims.get("email_verified") != Some(&Value::Bool(true)) => None,
            Some(email) => Some(email),
            None => text("sub"),
        };
        let subject = subject.ok_or_else(|| failed("the identity token names nobody"))?;
        let mut key = SPKI.to_vec();
        key.extend_from_slice(self.key.public_key().as_ref());
        let body = json!({
            "credentials": { "oidcIdentityToken": token },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": pem("PUBLIC KEY", &key) },
                "proofOfPossession": STANDARD.encode(self.sign(subject.as_bytes())?),
            },
        });
        let url = below(&self.fulcio, "api/v2/signingCert")?;
        let answer = self.registry.ask_other(&Method::POST, url, Some(&body), None)?.json();
        let found = ["signedCertificateEmbeddedSct", "signedCertificateDetachedSct"]
            .iter()
            .find_map(|kind| answer.pointer(&format!("/{kind}/chain/certificates/0"))?.as_str());
        found.map(str::to_owned).ok_or_else(|| failed("the authority sent no certificate"))
    }

    /// Enters an envelope into the log; returns the entry in the bundle's form.
    fn log(&self, envelope: &Value, certificate: &str) -> Result<Value, AuthorError> {
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": { "proposedContent": {
                "envelope": envelope.to_string(),
                "verifiers": [STANDARD.encode(certificate)],
            } },
        });
        let url = below(&self.rekor, "api/v1/log/entries")?;
        let answer = self.registry.ask_other(&Method::POST, url, Some(&body), None)?.json();
        let entry = answer.as_object().and_then(|entries| entries.values().next());
        entry.and_then(bundled).ok_or_else(|| failed("the log sent no entry"))
    }
}

/// Returns an entry of the log as a bundle has it: numbers as text, and bytes in Base64.
fn bundled(entry: &Value) -> Option<Value> {
    let body = entry.get("body")?.as_str()?;
    let content: Value = serde_json::from_slice(&STANDARD.decode(body).ok()?).ok()?;
    let number = |of: &Value, key: &str| of.get(key)?.as_i64().map(|number| number.to_string());
    let mut found = json!({
        "logIndex": number(entry, "logIndex")?,
        "logId": { "keyId": encoded(entry.get("logID")?)? },
        "kindVersion": { "kind": content.get("kind")?, "version": content.get("apiVersion")? },
        "integratedTime": number(entry, "integratedTime")?,
    });
    if let Some(time) = entry.pointer("/verification/signedEntryTimestamp") {
        found["inclusionPromise"] = json!({ "signedEntryTimestamp": time });
    }
    if let Some(proof) = entry.pointer("/verification/inclusionProof") {
        let hashes = proof.get("hashes")?.as_array()?;
        let hashes: Option<Vec<String>> = hashes.iter().map(encoded).collect();
        found["inclusionProof"] = json!({
            "logIndex": number(proof, "logIndex")?,
            "rootHash": encoded(proof.get("rootHash")?)?,
            "treeSize": number(proof, "treeSize")?,
            "hashes": hashes?,
            "checkpoint": { "envelope": proof.get("checkpoint")? },
        });
    }
    found["canonicalizedBody"] = body.into();
    Some(found)
}

/// Returns bytes in hexadecimal as Base64.
fn encoded(hex: &Value) -> Option<String> {
    let hex = hex.as_str()?.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = hex.chunks(2).map(|pair| {
        let [high, low] = pair else { return None };
        u8::try_from(digit(high)? * 16 + digit(low)?).ok()
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    Some(STANDARD.encode(bytes?))
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: String = text
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

fn from_pem(text: &str) -> Result<Vec<u8>, AuthorError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    let base64: String = lines.collect();
    STANDARD.decode(base64).map_err(|_| failed("the authority's certificate cannot be read"))
}

fn below(base: &Url, path: &str) -> Result<Url, AuthorError> {
    let address = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&address).map_err(|_| AuthorError::Address { address })
}

fn failed(problem: &str) -> AuthorError {
    PublishError::NotSigned { problem: problem.to_owned() }.into()
}
