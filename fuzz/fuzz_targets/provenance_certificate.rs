//! Any bytes as the certificate of who signed where a package comes from: refused, or read, and no
//! bundle with it is taken for signed.

#[path = "../../crates/dx-pkg-compat/src/provenance/certificate.rs"]
mod certificate;

use certificate::Certificate;
use dx_pkg_compat::provenance::signer;
use serde_json::{Value, json};

pub(crate) fn run(data: &[u8]) {
    if let Some(certificate) = Certificate::read(data) {
        assert!(!certificate.key.is_empty() && !certificate.identity.is_empty());
        assert!(certificate.issuer.is_none_or(|issuer| issuer.len() <= data.len()));
    }
    // Nothing else is signed by the key of a certificate that was changed.
    let bundle: Value = serde_json::from_slice(data).unwrap_or_else(|_| {
        json!({
            "dsseEnvelope": {
                "payload": "e30=", "payloadType": "a", "signatures": [{ "sig": "MAYCAQECAQE=" }],
            },
            "verificationMaterial": { "certificate": { "rawBytes": base64(data) } },
        })
    });
    assert!(signer(&bundle).is_err());
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in data.chunks(3) {
        let number = (0..3).fold(0, |sum, at| sum << 8 | usize::from(*three.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * at) & 63];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
