use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_testkit::provenance::{IDENTITY, ISSUER, bundle};
use serde_json::{Value, json};

use super::{BundleFault, signer};

fn signed() -> Value {
    bundle("pkg:npm/tool@1.2.3", "00")
}

#[test]
fn signer_is_whom_the_certificate_names() {
    let found = signer(&signed()).unwrap();
    assert_eq!(found.identity, IDENTITY);
    assert_eq!(found.issuer.as_deref(), Some(ISSUER));
    assert_eq!(found.to_string(), format!("{IDENTITY} (vouched for by {ISSUER})"));
}

#[test]
fn older_bundles_have_a_chain_of_certificates() {
    let mut bundle = signed();
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    let certificate = material.remove("certificate").unwrap();
    material.insert("x509CertificateChain".into(), json!({ "certificates": [certificate] }));
    assert_eq!(signer(&bundle).unwrap().identity, IDENTITY);
}

#[test]
fn faults_are_told_apart() {
    const PAYLOAD: &str = "/dsseEnvelope/payload";
    const SIGNATURES: &str = "/dsseEnvelope/signatures";
    const RAW: &str = "/verificationMaterial/certificate/rawBytes";
    let other = bundle("pkg:npm/tool@1.2.4", "00");
    let one = signed().pointer(SIGNATURES).unwrap()[0].clone();
    for (place, value, fault) in [
        (PAYLOAD, other.pointer(PAYLOAD).unwrap().clone(), BundleFault::Signature),
        (PAYLOAD, json!("*"), BundleFault::Statement),
        (SIGNATURES, other.pointer(SIGNATURES).unwrap().clone(), BundleFault::Signature),
        (SIGNATURES, json!([{ "sig": "AAAA" }]), BundleFault::Signature),
        (SIGNATURES, json!([]), BundleFault::Signatures),
        (SIGNATURES, json!([one, one]), BundleFault::Signatures),
        (RAW, json!(null), BundleFault::NoCertificate),
        (RAW, json!("AAAA"), BundleFault::Certificate),
        ("/dsseEnvelope/payloadType", json!("text/plain"), BundleFault::Signature),
    ] {
        let mut bundle = signed();
        *bundle.pointer_mut(place).unwrap() = value.clone();
        assert_eq!(signer(&bundle), Err(fault), "{place} {value}");
    }
    assert_eq!(signer(&json!({})), Err(BundleFault::Statement));
}

#[test]
fn certificates_that_are_cut_off_are_refused_and_damage_is_no_panic() {
    const RAW: &str = "/verificationMaterial/certificate/rawBytes";
    let whole = signed().pointer(RAW).unwrap().as_str().unwrap().to_owned();
    let bytes = STANDARD.decode(whole).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        for certificate in [&changed[..], &bytes[..at]] {
            let mut bundle = signed();
            *bundle.pointer_mut(RAW).unwrap() = STANDARD.encode(certificate).into();
            // Bytes of the identity may be others: that they are the authority's is not looked at.
            let _ = signer(&bundle);
        }
        let mut bundle = signed();
        *bundle.pointer_mut(RAW).unwrap() = STANDARD.encode(&bytes[..at]).into();
        assert!(signer(&bundle).is_err(), "cut off at {at}");
    }
}
