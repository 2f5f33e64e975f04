//! The check of certificates that webpki refuses for their form, and OpenSSL does not.
//!
//! Servers inside companies often have one: made by `openssl req -x509`, and so marked as an
//! authority; of version 1; with a common name and no `subjectAltName`. What is checked is the
//! same as for any other (names, times, purposes, signatures up to a trusted authority), without
//! the demands of webpki on the form of the server's own certificate. An authority that constrains
//! names is refused here, since no constraint is evaluated.

use super::certificate::{Certificate, PublicKey};
use super::name;
use super::refusal::Cause;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};

/// The most authorities between a server and the one that is trusted.
const MOST_AUTHORITIES: usize = 6;
/// The most signatures that are checked for one server.
const MOST_SIGNATURES: u32 = 64;

/// The bits of `keyUsage` of which a server's key needs one: `digitalSignature`,
/// `keyEncipherment`, `keyAgreement`; and `keyCertSign`, which an authority's needs.
const SERVER_USES: u8 = 0x80 | 0x20 | 0x08;
const SIGNS_CERTIFICATES: u8 = 0x04;

/// The purpose `serverAuth` (1.3.6.1.5.5.7.3.1).
const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// The certificates that are trusted.
pub(super) struct Trusted {
    /// Their names and keys.
    pub(super) roots: RootCertStore,
    /// The certificates themselves.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

/// A server's certificate with what it is to be checked against.
pub(super) struct Check<'c> {
    pub(super) trusted: &'c Trusted,
    pub(super) algorithms: &'c [&'c dyn SignatureVerificationAlgorithm],
    /// The other certificates that the server sent.
    pub(super) sent: &'c [CertificateDer<'c>],
    pub(super) host: &'c ServerName<'c>,
    pub(super) now: UnixTime,
}

impl Check<'_> {
    /// Checks the certificate of a server.
    pub(super) fn server(&self, certificate: &CertificateDer<'_>) -> Result<(), Cause> {
        let server = Certificate::read(certificate).ok_or(Cause::Unreadable)?;
        self.times(&server)?;
        let extensions = &server.extensions;
        let has_use = extensions.key_usage.is_none_or(|uses| uses & SERVER_USES != 0);
        if !has_use || !serves(&server) {
            return Err(Cause::Purpose);
        }
        if extensions.has_unknown_critical {
            return Err(Cause::CriticalExtension);
        }
        if !name::is_for(&server, self.host) {
            return Err(Cause::Name);
        }
        if self.trusted.certificates.iter().any(|trusted| trusted == certificate) {
            return Ok(());
        }
        let mut signatures = MOST_SIGNATURES;
        if self.leads_up(&server, 0, &mut signatures) { Ok(()) } else { Err(Cause::Issuer) }
    }

    fn times(&self, certificate: &Certificate<'_>) -> Result<(), Cause> {
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        if now < certificate.not_before {
            Err(Cause::NotYetValid(certificate.not_before))
        } else if now > certificate.not_after {
            Err(Cause::Expired(certificate.not_after))
        } else {
            Ok(())
        }
    }

    /// Returns whether signatures lead from `certificate`, below which there are `below`
    /// authorities, up to a trusted one.
    fn leads_up(&self, certificate: &Certificate<'_>, below: usize, signatures: &mut u32) -> bool {
        let mut is_signed = |key: PublicKey<'_>| {
            *signatures = signatures.saturating_sub(1);
            *signatures > 0 && self.has_signed(key, certificate)
        };
        for root in &self.trusted.roots.roots {
            if root.subject.as_ref() == certificate.issuer
                && root.name_constraints.is_none()
                && PublicKey::read(&root.subject_public_key_info).is_some_and(&mut is_signed)
            {
                return true;
            }
        }
        if below == MOST_AUTHORITIES {
            return false;
        }
        let issuers: Vec<_> = self
            .sent
            .iter()
            .filter_map(|sent| Certificate::read(sent))
            .filter(|sent| sent.subject == certificate.issuer && self.may_issue(sent, below))
            .filter(|sent| is_signed(sent.key))
            .collect();
        issuers.iter().any(|issuer| self.leads_up(issuer, below + 1, signatures))
    }

    /// Returns whether `authority` may issue certificates, with `below` authorities between it
    /// and a server.
    fn may_issue(&self, authority: &Certificate<'_>, below: usize) -> bool {
        let extensions = &authority.extensions;
        let (is, most) = extensions.authority.unwrap_or((false, None));
        authority.is_version_3
            && is
            && most.is_none_or(|most| usize::from(most) >= below)
            && extensions.key_usage.is_none_or(|uses| uses & SIGNS_CERTIFICATES != 0)
            && serves(authority)
            && !extensions.constrains_names
            && !extensions.has_unknown_critical
            && self.times(authority).is_ok()
    }

    fn has_signed(&self, key: PublicKey<'_>, certificate: &Certificate<'_>) -> bool {
        self.algorithms.iter().any(|algorithm| {
            algorithm.public_key_alg_id().as_ref() == key.algorithm
                && algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm
                && algorithm
                    .verify_signature(key.bytes, certificate.signed, certificate.signature)
                    .is_ok()
        })
    }
}

/// Returns whether the purposes of a certificate, where it has any, include that of a server.
fn serves(certificate: &Certificate<'_>) -> bool {
    certificate.extensions.purposes.as_ref().is_none_or(|purposes| purposes.contains(&SERVER))
}
