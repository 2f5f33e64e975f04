//! Bundles of sigstore's: a statement about a package in an envelope (DSSE), and the certificate of
//! whoever signed it. Says who that is and whether the signature is theirs; that the certificate
//! comes from an authority to be trusted, and that a log has the signature, is not checked here.

mod certificate;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use serde_json::Value;

use certificate::Certificate;

/// Whoever signed a statement, as the certificate in its bundle names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// A job's workflow as an address, or the address of a person's mail.
    pub identity: String,
    /// The service that vouched for the identity.
    pub issuer: Option<String>,
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.issuer {
            Some(issuer) => write!(f, "{} (vouched for by {issuer})", self.identity),
            None => f.write_str(&self.identity),
        }
    }
}

/// The reason why a bundle does not say who signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// No statement.
    #[error("it has no statement in an envelope")]
    Statement,
    /// No signature, or several.
    #[error("it does not have one signature")]
    Signatures,
    /// No certificate.
    #[error("it does not have the certificate of its signer")]
    NoCertificate,
    /// A certificate that cannot be read, or names nobody.
    #[error("the certificate of its signer cannot be read")]
    Certificate,
    /// A key other than ECDSA P-256.
    #[error("the key of its signer is not ECDSA P-256, the only kind that is verified")]
    Key,
    /// A signature of something else, or by another key.
    #[error("its signature is not by the key of its certificate")]
    Signature,
}

/// Returns who signed the statement of a bundle.
///
/// # Errors
/// The bundle is incomplete, or the signature is not by the key of the certificate.
pub fn signer(bundle: &Value) -> Result<Signer, BundleFault> {
    let envelope = bundle.get("dsseEnvelope").ok_or(BundleFault::Statement)?;
    let (kind, payload) = statement(envelope).ok_or(BundleFault::Statement)?;
    let signatures = envelope.get("signatures").and_then(Value::as_array);
    let [signature] = signatures.map_or(&[][..], Vec::as_slice) else {
        return Err(BundleFault::Signatures);
    };
    let signature = bytes(signature.get("sig")).ok_or(BundleFault::Signatures)?;

    let material = bundle.get("verificationMaterial");
    // The first is the form 0.3 of bundles, the second that of older ones.
    let raw = ["/certificate/rawBytes", "/x509CertificateChain/certificates/0/rawBytes"]
        .iter()
        .find_map(|place| bytes(material?.pointer(place)))
        .ok_or(BundleFault::NoCertificate)?;
    let certificate = Certificate::read(&raw).ok_or(BundleFault::Certificate)?;
    let key = VerifyingKey::from_public_key_der(certificate.key).map_err(|_| BundleFault::Key)?;
    let signature = Signature::from_der(&signature).map_err(|_| BundleFault::Signature)?;
    key.verify(&signed_message(kind, &payload), &signature).map_err(|_| BundleFault::Signature)?;
    Ok(Signer { identity: certificate.identity, issuer: certificate.issuer })
}

/// Returns the bytes that a signature over a statement of a kind covers: the "pre-authentication
/// encoding" of DSSE.
#[must_use]
pub fn signed_message(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Returns the kind of an envelope's statement, and its bytes.
fn statement(envelope: &Value) -> Option<(&str, Vec<u8>)> {
    let kind = envelope.get("payloadType")?.as_str()?;
    Some((kind, bytes(envelope.get("payload"))?))
}

fn bytes(base64: Option<&Value>) -> Option<Vec<u8>> {
    STANDARD.decode(base64?.as_str()?).ok().filter(|bytes| !bytes.is_empty())
}
