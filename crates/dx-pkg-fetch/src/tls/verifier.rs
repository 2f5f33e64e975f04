//! The checks of a server's certificate and of the signatures made with its key.

use super::certificate::Certificate;
use super::path::{Check, Trusted};
use super::refusal::{Cause, Refusal, TrustedFrom};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;

/// The length from which an RSA public key may have 2048 bits, in bytes.
const RSA_2048: usize = 256;

/// Accepts the certificates that webpki accepts, and those that it refuses for their form while
/// OpenSSL, and so npm, accepts them.
pub(super) struct Verifier {
    pub(super) trusted: Trusted,
    pub(super) trusted_from: TrustedFrom,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn by_webpki(
        &self,
        certificate: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        let (roots, algorithms) = (&self.trusted.roots, self.algorithms.all);
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, sent, now, algorithms)?;
        verify_server_name(&parsed, host)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Err(error) = self.by_webpki(end_entity, intermediates, server_name, now) else {
            return Ok(ServerCertVerified::assertion());
        };
        let check = Check {
            trusted: &self.trusted,
            algorithms: self.algorithms.all,
            sent: intermediates,
            host: server_name,
            now,
        };
        match check.server(end_entity) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(cause) => {
                // webpki may know why no path was found.
                let known = Cause::of(&error).filter(|_| cause == Cause::Issuer);
                let cause = known.map_or(cause, Cause::above_the_server);
                let refusal = Refusal::new(cause, end_entity, server_name, &self.trusted_from);
                Err(refusal.into_error())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
            .or_else(|error| self.verify_unparsed(message, certificate, signed, error, usize::MAX))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
            .or_else(|error| self.verify_unparsed(message, certificate, signed, error, 1))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Checks a signature of the handshake where webpki cannot read the certificate, with the
    /// first `candidates` algorithms of its scheme.
    fn verify_unparsed(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        error: Error,
        candidates: usize,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(read) = Certificate::read(certificate) else {
            return Err(error);
        };
        let known = self.algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let is_allowed = candidates > 1 || is_for_tls13(signed.scheme);
        let valid = known.filter(|_| is_allowed).is_some_and(|(_, algorithms)| {
            algorithms.iter().take(candidates).any(|algorithm| {
                algorithm.public_key_alg_id().as_ref() == read.key.algorithm
                    && algorithm
                        .verify_signature(read.key.bytes, message, signed.signature())
                        .is_ok()
            })
        });
        if valid {
            return Ok(HandshakeSignatureValid::assertion());
        }
        if is_rsa(signed.scheme) && read.key.bytes.len() < RSA_2048 {
            return Err(Refusal::weak_key(certificate, &self.trusted_from).into_error());
        }
        Err(error)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("trusted", &self.trusted_from).finish_non_exhaustive()
    }
}

fn is_rsa(scheme: SignatureScheme) -> bool {
    use SignatureScheme as Scheme;
    matches!(scheme, Scheme::RSA_PSS_SHA256 | Scheme::RSA_PSS_SHA384 | Scheme::RSA_PSS_SHA512)
        || !is_for_tls13(scheme)
}

/// Returns whether TLS 1.3 allows this scheme for signatures of the handshake (RFC 8446 §4.2.3).
fn is_for_tls13(scheme: SignatureScheme) -> bool {
    use SignatureScheme as Scheme;
    !matches!(
        scheme,
        Scheme::RSA_PKCS1_SHA1
            | Scheme::RSA_PKCS1_SHA256
            | Scheme::RSA_PKCS1_SHA384
            | Scheme::RSA_PKCS1_SHA512
            | Scheme::ECDSA_SHA1_Legacy
    )
}

/// `strict-ssl=false`: accepts any server.
///
/// Signatures of the handshake are not checked either. They prove that the server has the key of
/// its certificate, which tells nothing where every certificate is accepted, and the key may be of
/// a kind that only a check would have to know.
#[derive(Debug)]
pub(super) struct AcceptAnyone(pub(super) WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.0.supported_schemes();
        schemes.extend([
            SignatureScheme::ED448,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]);
        schemes
    }
}
