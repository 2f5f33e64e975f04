//! An issuer of identity tokens, as a service of continuous integration is one.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::people::Upstream;
use crate::server::Server;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// An issuer that answers with its public key.
pub(crate) struct Issuer {
    key: EcdsaKeyPair,
    upstream: Upstream,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(kind, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &SystemRandom::new()).unwrap();
        let point = key.public_key().as_ref();
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "1",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) });
        let upstream = Upstream::start(&[("/keys", json!({ "keys": [jwk] }))]);
        Self { key, upstream }
    }

    /// A registry that knows it as "ci".
    pub(crate) fn server(&self) -> Server {
        let issuers = format!(
            "[{{ type = \"ci\", url = \"{0}\", keys = \"{0}keys\", audience = \"npm:test\" }}]",
            self.upstream.url
        );
        Server::with("none", &[("DX_REGISTRY_ACCOUNTS__ISSUERS", &issuers)])
    }

    /// A token of the job "release" that is good for five minutes, but for `changes`.
    pub(crate) fn token(&self, changes: &Value) -> String {
        let mut claims = json!({ "iss": self.upstream.url, "aud": "npm:test", "exp": now() + 300,
            "job": "release" });
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", encode(json!({ "alg": "ES256", "kid": "1" })), encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
