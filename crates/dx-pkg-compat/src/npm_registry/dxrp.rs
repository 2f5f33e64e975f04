//! What npm's HTTP registry and DXRP have in common: the address below the registry, credentials,
//! and the document by which a registry says that it speaks DXRP.

use super::{address, header};
use crate::npmrc::Config;
use dx_pkg_fetch::Credentials;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// Returns the address at which a registry speaks DXRP; `None` for one that can have nothing below
/// it.
#[must_use]
pub fn dxrp_address(registry: &Url) -> Option<Url> {
    address::below(registry, "-/dxrp/1/")
}

/// Returns the credentials for what a registry serves: those of the very URL, or the registry's
/// where both have one origin.
#[must_use]
pub fn credentials_of(config: &Config, registry: &Url) -> Credentials {
    let (config, registry) = (config.clone(), registry.clone());
    Arc::new(move |url| header(&config.credentials_for_artifact(url, &registry)?))
}

/// Returns whether an answer is the document by which a registry says that it speaks DXRP.
#[must_use]
pub fn announces_dxrp(answer: &[u8]) -> bool {
    let document: Option<Value> =
        crate::json_size::parse(answer, crate::json_size::ANSWER_VALUES).ok();
    document.and_then(|document| document.get("dxrp")?.as_u64()) == Some(1)
}
