//! Errors and warnings of a configuration.

use dx_pkg_core::Coded;

use super::source::Source;

/// The reason for refusing a configuration. The texts leave out secrets and passwords in URLs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is not of its setting's kind.
    #[error("invalid value {value:?} for {}", setting_at(key, origin))]
    Invalid {
        /// The setting.
        key: String,
        /// The value without secrets.
        value: String,
        /// The place where it is set.
        origin: Source,
        /// The allowed values.
        allowed: &'static str,
    },
    /// A project's file takes a registry's address from the environment.
    #[error("{key:?} in {origin} refers to the environment variable {variable:?}")]
    RegistryFromEnvironment {
        /// The setting.
        key: String,
        /// The first variable it refers to.
        variable: String,
        /// The place where it is set.
        origin: Source,
    },
}

/// Returns a setting and its place in words.
fn setting_at(key: &str, origin: &Source) -> String {
    match origin {
        Source::Flag => format!("--{key}"),
        origin => format!("{key:?} in {origin}"),
    }
}

impl Coded for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "DX_CONFIG_INVALID",
            Self::RegistryFromEnvironment { .. } => ENV_IN_PROJECT,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Invalid { allowed, .. } => format!("allowed: {allowed}"),
            Self::RegistryFromEnvironment { .. } => {
                "a project's .npmrc must not read the environment, and without this line packages \
                 would come from another registry: write the address itself, or move the line to \
                 your own .npmrc"
                    .to_owned()
            }
        })
    }
}

const ENV_IN_PROJECT: &str = "DX_NPMRC_ENV_IN_PROJECT";

/// A warning about a setting that is not used as its author may expect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// A project's file refers to the environment; the setting counts as absent.
    #[error("{key:?} in {origin} refers to the environment variable {variable:?} and is not used")]
    EnvInProject {
        /// The setting.
        key: String,
        /// The first variable it refers to.
        variable: String,
        /// The place where it is set.
        origin: Source,
    },
    /// A variable is not set. A credential then counts as absent; another value stays as written.
    #[error(
        "{key:?} in {origin} refers to the environment variable {variable:?}, which is not set"
    )]
    EnvUnset {
        /// The setting.
        key: String,
        /// The first variable that is not set.
        variable: String,
        /// The place where it is set.
        origin: Source,
    },
    /// A registry has no address; the setting counts as absent.
    #[error("{key:?} in {origin} is empty and is not used")]
    EmptyRegistry {
        /// The setting.
        key: String,
        /// The place where it is set.
        origin: Source,
    },
    /// A project's file sets what only the user decides; the settings count as absent.
    #[error("{origin} sets {}, which a project does not decide; not used", keys.join(", "))]
    UntrustedProject {
        /// The settings, with their lines.
        keys: Vec<String>,
        /// The place where they are set.
        origin: Source,
        /// The project's folder.
        folder: String,
    },
    /// A project's file belongs to another user; nothing in it counts.
    #[error("{origin} belongs to another user and is not read")]
    OtherOwner {
        /// The file.
        origin: Source,
        /// The project's folder.
        folder: String,
    },
    /// A credential is not sent, as nobody but the project says that its registry has no TLS.
    #[error("the credential for {key} in {origin} is not sent without TLS")]
    PlainHttp {
        /// The place that the credential is for.
        key: String,
        /// The place where it is set.
        origin: Source,
        /// The address to name as a registry.
        registry: String,
    },
    /// Settings are not read.
    #[error("dx does not read {} in {origin}", keys.join(", "))]
    NotRead {
        /// The settings.
        keys: Vec<String>,
        /// The place where they are set.
        origin: Source,
    },
    /// Settings are in a file that the project's manager reads registries and credentials in only.
    #[error("{} in {origin} count for nothing: the project belongs to pnpm 11 or later", keys.join(", "))]
    NotOfPnpm {
        /// The settings.
        keys: Vec<String>,
        /// The place where they are set.
        origin: Source,
    },
    /// A credential is not bound to a registry; it is never sent.
    #[error("{key:?} in {origin} names no registry and is not used")]
    UnscopedCredential {
        /// The setting.
        key: String,
        /// The place where it is set.
        origin: Source,
    },
    /// A credential or its registry is malformed; it is never sent.
    #[error("{key:?} in {origin} is malformed and is not used: {reason}")]
    BadCredential {
        /// The setting.
        key: String,
        /// The mistake.
        reason: &'static str,
        /// The place where it is set.
        origin: Source,
    },
}

impl Coded for ConfigWarning {
    fn code(&self) -> &'static str {
        match self {
            Self::EnvInProject { .. } => ENV_IN_PROJECT,
            Self::EnvUnset { .. } => "DX_NPMRC_ENV_UNSET",
            Self::EmptyRegistry { .. } => "DX_NPMRC_EMPTY_REGISTRY",
            Self::UntrustedProject { .. } => "DX_NPMRC_UNTRUSTED",
            Self::OtherOwner { .. } => "DX_NPMRC_OTHER_OWNER",
            Self::PlainHttp { .. } => "DX_NPMRC_PLAIN_HTTP",
            Self::NotRead { .. } | Self::NotOfPnpm { .. } => "DX_NPMRC_NOT_READ",
            Self::UnscopedCredential { .. } => "DX_NPMRC_UNSCOPED_CREDENTIAL",
            Self::BadCredential { .. } => "DX_NPMRC_BAD_CREDENTIAL",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::EnvInProject { key, .. } => format!(
                "a project's .npmrc must not read the environment, or any project could send your \
                 secrets anywhere: move the line to the .npmrc in your home folder (in CI, with a \
                 step before the install), or set the environment variable npm_config_{key}"
            ),
            Self::EnvUnset { variable, .. } => {
                format!("set {variable}, or write ${{{variable}?}} where it may be missing")
            }
            Self::EmptyRegistry { .. } => {
                "write the registry's address, or remove the line".to_owned()
            }
            Self::UntrustedProject { folder, .. } => format!(
                "move them to the .npmrc in your home folder; or, if you trust this project as \
                 yourself, add the line trusted-projects[]={folder} there (in CI, set \
                 npm_config_trusted_projects={folder})"
            ),
            Self::OtherOwner { folder, .. } => format!(
                "remove it; or, if you trust that user as yourself, add the line \
                 trusted-projects[]={folder} to the .npmrc in your home folder"
            ),
            Self::PlainHttp { registry, .. } => format!(
                "use https:; or, if that registry has no TLS, write registry={registry} (or \
                 @scope:registry) beside the credential"
            ),
            Self::NotRead { .. } => {
                "docs/settings.md lists what dx reads; remove the others".to_owned()
            }
            Self::NotOfPnpm { .. } => {
                "write them into pnpm-workspace.yaml, which that pnpm reads them from, or into the \
                 .npmrc in your home folder"
                    .to_owned()
            }
            Self::UnscopedCredential { key, .. } => {
                format!("write //host/path/:{key}=… with the registry it is for")
            }
            Self::BadCredential { .. } => "correct or remove the line".to_owned(),
        })
    }
}

/// Returns a text without the secrets of the addresses in it.
#[must_use]
pub fn redact_urls(text: &str) -> String {
    dx_pkg_core::text::addresses::without_secrets(text).into_owned()
}

/// Returns whether a setting's value is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let name = key.rsplit(':').next().unwrap_or(key);
    name.starts_with('_')
        || key.starts_with("//")
        || matches!(name, "password" | "otp" | "key" | "cert" | "username")
}
