//! The signatures with ECDSA that the TLS library's own cryptography lacks: all with a key on
//! P-521, and those of SHA-512 with a key on P-256 or P-384.

use p521::ecdsa::signature::hazmat::PrehashVerifier;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt;

/// The first byte of a point that is not compressed (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The length of a scalar of P-521, in bytes.
const LENGTH_521: usize = 66;

pub(super) static P521_SHA256: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA256,
    verify: |key, message, signature| on_p521(key, &Sha256::digest(message), signature),
};
pub(super) static P521_SHA384: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA384,
    verify: |key, message, signature| on_p521(key, &Sha384::digest(message), signature),
};
pub(super) static P521_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    key: alg_id::ECDSA_P521,
    signature: alg_id::ECDSA_SHA512,
    verify: |key, message, signature| on_p521(key, &Sha512::digest(message), signature),
};
pub(super) static P384_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA512,
    verify: |key, message, signature| {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
        let signature = p384::ecdsa::DerSignature::try_from(signature).ok()?;
        key.verify_prehash(&Sha512::digest(message), &signature).ok()
    },
};
pub(super) static P256_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA512,
    verify: |key, message, signature| {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
        let signature = p256::ecdsa::DerSignature::try_from(signature).ok()?;
        key.verify_prehash(&Sha512::digest(message), &signature).ok()
    },
};

/// Checks a signature by key, message and signature; returns something if it is right.
type Verify = fn(&[u8], &[u8], &[u8]) -> Option<()>;

/// ECDSA with a key on one curve and one digest.
struct Ecdsa {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    verify: Verify,
}

impl fmt::Debug for Ecdsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ecdsa").field("key", &self.key).finish_non_exhaustive()
    }
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        if public_key.first() != Some(&UNCOMPRESSED) {
            return Err(InvalidSignature);
        }
        (self.verify)(public_key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// Checks a signature of `digest`, which is no longer than a scalar.
fn on_p521(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let mut padded = [0; LENGTH_521];
    padded.get_mut(LENGTH_521 - digest.len()..)?.copy_from_slice(digest);
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p521::ecdsa::DerSignature::try_from(signature).ok()?;
    key.verify_prehash(&padded, &signature).ok()
}
