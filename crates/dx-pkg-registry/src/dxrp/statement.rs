//! The signatures of what a server says about packages.

use dx_pkg_format::dxrp::{PackHead, ServerKey};
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// Returns whether the key has signed that the package has this content root.
#[must_use]
pub fn is_signed(head: &PackHead, key: &ServerKey) -> bool {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.point);
    key.verify(&head.statement().signed(), &head.signature).is_ok()
}

/// Returns the fingerprint of a key: SHA-256 in hexadecimal.
#[must_use]
pub fn fingerprint(key: &ServerKey) -> String {
    digest(&SHA256, &key.point).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
