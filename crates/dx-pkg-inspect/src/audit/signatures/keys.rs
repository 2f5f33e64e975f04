//! The keys by which registries sign: ECDSA over P-256 and SHA-256.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_fetch::StatusCode;
use dx_pkg_install::Session;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature as EcdsaSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use serde::Deserialize;
use url::Url;

use super::Signature;
use crate::InspectError;
use crate::asked::{self, Asked};

/// Where registries show their keys.
const PATH: &str = "-/npm/v1/keys";

/// The time at which a version counts as published whose time is not known: that of npm's change
/// of keys, in milliseconds since 1970.
const UNKNOWN_TIME: u64 = 1_420_070_400_000;

/// A key of a registry.
pub(super) struct Key {
    pub(super) id: String,
    /// Until when it was valid, in milliseconds since 1970.
    expires: Option<u64>,
    key: Option<VerifyingKey>,
}

#[derive(Deserialize)]
struct KeysDocument {
    #[serde(default)]
    keys: Vec<KeyDocument>,
}

#[derive(Deserialize)]
struct KeyDocument {
    #[serde(default)]
    keyid: String,
    #[serde(default)]
    key: String,
    expires: Option<String>,
}

/// Asks registries for their keys. One that shows none has none.
pub(super) fn of_registries(
    session: &Session,
    registries: Vec<Url>,
) -> Result<HashMap<Url, Vec<Key>>, InspectError> {
    let asked = registries.iter().map(|registry| Asked {
        url: asked::below(registry, PATH),
        body: None,
        accept: None,
    });
    let mut found = HashMap::new();
    for (registry, answer) in registries.iter().zip(asked::all(session, asked.collect())?) {
        let keys = match answer {
            Ok(text) => keys(&text).ok_or_else(|| InspectError::KeysUnreadable {
                registry: dx_pkg_fetch::redact_url(registry),
            })?,
            Err(error)
                if matches!(
                    error.status(),
                    Some(StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST)
                ) =>
            {
                Vec::new()
            }
            Err(error) => return Err(InspectError::RegistryRefused { source: Box::new(error) }),
        };
        found.insert(registry.clone(), keys);
    }
    Ok(found)
}

fn keys(text: &[u8]) -> Option<Vec<Key>> {
    let document: KeysDocument = parse(text, ANSWER_VALUES).ok()?;
    let key = |one: KeyDocument| {
        let der = STANDARD.decode(one.key.trim()).ok();
        Key {
            id: one.keyid,
            expires: one.expires.as_deref().and_then(milliseconds),
            key: der.and_then(|der| VerifyingKey::from_public_key_der(&der).ok()),
        }
    };
    Some(document.keys.into_iter().map(key).collect())
}

impl Key {
    /// Returns whether a signature is by this key, and the key is out of date one day.
    pub(super) fn expires_for(&self, signature: &Signature) -> bool {
        self.id == signature.keyid && self.expires.is_some()
    }

    /// Returns whether the key was valid when something was published.
    pub(super) fn was_valid(&self, published: Option<u64>) -> bool {
        self.expires.is_none_or(|expires| published.unwrap_or(UNKNOWN_TIME) < expires)
    }

    /// Returns whether a signature in base64 is this key's, of this text.
    pub(super) fn verifies(&self, text: &str, signature: &str) -> bool {
        self.verifies_bytes(text.as_bytes(), signature)
    }

    /// Returns whether a signature in base64 is this key's, of these bytes.
    pub(super) fn verifies_bytes(&self, bytes: &[u8], signature: &str) -> bool {
        let Some(key) = &self.key else { return false };
        let signature = STANDARD.decode(signature.trim()).ok();
        let signature = signature.and_then(|der| EcdsaSignature::from_der(&der).ok());
        signature.is_some_and(|signature| key.verify(bytes, &signature).is_ok())
    }
}

/// Returns a time such as `2022-12-01T00:00:00.000Z` in milliseconds since 1970.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's `days_from_civil`.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = match (part(11, 13), part(14, 16), part(17, 19)) {
        (Some(hours), Some(minutes), Some(seconds)) => hours * 3600 + minutes * 60 + seconds,
        _ => 0,
    };
    let millis = if text.get(19..20) == Some(".") { part(20, 23).unwrap_or(0) } else { 0 };
    Some((days * 86_400 + seconds) * 1000 + millis)
}
