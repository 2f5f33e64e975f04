//! The certificates in a file of authorities, as far as they can be read.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Returns the certificates of a file in PEM form, whatever stands around them, or the one of a
/// file in DER form. What cannot be read is left out: one damaged authority must not keep the
/// others from being used.
pub(super) fn certificates(file: &[u8]) -> Vec<CertificateDer<'static>> {
    // DER begins with a sequence whose length takes two bytes.
    if file.starts_with(&[0x30, 0x82]) {
        return vec![CertificateDer::from(file.to_vec())];
    }
    let text = String::from_utf8_lossy(file);
    let bodies = text.split(BEGIN).skip(1);
    let bodies = bodies.filter_map(|rest| rest.split_once(END).map(|(body, _)| body));
    bodies.filter_map(certificate).collect()
}

/// Reads one certificate from its lines in base64, indented or not.
fn certificate(body: &str) -> Option<CertificateDer<'static>> {
    let lines: Vec<&str> = body.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return None;
    }
    let pem = format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"));
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

#[cfg(test)]
mod tests;
