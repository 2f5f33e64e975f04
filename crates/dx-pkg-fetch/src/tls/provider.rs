//! The cryptography of TLS: that of *ring*, with the curve P-521 and the cipher suites in CBC mode
//! for servers that have nothing better.

use super::{cbc, ecdsa, p521};
use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use std::sync::{Arc, LazyLock};

/// Returns the provider; it is made once.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(make()));
    Arc::clone(&PROVIDER)
}

fn make() -> CryptoProvider {
    let mut provider = ring::default_provider();
    // Named last: servers choose by the order of the client, or have one of their own.
    provider.cipher_suites.extend(cbc::suites(&provider));
    let random = provider.secure_random;
    provider.kx_groups.push(Box::leak(Box::new(p521::Group(random))));
    let own = provider.signature_verification_algorithms;
    provider.signature_verification_algorithms = with_ecdsa(&own);
    provider
}

/// Returns `own` algorithms and those of [`ecdsa`].
fn with_ecdsa(own: &WebPkiSupportedAlgorithms) -> WebPkiSupportedAlgorithms {
    let further = [
        ecdsa::P521_SHA512,
        ecdsa::P521_SHA384,
        ecdsa::P521_SHA256,
        ecdsa::P384_SHA512,
        ecdsa::P256_SHA512,
    ];
    let all = [own.all, &further].concat();
    let mut mapping = own.mapping.to_vec();
    // In TLS 1.2 a scheme tells the digest alone. In TLS 1.3 only the first algorithm counts.
    for (scheme, algorithms) in &mut mapping {
        let further = match *scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => ecdsa::P521_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384 => ecdsa::P521_SHA384,
            _ => continue,
        };
        *algorithms = [*algorithms, &[further]].concat().leak();
    }
    let of_sha512: &'static [_] =
        vec![ecdsa::P521_SHA512, ecdsa::P384_SHA512, ecdsa::P256_SHA512].leak();
    mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, of_sha512));
    WebPkiSupportedAlgorithms { all: all.leak(), mapping: mapping.leak() }
}
