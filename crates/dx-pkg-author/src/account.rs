//! What an account does at a registry: tags, owners, access, teams, tokens, logins.
//!
//! Each action returns what there is to say of it, for people and for programs.

mod access;
mod deprecate;
mod login;
mod owners;
mod profile;
mod stage;
mod tags;
mod teams;
mod tokens;
mod trust;
mod unpublish;

use std::path::Path;

use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::Spec;
use dx_pkg_install::{Environment, Session};
use serde_json::Value;

pub use access::access;
pub use deprecate::deprecate;
pub use login::{login, logout, whoami};
pub use owners::owners;
pub use profile::profile;
pub use stage::stage;
pub use tags::tags;
pub use teams::{orgs, teams};
pub use tokens::{NewToken, tokens};
pub use trust::{TrustFlags, trust};
pub use unpublish::unpublish;

use crate::AuthorError;
use crate::members::written_manifest;
use crate::registry::Registry;
use crate::script::Told;
use crate::source::argument;

/// What there is to say of an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// For people; empty where there is nothing to say.
    pub text: String,
    /// For programs.
    pub json: Value,
}

impl Said {
    fn new(text: impl Into<String>, json: impl Into<Value>) -> Self {
        Said { text: text.into(), json: json.into() }
    }
}

/// The account of a user, as one command uses it.
pub struct Account<'a> {
    /// The environment of the command.
    pub environment: &'a Environment,
    /// The folder of the package that is meant where none is named.
    pub folder: &'a Path,
    /// Settings and network.
    pub session: &'a Session,
    /// The name of the command.
    pub command: &'static str,
    /// Whether output is for programs, with tabs between its parts.
    pub is_parseable: bool,
    /// Who is told and asked.
    pub told: &'a dyn Told,
}

impl<'a> Account<'a> {
    fn config(&self) -> &Config {
        self.session.config()
    }

    /// Returns the registry of a package, or without a name the usual one.
    fn registry(&self, name: Option<&str>) -> Result<Registry<'a>, AuthorError> {
        Registry::of(self.session, name, self.command, self.told)
    }

    /// Returns the name of the package in the folder.
    fn own_name(&self, usage: &'static str) -> Result<String, AuthorError> {
        let manifest = written_manifest(self.folder);
        let name = manifest.as_ref().and_then(|manifest| manifest.get("name")?.as_str());
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        name.ok_or_else(|| usage_error("no package is named, and the folder has none", usage))
    }
}

/// A package that a word names.
struct Named {
    name: String,
    /// What stands behind `@`; `*` where nothing does.
    raw: String,
    spec: Spec,
}

impl Named {
    /// Reads a word that names a package of a registry.
    fn read(word: &str) -> Result<Self, AuthorError> {
        let read = argument(word)?;
        let name = read.name.as_ref().map(|name| name.as_str().to_owned());
        let name = name.filter(|_| read.spec.is_registry());
        let name = name.ok_or_else(|| AuthorError::Source { spec: word.to_owned() })?;
        Ok(Named { name, raw: read.raw.to_string(), spec: read.spec })
    }

    fn is_whole(&self) -> bool {
        self.raw == "*"
    }
}

fn usage_error(message: impl Into<String>, usage: &'static str) -> AuthorError {
    AuthorError::Usage { message: message.into(), usage }
}
