//! The registry's signatures of its own packages: ECDSA on P-256 with SHA-256 over
//! `name@version:integrity`, as `npm audit signatures` verifies them.

use crate::failure::Failure;
use crate::storage::{Key, Storage};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What stands before the point in the DER form of a public key on P-256 (RFC 5480).
const BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// npm's name of the algorithm.
const ALGORITHM: &str = "ecdsa-sha2-nistp256";

/// The key that the registry signs with. Clones share it.
#[derive(Clone)]
pub(crate) struct Signing {
    key: Arc<EcdsaKeyPair>,
    /// The same key, for signatures of a fixed length.
    fixed: Arc<EcdsaKeyPair>,
    random: SystemRandom,
    /// The public key: base64 of its DER form.
    public: String,
    /// Its identifier: the SHA-256 of that form.
    id: String,
    /// The beginning of the SHA-256 of its point, in hexadecimal.
    short_id: Arc<str>,
}

impl Signing {
    /// Reads the key of a storage (PKCS #8 in base64); the first to need it makes it.
    pub(crate) async fn open(storage: &Storage) -> Result<Self, Failure> {
        let object = Key::of("keys").with("signing");
        let random = SystemRandom::new();
        for _ in 0..2 {
            if let Some(bytes) = storage.read(&object).await? {
                let damaged = |error: &dyn std::fmt::Display| {
                    Failure::internal(format!("{} is damaged: {error}", object.as_str()))
                };
                let der = STANDARD.decode(&bytes).map_err(|error| damaged(&error))?;
                let key = |algorithm| {
                    let key = EcdsaKeyPair::from_pkcs8(algorithm, &der, &random);
                    key.map_err(|error| damaged(&error))
                };
                let fixed = key(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                return Ok(Self::new(key(&ECDSA_P256_SHA256_ASN1_SIGNING)?, fixed, random));
            }
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
            let der = der.map_err(|_| Failure::internal("no random numbers"))?;
            storage.create(&object, Bytes::from(STANDARD.encode(der.as_ref()))).await?;
        }
        Err(Failure::internal("the key for signatures is gone"))
    }

    fn new(key: EcdsaKeyPair, fixed: EcdsaKeyPair, random: SystemRandom) -> Self {
        let der = [&BEFORE_POINT, key.public_key().as_ref()].concat();
        let id = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&der)));
        let point = Sha256::digest(key.public_key().as_ref());
        let short_id = point.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        let (key, fixed, short_id) = (Arc::new(key), Arc::new(fixed), short_id.into());
        Self { key, fixed, random, public: STANDARD.encode(&der), id, short_id }
    }

    /// Returns the beginning of the SHA-256 of the point, in hexadecimal.
    pub(crate) fn short_id(&self) -> &str {
        &self.short_id
    }

    /// Returns the point of the public key, not compressed.
    pub(crate) fn point(&self) -> [u8; 65] {
        // A point on P-256 has this length.
        self.key.public_key().as_ref().try_into().unwrap_or([0; 65])
    }

    /// Returns the signature of `message`: `r` and `s`, 32 bytes each.
    ///
    /// # Errors
    /// 500 where the system has no random numbers.
    pub(crate) fn sign_fixed(&self, message: &[u8]) -> Result<[u8; 64], Failure> {
        let signature = self.fixed.sign(&self.random, message).ok();
        let signature = signature.and_then(|signature| signature.as_ref().try_into().ok());
        signature.ok_or_else(|| Failure::internal("no random numbers"))
    }

    /// Returns the entry of `dist.signatures` for a version.
    pub(crate) fn sign(
        &self,
        name: &str,
        version: &str,
        integrity: &str,
    ) -> Result<Value, Failure> {
        let message = format!("{name}@{version}:{integrity}");
        let signature = self.key.sign(&self.random, message.as_bytes());
        let signature = signature.map_err(|_| Failure::internal("no random numbers"))?;
        Ok(json!({ "keyid": self.id, "sig": STANDARD.encode(signature.as_ref()) }))
    }

    /// Returns the entry of `/-/npm/v1/keys`.
    pub(crate) fn public_key(&self) -> Value {
        json!({
            "expires": null,
            "keyid": self.id,
            "keytype": ALGORITHM,
            "scheme": ALGORITHM,
            "key": self.public,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[tokio::test]
    async fn signature_verifies_with_the_published_key_which_stays() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path()).unwrap();
        let signing = Signing::open(&storage).await.unwrap();
        let again = Signing::open(&storage).await.unwrap();
        assert_eq!(signing.public_key(), again.public_key());
        let entry = signing.sign("@acme/left", "1.0.0", "sha512-abc").unwrap();
        assert_eq!(entry["keyid"], signing.public_key()["keyid"]);
        let der = STANDARD.decode(signing.public_key()["key"].as_str().unwrap()).unwrap();
        // The point is what the form ends with.
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &der[der.len() - 65..]);
        let signature = STANDARD.decode(entry["sig"].as_str().unwrap()).unwrap();
        key.verify(b"@acme/left@1.0.0:sha512-abc", &signature).unwrap();
        assert!(key.verify(b"@acme/left@1.0.1:sha512-abc", &signature).is_err());
        let point = signing.point();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point[..]);
        key.verify(b"statement", &signing.sign_fixed(b"statement").unwrap()).unwrap();
    }
}
