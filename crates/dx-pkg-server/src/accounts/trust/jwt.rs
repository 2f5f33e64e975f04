//! Identity tokens (JWT, RFC 7519): read, and verified with the keys of their issuer (JWKS,
//! RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// The longest token, in bytes.
const LONGEST: usize = 16 * 1024;
/// The seconds by which clocks may differ.
const SKEW: u64 = 60;

/// A token whose signature was not looked at.
#[derive(Debug)]
pub(crate) struct Unverified {
    signed: String,
    signature: Vec<u8>,
    algorithm: String,
    key: Option<String>,
    claims: Value,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// The keys of an issuer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Unverified {
    /// Reads a token.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("the identity token is too long");
        }
        let (signed, signature) = text.rsplit_once('.').ok_or("this is no identity token")?;
        let (header, claims) = signed.split_once('.').ok_or("this is no identity token")?;
        let decode =
            |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "this is no identity token");
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| "the identity token's header cannot be read")?;
        let claims: Value = serde_json::from_slice(&decode(claims)?)
            .map_err(|_| "the identity token's claims cannot be read")?;
        Ok(Self {
            signed: signed.to_owned(),
            signature: decode(signature)?,
            algorithm: header.alg,
            key: header.kid,
            claims,
        })
    }

    /// Returns what it names as its issuer; to find the keys, not to be believed before.
    pub(crate) fn issuer(&self) -> &str {
        self.claims.get("iss").and_then(Value::as_str).unwrap_or_default()
    }

    /// Verifies it, and returns its claims.
    ///
    /// # Errors
    /// Why it is not valid.
    pub(crate) fn verify(
        self,
        keys: &KeySet,
        audience: &str,
        now: u64,
    ) -> Result<Value, &'static str> {
        let usable = |key: &&Key| {
            (self.key.is_none() || key.kid == self.key)
                && key.usage.as_deref().is_none_or(|usage| usage == "sig")
                && key.alg.as_deref().is_none_or(|alg| alg == self.algorithm)
        };
        let signed = keys.keys.iter().filter(usable).any(|key| {
            key.verify(&self.algorithm, self.signed.as_bytes(), &self.signature).is_some()
        });
        if !signed {
            return Err("the identity token is not signed by a key of its issuer");
        }
        let time = |name: &str| self.claims.get(name).and_then(Value::as_u64);
        let expires = time("exp").ok_or("the identity token does not say when it expires")?;
        if expires.saturating_add(SKEW) <= now {
            return Err("the identity token has expired");
        }
        if ["nbf", "iat"].into_iter().filter_map(time).any(|from| from > now + SKEW) {
            return Err("the identity token is not valid yet");
        }
        let is_for = match self.claims.get("aud") {
            Some(Value::String(found)) => found == audience,
            Some(Value::Array(found)) => found.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        };
        if !is_for {
            return Err("the identity token was issued for another audience");
        }
        Ok(self.claims)
    }
}

impl Key {
    /// Returns something if `signature` is this key's over `signed`. Algorithms without a public
    /// key (`none`, `HS256`) are never accepted.
    fn verify(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> Option<()> {
        let bytes = |field: &Option<String>| URL_SAFE_NO_PAD.decode(field.as_deref()?).ok();
        let with = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(signed, signature).ok()
        };
        match (self.kty.as_str(), algorithm) {
            ("RSA", "RS256" | "RS384" | "RS512") => {
                let parameters = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA512,
                };
                let components = RsaPublicKeyComponents { n: bytes(&self.n)?, e: bytes(&self.e)? };
                components.verify(parameters, signed, signature).ok()
            }
            ("EC", "ES256" | "ES384") => {
                let (curve, verification): (_, &'static dyn signature::VerificationAlgorithm) =
                    match algorithm {
                        "ES256" => ("P-256", &signature::ECDSA_P256_SHA256_FIXED),
                        _ => ("P-384", &signature::ECDSA_P384_SHA384_FIXED),
                    };
                if self.crv.as_deref() != Some(curve) {
                    return None;
                }
                let point = [vec![4], bytes(&self.x)?, bytes(&self.y)?].concat();
                with(verification, &point)
            }
            ("OKP", "EdDSA") if self.crv.as_deref() == Some("Ed25519") => {
                with(&signature::ED25519, &bytes(&self.x)?)
            }
            _ => None,
        }
    }
}
