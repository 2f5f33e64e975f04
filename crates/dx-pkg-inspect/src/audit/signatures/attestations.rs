//! The attestations of packages: what they are about, and their signatures, by registries' keys or
//! by the keys of certificates.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_compat::provenance::{signed_message, signer};
use dx_pkg_core::Integrity;
use dx_pkg_install::Session;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::keys::Key;
use super::{Invalid, Signatures, Signed};
use crate::InspectError;
use crate::asked::{self, Asked};

#[derive(Deserialize)]
struct Statement {
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: HashMap<String, String>,
}

/// Checks the attestations of the packages that have any. They are read from the registry that the
/// package came from, whatever address it gives for them.
pub(super) fn check(
    session: &Session,
    result: &mut Signatures,
    keys: &HashMap<Url, Vec<Key>>,
) -> Result<(), InspectError> {
    let address = |(package, told, _): &(Signed, Value, Value)| {
        let registry = Url::parse(&package.registry).ok()?;
        let url = Url::parse(told.get("url")?.as_str()?).ok()?;
        Some((registry.join(url.path()).ok()?, registry))
    };
    let mut attested = Vec::new();
    let mut asked = Vec::new();
    for one in std::mem::take(&mut result.attested) {
        if let Some((url, registry)) = address(&one) {
            asked.push(Asked { url, body: None, accept: None });
            attested.push((one, registry));
        }
    }
    for ((one, registry), answer) in attested.into_iter().zip(asked::all(session, asked)?) {
        let (package, told, _) = one;
        let text =
            answer.map_err(|error| InspectError::RegistryRefused { source: Box::new(error) })?;
        let known = keys.get(&registry).map_or(&[][..], Vec::as_slice);
        let document: Value = parse(&text, ANSWER_VALUES).unwrap_or_default();
        let bundles = document.get("attestations").cloned().unwrap_or_default();
        match fault(&package, &bundles, known) {
            Some((message, key, signature)) => result.invalid.push(Invalid {
                message: format!(
                    "{}@{} failed to verify attestation: {message}",
                    package.name, package.version
                ),
                package,
                code: "EATTESTATIONVERIFY",
                key,
                signature,
            }),
            None => result.attested.push((package, told, bundles)),
        }
    }
    Ok(())
}

/// What does not hold, with the key and the signature.
type Fault = (String, Option<String>, Option<String>);

/// Returns what is wrong with the attestations of a package.
fn fault(package: &Signed, bundles: &Value, keys: &[Key]) -> Option<Fault> {
    let Some(bundles) = bundles.as_array().filter(|list| !list.is_empty()) else {
        return Some(("the registry has none".to_owned(), None, None));
    };
    bundles.iter().find_map(|one| bundle_fault(package, one, keys))
}

fn bundle_fault(package: &Signed, bundle: &Value, keys: &[Key]) -> Option<Fault> {
    let envelope = bundle.pointer("/bundle/dsseEnvelope");
    let text = |key: &str| envelope?.get(key)?.as_str();
    let signed = |key: &str| {
        let value = envelope?.pointer(&format!("/signatures/0/{key}"))?.as_str()?;
        Some(value.to_owned()).filter(|value| !value.is_empty())
    };
    let (key, signature) = (signed("keyid"), signed("sig"));
    let failed = |message: &str| Some((message.to_owned(), key.clone(), signature.clone()));
    let payload = text("payload").and_then(|payload| STANDARD.decode(payload).ok());
    let Some(payload) = payload else { return failed("it has no payload") };
    let Ok(statement) = serde_json::from_slice::<Statement>(&payload) else {
        return failed("its payload is no statement");
    };
    let Some(subject) = statement.subject.first() else { return failed("it has no subject") };
    if subject.name != purl(&package.name, &package.version) {
        return failed(&format!("it is about {}", subject.name));
    }
    if subject.digest.get("sha512").cloned() != hex_digest(package) {
        return failed("it is about other files");
    }
    // A provenance attestation has a certificate in place of a key.
    let Some(id) = key.as_ref() else {
        let fault = signer(bundle.get("bundle").unwrap_or(&Value::Null)).err()?;
        return failed(&fault.to_string());
    };
    let Some(known) = keys.iter().find(|known| known.id == *id) else {
        return failed("the registry does not show its key");
    };
    let time = bundle.pointer("/bundle/verificationMaterial/tlogEntries/0/integratedTime");
    let time = time.and_then(|time| time.as_u64().or_else(|| time.as_str()?.parse().ok()));
    if !known.was_valid(time.map(|seconds| seconds.saturating_mul(1000))) {
        return failed("its key was out of date");
    }
    let kind = text("payloadType").unwrap_or_default();
    let message = signed_message(kind, &payload);
    let holds =
        signature.as_ref().is_some_and(|signature| known.verifies_bytes(&message, signature));
    if holds { None } else { failed("its signature is not by that key") }
}

/// Returns the SHA-512 of a package's tarball in hexadecimal.
fn hex_digest(package: &Signed) -> Option<String> {
    let integrity = package.integrity.as_deref()?;
    Integrity::parse(integrity).ok()?;
    let digest = integrity.split_whitespace().find_map(|one| one.strip_prefix("sha512-"))?;
    let bytes = STANDARD.decode(digest.split('?').next()?).ok()?;
    Some(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Returns the address of a version as package URL.
pub(crate) fn purl(name: &str, version: &str) -> String {
    let name = name.replace('@', "%40");
    format!("pkg:npm/{name}@{}", version.replace('+', "%2B"))
}
