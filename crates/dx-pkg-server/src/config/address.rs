//! Addresses of registries in the configuration: `http:` or `https:`, always with a `/` at the end.

use serde::de::{Deserialize, Deserializer, Error};
use std::str::FromStr;
use url::Url;

/// The address of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) Url);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("{text:?} is no http: or https: address");
        let mut url: Url = text.parse().map_err(|_| fault())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(fault());
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
