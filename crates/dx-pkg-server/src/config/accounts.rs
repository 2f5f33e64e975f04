//! The table `[accounts]` of the configuration.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use url::Url;

/// The settings of accounts.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Accounts {
    /// Whether clients may make accounts for themselves (`npm adduser`).
    pub(crate) registration: bool,
    /// Whether reading takes a login.
    pub(crate) readers: Readers,
    /// Whether any user may found an organisation in a scope that nobody else publishes in.
    pub(crate) founding: bool,
    /// The issuers whose identity tokens are exchanged for tokens to publish with.
    pub(crate) issuers: Vec<Issuer>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            registration: false,
            readers: Readers::default(),
            founding: true,
            issuers: Vec::new(),
        }
    }
}

/// Whether reading takes a login, as the configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Readers {
    /// Anybody who reaches the registry reads what is not restricted.
    #[default]
    Everyone,
    /// Users read, nobody else.
    Users,
}

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
