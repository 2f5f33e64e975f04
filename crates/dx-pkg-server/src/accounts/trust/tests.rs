use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// An issuer with a key of its own.
struct TestIssuer(EcdsaKeyPair);

impl TestIssuer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random);
        Self(pair.unwrap())
    }

    fn keys(&self) -> KeySet {
        let point = self.0.public_key().as_ref();
        let key = json!({
            "kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        });
        serde_json::from_value(json!({ "keys": [key] })).unwrap()
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

const NOW: u64 = 1_800_000_000;

fn claims() -> Value {
    json!({
        "iss": "https://ci.test", "aud": "npm:registry.test", "exp": NOW + 300, "iat": NOW,
        "repository": "acme/left",
        "workflow_ref": "acme/left/.github/workflows/publish.yml@refs/heads/main",
        "environment": "release",
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

#[test]
fn only_a_token_of_the_issuer_for_this_registry_and_now_is_valid() {
    let issuer = TestIssuer::new();
    let header = json!({ "alg": "ES256", "kid": "one" });
    let verify =
        |text: &str| Unverified::read(text)?.verify(&issuer.keys(), "npm:registry.test", NOW);
    assert_eq!(verify(&issuer.token(&header, &claims())), Ok(claims()));
    let list = with("aud", json!(["other", "npm:registry.test"]));
    assert!(verify(&issuer.token(&header, &list)).is_ok());
    for (key, value) in [
        ("exp", json!(NOW - 100)),
        ("exp", Value::Null),
        ("nbf", json!(NOW + 1000)),
        ("iat", json!(NOW + 1000)),
        ("aud", json!("npm:other.test")),
        ("aud", Value::Null),
    ] {
        let text = issuer.token(&header, &with(key, value.clone()));
        assert!(verify(&text).is_err(), "{key}: {value}");
    }
    for header in [
        json!({ "alg": "ES256", "kid": "two" }),
        json!({ "alg": "RS256", "kid": "one" }),
        json!({ "alg": "none", "kid": "one" }),
        json!({ "alg": "HS256", "kid": "one" }),
    ] {
        assert!(verify(&issuer.token(&header, &claims())).is_err(), "{header}");
    }
    let stranger = TestIssuer::new().token(&header, &claims());
    assert!(verify(&stranger).is_err(), "signed by somebody else");
    let good = issuer.token(&header, &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let altered = URL_SAFE_NO_PAD.encode(with("repository", json!("evil/left")).to_string());
    assert!(verify(&format!("{}.{altered}.{}", parts[0], parts[2])).is_err(), "altered");
    for text in ["", ".", "..", "a.b", "a.b.c", &format!("{}.{}.", parts[0], parts[1])] {
        assert!(verify(text).is_err(), "{text}");
    }
}

#[test]
fn publisher_is_recognised_by_all_of_its_claims() {
    let wanted = |claims: Value| {
        let wanted = json!({ "type": "github", "claims": claims });
        serde_json::from_value::<Wanted>(wanted).unwrap().publisher("alice", &[issuer()])
    };
    fn issuer() -> Issuer {
        Issuer {
            kind: "github".to_owned(),
            url: "https://ci.test".to_owned(),
            keys: None,
            audience: None,
        }
    }
    let publisher = wanted(json!({
        "repository": "acme/left", "workflow_ref": { "file": "publish.yml" },
        "environment": "release",
    }))
    .unwrap();
    let shown = |token: &Value| publisher.is_shown_by("https://ci.test", token, &[issuer()]);
    assert!(shown(&claims()));
    assert!(!publisher.is_shown_by("https://other.test", &claims(), &[issuer()]));
    assert!(!publisher.is_shown_by("https://ci.test/more", &claims(), &[issuer()]));
    for (key, value) in [
        ("repository", json!("acme/right")),
        ("environment", json!("other")),
        ("environment", Value::Null),
        ("workflow_ref", json!("acme/left/.github/workflows/evil-publish.yml@refs/heads/main")),
        ("workflow_ref", json!("acme/left/.github/workflows/other.yml@refs/heads/publish.yml")),
    ] {
        assert!(!shown(&with(key, value.clone())), "{key}: {value}");
    }
    for claims in [
        json!({}),
        json!({ "repository": "acme/left" }),
        json!({ "repository": "", "workflow_ref": { "file": "a.yml" } }),
        json!({ "repository": "a/b", "workflow_ref": { "file": "" } }),
        json!({ "repository": "a/b", "workflow_ref": 7 }),
    ] {
        assert!(wanted(claims.clone()).is_err(), "{claims}");
    }
}
