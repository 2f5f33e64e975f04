//! TLS 1.2 with AES in CBC mode and HMAC (RFC 5246 §6.2.3.2, RFC 5289, RFC 8422), for servers that
//! know no other suite.
//!
//! Only with ephemeral keys. The MAC comes before the encryption: the TLS library does not
//! negotiate the other order (RFC 7366). So padding and MAC of a received record are checked in
//! the time that its length alone determines, see [`mac`].

mod mac;
mod record;
#[cfg(test)]
mod tests;

use mac::Digest;
use record::{Opener, Sealer};
use rustls::crypto::cipher::{
    AeadKey, KeyBlockShape, MessageDecrypter, MessageEncrypter, Tls12AeadAlgorithm,
    UnsupportedOperationError,
};
use rustls::crypto::tls12::Prf;
use rustls::crypto::{
    ActiveKeyExchange, CipherSuiteCommon, CryptoProvider, KeyExchangeAlgorithm, SecureRandom,
};
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite,
};

/// The most records under one key. A collision of blocks becomes likely after 2^64 of them, and a
/// record has 2^10.
const MOST_RECORDS: u64 = 1 << 32;

/// The label under which keys are derived (RFC 5246 §6.3).
const KEY_EXPANSION: &[u8] = b"key expansion";

/// The suites, the better ones first: identifier for ECDSA and for RSA, length of the key in
/// bytes, digest of the MAC. Those whose MAC is SHA-384 derive their keys with it too.
const SUITES: [(CipherSuite, CipherSuite, usize, Digest); 4] = [
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
        32,
        Digest::Sha384,
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
        16,
        Digest::Sha256,
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        32,
        Digest::Sha1,
    ),
    (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        16,
        Digest::Sha1,
    ),
];

/// Returns the suites in CBC mode, with the digests and key derivation of `provider`'s own suites.
/// They live as long as the process.
pub(super) fn suites(provider: &CryptoProvider) -> Vec<SupportedCipherSuite> {
    let mut made = Vec::new();
    for (for_ecdsa, for_rsa, key, digest) in SUITES {
        for (suite, is_ecdsa) in [(for_ecdsa, true), (for_rsa, false)] {
            let like = match (is_ecdsa, digest) {
                (true, Digest::Sha384) => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                (true, _) => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                (false, Digest::Sha384) => CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                (false, _) => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            };
            let own = provider.cipher_suites.iter().find_map(|own| match own {
                SupportedCipherSuite::Tls12(own) if own.common.suite == like => Some(*own),
                _ => None,
            });
            let Some(own) = own else { continue };
            let cipher = Cipher { key, digest, random: provider.secure_random };
            let derivation = Derivation { inner: own.prf_provider, key, mac: digest.length() };
            made.push(SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: CipherSuiteCommon {
                    suite,
                    hash_provider: own.common.hash_provider,
                    confidentiality_limit: MOST_RECORDS,
                },
                prf_provider: Box::leak(Box::new(derivation)),
                kx: KeyExchangeAlgorithm::ECDHE,
                sign: own.sign,
                aead_alg: Box::leak(Box::new(cipher)),
            }))));
        }
    }
    made
}

/// The cipher of a suite. The TLS library hands over the key for encryption as the key, and the
/// key of the MAC in the place of the fixed part of the nonce; see [`Derivation`].
struct Cipher {
    key: usize,
    digest: Digest,
    random: &'static dyn SecureRandom,
}

impl Tls12AeadAlgorithm for Cipher {
    fn encrypter(&self, key: AeadKey, iv: &[u8], _: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Sealer::new(key.as_ref(), self.digest.keyed(iv), self.random))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Opener::new(key.as_ref(), self.digest.keyed(iv)))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: self.key,
            fixed_iv_len: self.digest.length(),
            explicit_nonce_len: 0,
        }
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// The derivation of keys. The key block begins with the two keys of the MAC (RFC 5246 §6.3),
/// which the TLS library does not know of: they are moved to its end.
struct Derivation {
    inner: &'static dyn Prf,
    key: usize,
    mac: usize,
}

impl Prf for Derivation {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        kx: Box<dyn ActiveKeyExchange>,
        peer_pub_key: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.inner.for_key_exchange(output, kx, peer_pub_key, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.inner.for_secret(output, secret, label, seed);
        if label == KEY_EXPANSION && output.len() == 2 * (self.key + self.mac) {
            output.rotate_left(2 * self.mac);
        }
    }
}
