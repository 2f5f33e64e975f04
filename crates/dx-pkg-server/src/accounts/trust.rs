//! Trusted publishers: jobs of continuous integration that publish a package by an identity token
//! of their own (OpenID Connect), which is exchanged for a token of an hour.

mod claims;
mod jwt;

pub(crate) use jwt::{KeySet, Unverified};

use crate::accounts::secret;
use crate::accounts::token::Permission;
use crate::failure::Failure;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// The issuers that npm's commands name, unless the configuration names others of these types.
const KNOWN: [(&str, &str); 3] = [
    ("github", "https://token.actions.githubusercontent.com"),
    ("gitlab", "https://gitlab.com"),
    ("circleci", "https://oidc.circleci.com/org/"),
];
/// The most publishers of a package.
const MOST: usize = 50;

/// An issuer of identity tokens in the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Issuer {
    /// The type that publishers name: `github`, `gitlab`, `circleci`, or a name of one's own.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What the tokens have as `iss`; without a slash at the end unless they have one.
    pub(crate) url: String,
    /// The address of its keys; where there is none, its discovery document names it.
    #[serde(default, deserialize_with = "url")]
    pub(crate) keys: Option<Url>,
    /// What the tokens have as `aud`; `npm:` and this registry's host where nothing else is said.
    #[serde(default)]
    pub(crate) audience: Option<String>,
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

/// A trusted publisher of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publisher {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) claims: Map<String, Value>,
    /// `createPackage`, `createStagedPackage`.
    pub(crate) permissions: Vec<String>,
    /// The user who trusts it, in whose name it publishes.
    pub(crate) by: String,
}

/// What a client asks to trust.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(rename = "type")]
    kind: String,
    claims: Map<String, Value>,
    #[serde(default)]
    permissions: Option<Vec<String>>,
}

impl Wanted {
    /// Checks it and makes it a publisher.
    pub(crate) fn publisher(self, by: &str, issuers: &[Issuer]) -> Result<Publisher, Failure> {
        let fault = |text: String| Err(Failure::bad_request(text));
        if issuer_urls(&self.kind, issuers).is_empty() {
            return fault(format!("no issuer of the type {:?} is configured here", self.kind));
        }
        let significant = self.claims.iter().filter(|(_, value)| !value.is_null());
        let claims: Map<String, Value> =
            significant.map(|(key, value)| (key.clone(), value.clone())).collect();
        claims::check(&self.kind, &claims)?;
        let permissions = self.permissions.unwrap_or_else(|| vec!["createPackage".to_owned()]);
        let known = |permission: &String| {
            matches!(permission.as_str(), "createPackage" | "createStagedPackage")
        };
        if permissions.is_empty() || !permissions.iter().all(known) {
            return fault("permissions are createPackage and createStagedPackage".to_owned());
        }
        let id = secret::random_uuid()?;
        Ok(Publisher { id, kind: self.kind, claims, permissions, by: by.to_owned() })
    }
}

impl Publisher {
    /// Returns how a token for it may publish.
    pub(crate) fn permission(&self) -> Permission {
        if self.permissions.iter().any(|permission| permission == "createPackage") {
            Permission::ReadWrite
        } else {
            Permission::ReadWriteStageOnly
        }
    }

    /// Whether an issuer's tokens can be this publisher's.
    pub(crate) fn is_of(&self, issuer: &str, issuers: &[Issuer]) -> bool {
        issuer_urls(&self.kind, issuers)
            .iter()
            .any(|url| issuer == url || url.ends_with('/') && issuer.starts_with(url.as_str()))
    }

    /// Whether a verified identity token of an issuer is this publisher's.
    pub(crate) fn is_shown_by(&self, issuer: &str, token: &Value, issuers: &[Issuer]) -> bool {
        self.is_of(issuer, issuers) && claims::agree(&self.claims, token)
    }
}

/// Adds publishers to those of a package.
pub(crate) fn add(trust: &mut Vec<Publisher>, new: &[Publisher]) -> Result<(), Failure> {
    for publisher in new {
        let same =
            |known: &Publisher| known.kind == publisher.kind && known.claims == publisher.claims;
        if trust.iter().any(same) {
            return Err(Failure::conflict("this publisher is trusted already"));
        }
        trust.push(publisher.clone());
    }
    if trust.len() > MOST {
        return Err(Failure::bad_request(format!(
            "a package has {MOST} trusted publishers at most"
        )));
    }
    Ok(())
}

/// Returns the addresses of the issuers of a type: those configured, else the known one.
fn issuer_urls(kind: &str, issuers: &[Issuer]) -> Vec<String> {
    let configured: Vec<String> = issuers
        .iter()
        .filter(|issuer| issuer.kind == kind)
        .map(|issuer| issuer.url.clone())
        .collect();
    if !configured.is_empty() {
        return configured;
    }
    let known = KNOWN.iter().filter(|(known, _)| *known == kind);
    known.map(|(_, url)| (*url).to_owned()).collect()
}

/// Returns the configured issuer of an address.
pub(crate) fn configured<'a>(issuer: &str, issuers: &'a [Issuer]) -> Option<&'a Issuer> {
    issuers.iter().find(|known| known.url == issuer)
}

#[cfg(test)]
mod tests;
