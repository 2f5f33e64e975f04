//! The cryptography of TLS: that of *ring*, with the curve P-521 and the cipher suites in CBC mode
//! for servers that have nothing better.

use super::{cbc, p521};
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
    provider.signature_verification_algorithms = with_p521(&own);
    provider
}

/// Returns `own` algorithms and those with a key on P-521.
fn with_p521(own: &WebPkiSupportedAlgorithms) -> WebPkiSupportedAlgorithms {
    let mut all = own.all.to_vec();
    all.extend([p521::SHA256, p521::SHA384, p521::SHA512]);
    let mut mapping = own.mapping.to_vec();
    for (scheme, algorithms) in &mut mapping {
        // In TLS 1.2 a scheme tells the digest alone. In TLS 1.3 only the first one counts.
        let further = match *scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => p521::SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384 => p521::SHA384,
            _ => continue,
        };
        let mut list = algorithms.to_vec();
        list.push(further);
        *algorithms = list.leak();
    }
    let largest: &'static [_] = vec![p521::SHA512].leak();
    mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, largest));
    WebPkiSupportedAlgorithms { all: all.leak(), mapping: mapping.leak() }
}
