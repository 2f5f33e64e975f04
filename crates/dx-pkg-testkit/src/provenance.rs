//! A statement about a package, signed by a job that the tests play.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// Whom the certificate names.
pub const IDENTITY: &str =
    "https://git.example/acme/tool/.github/workflows/release.yml@refs/tags/v1.2.3";
/// The service that vouched for the identity, by the certificate.
pub const ISSUER: &str = "https://token.example";

/// A certificate of P-256 that signs itself, made with OpenSSL.
const CERTIFICATE: &str = "\
    MIIBzzCCAXWgAwIBAgIUHgvxkmxxOqrWrXTnfsWHE+wPWJ0wCgYIKoZIzj0EAwIw\
    ADAgFw0yNjExMzAwODIyMzZaGA8yMTI2MTEwNjA4MjIzNlowADBZMBMGByqGSM49\
    AgEGCCqGSM49AwEHA0IABFx+ibpk8F8F/kMe+xC9pZmNhEc6dJgboBSYPuKnFSUU\
    GJ30gHTIhl6ZheEty2Agj/fWJnz3ob5OOz3Ncrrm3MGjgcowgccwDgYDVR0PAQH/\
    BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMDMFoGA1UdEQEB/wRQME6GTGh0dHBz\
    Oi8vZ2l0LmV4YW1wbGUvYWNtZS90b29sLy5naXRodWIvd29ya2Zsb3dzL3JlbGVh\
    c2UueW1sQHJlZnMvdGFncy92MS4yLjMwJQYKKwYBBAGDvzABCAQXDBVodHRwczov\
    L3Rva2VuLmV4YW1wbGUwHQYDVR0OBBYEFAcndZoDgr3zoI89zK46QZ3fMrQHMAoG\
    CCqGSM49BAMCA0gAMEUCIDEyghP9z5Yjbd7NmlKNEppl711mS/FbkDwi5td3Gy+k\
    AiEAtGlblNkVLhyYwKMKjRcjPG6aQ6fWgdSgzIM/Mowjd8Y=";

/// Its key, in PKCS #8. It signs nothing outside of tests.
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfCsbX248fB6nj9Q1\
    A2sSZtWU0kBTHI/XQJcRVM305rOhRANCAARcfom6ZPBfBf5DHvsQvaWZjYRHOnSY\
    G6AUmD7ipxUlFBid9IB0yIZemYXhLctgII/31iZ896G+Tjs9zXK65tzB";

const STATEMENT: &str = "application/vnd.in-toto+json";

/// Returns a bundle with a signed statement about one thing, such as `pkg:npm/tool@1.2.3`, and the
/// SHA-512 of its tarball in hexadecimal.
#[must_use]
pub fn bundle(subject: &str, sha512: &str) -> Value {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": subject, "digest": { "sha512": sha512 } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    })
    .to_string();
    let message = format!("DSSEv1 {} {STATEMENT} {} {statement}", STATEMENT.len(), statement.len());
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "certificate": { "rawBytes": CERTIFICATE }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&statement),
            "payloadType": STATEMENT,
            "signatures": [{ "sig": STANDARD.encode(sign(message.as_bytes())) }],
        },
    })
}

fn sign(message: &[u8]) -> Vec<u8> {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let key = STANDARD.decode(KEY).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(kind, &key, &random).unwrap();
    key.sign(&random, message).unwrap().as_ref().to_vec()
}
