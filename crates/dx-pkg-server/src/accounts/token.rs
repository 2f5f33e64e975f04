//! Tokens: what they may do, for how long and from where. The token itself is known to its user
//! only; the registry keeps its digest.

use crate::accounts::secret;
use crate::config::Network;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What every token begins with, so that scanners for leaked secrets find it.
const PREFIX: &str = "dxr_";
/// The characters of a token that a listing shows.
const SHOWN: usize = 10;

/// How much a token may do with packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Permission {
    NoAccess,
    ReadOnly,
    /// Publishing ends in the list of staged packages, for somebody to approve.
    ReadWriteStageOnly,
    #[default]
    ReadWrite,
}

/// What the registry knows of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The SHA-256 of the token, which is its identifier too.
    pub(crate) key: String,
    pub(crate) user: String,
    /// The first characters, by which its user recognises it.
    pub(crate) shown: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    /// In milliseconds since 1970, as all times of accounts.
    pub(crate) created: u64,
    pub(crate) expires: Option<u64>,
    #[serde(default)]
    pub(crate) permission: Permission,
    /// The packages and scopes that it is for; both empty: all.
    #[serde(default)]
    pub(crate) packages: Vec<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Whether it may change organisations and teams, and which; empty: all.
    #[serde(default)]
    pub(crate) orgs_permission: Permission,
    #[serde(default)]
    pub(crate) orgs: Vec<String>,
    /// The blocks of addresses that it may be used from; empty: any.
    #[serde(default)]
    pub(crate) cidr: Vec<String>,
    /// Whether it publishes without a one-time password.
    #[serde(default)]
    pub(crate) bypass_second_factor: bool,
    /// The trusted publisher that it was given to; then it can do nothing but publish.
    #[serde(default)]
    pub(crate) publisher: Option<String>,
}

impl Token {
    /// Makes a token with all rights of its user. Returns what the registry keeps, and the token
    /// itself, which nobody can show again.
    pub(crate) fn new(user: &str, now: u64) -> Result<(Self, String), Failure> {
        let text = format!("{PREFIX}{}", secret::random_hex(32)?);
        let token = Self {
            key: secret::digest(&text),
            user: user.to_owned(),
            shown: text.chars().take(SHOWN).collect(),
            name: String::new(),
            description: String::new(),
            created: now,
            expires: None,
            permission: Permission::default(),
            packages: Vec::new(),
            scopes: Vec::new(),
            orgs_permission: Permission::default(),
            orgs: Vec::new(),
            cidr: Vec::new(),
            bypass_second_factor: false,
            publisher: None,
        };
        Ok((token, text))
    }

    /// Whether `text` has the form of a token; others are not looked up.
    pub(crate) fn is_one(text: &str) -> bool {
        let random = text.strip_prefix(PREFIX).unwrap_or_default();
        random.len() == 64 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    /// Whether its time is over.
    pub(crate) fn is_expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it may be used from this address.
    pub(crate) fn may_come_from(&self, address: IpAddr) -> bool {
        let blocks = self.cidr.iter().filter_map(|block| block.parse::<Network>().ok());
        self.cidr.is_empty() || blocks.into_iter().any(|block| block.contains(address))
    }

    /// Whether it is for this package at all.
    pub(crate) fn covers(&self, name: &str) -> bool {
        let scope = name.strip_prefix('@').and_then(|name| name.split('/').next());
        self.is_for_all()
            || self.packages.iter().any(|package| package == name)
            || self.scopes.iter().any(|named| {
                scope.is_some_and(|scope| named.strip_prefix('@').unwrap_or(named) == scope)
            })
    }

    /// Whether it is for any package.
    pub(crate) fn is_for_all(&self) -> bool {
        self.packages.is_empty() && self.scopes.is_empty()
    }

    /// Whether it has all rights of its user, for ever and from anywhere: may manage the account
    /// and other tokens, which would outlast any limit of its own.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.permission == Permission::ReadWrite
            && self.is_for_all()
            && self.orgs_permission == Permission::ReadWrite
            && self.orgs.is_empty()
            && self.cidr.is_empty()
            && self.expires.is_none()
            && self.publisher.is_none()
    }

    /// Whether it may change teams and members of an organisation.
    pub(crate) fn may_change_org(&self, org: &str) -> bool {
        self.publisher.is_none()
            && self.permission == Permission::ReadWrite
            && self.orgs_permission == Permission::ReadWrite
            && (self.orgs.is_empty() || self.orgs.iter().any(|named| named == org))
            && (self.is_for_all() || !self.orgs.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn token_has_256_random_bits_and_is_kept_as_digest() {
        let (token, text) = Token::new("alice", 1).unwrap();
        let (_, other) = Token::new("alice", 1).unwrap();
        assert_ne!(text, other);
        assert!(Token::is_one(&text));
        assert_eq!(text.len(), "dxr_".len() + 64);
        assert!(!serde_json::to_string(&token).unwrap().contains(&text));
        for wrong in ["", "dxr_", "dxr_zz", &text[..40], &format!("{text}0"), "npm_abc"] {
            assert!(!Token::is_one(wrong), "{wrong}");
        }
    }

    #[test]
    fn packages_and_scopes_limit_a_token() {
        let (mut token, _) = Token::new("alice", 1).unwrap();
        assert!(token.covers("left") && token.covers("@acme/left") && token.is_unlimited());
        token.packages = vec!["left".to_owned(), "@other/one".to_owned()];
        token.scopes = vec!["@acme".to_owned(), "bare".to_owned()];
        assert!(!token.is_unlimited());
        for (name, covered) in [
            ("left", true),
            ("left2", false),
            ("@acme/any", true),
            ("@acme2/any", false),
            ("@bare/any", true),
            ("@other/one", true),
            ("@other/two", false),
            ("acme", false),
        ] {
            assert_eq!(token.covers(name), covered, "{name}");
        }
    }
}
