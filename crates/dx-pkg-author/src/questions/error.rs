//! The errors of questions to a registry.

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::npm_registry::RegistryError;
use dx_pkg_core::Coded;
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::{FetchError, StatusCode};
use dx_pkg_install::InstallError;

/// A question to a registry that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// The project or the settings cannot be read, or there is no network.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The registry has no such package, or does not tell.
    #[error(transparent)]
    Registry(Box<RegistryError>),
    /// A request failed.
    #[error(transparent)]
    Fetch(#[from] Box<FetchError>),
    /// No version of the package is what was asked for.
    #[error("no match found for version {version} of {name}")]
    NoVersion {
        /// The package.
        name: String,
        /// The version, range or tag.
        version: String,
    },
    /// Every version of the package was taken back.
    #[error("{name} was unpublished on {time}")]
    Unpublished {
        /// The package.
        name: String,
        /// When that was.
        time: String,
    },
    /// A field ends in empty brackets.
    #[error("the field {field} ends in []: give the place in the list, as in {list}[0]")]
    EmptyBrackets {
        /// The field.
        field: String,
        /// The field without the brackets.
        list: String,
    },
    /// The project has no name that could be looked up.
    #[error("package.json has no name to ask the registry for")]
    NoName,
    /// A package that is no package of a registry.
    #[error("{spec} is no package of a registry")]
    NotOfRegistry {
        /// The words.
        spec: String,
    },
    /// The package does not say where its repository is.
    #[error("{package} names no repository")]
    NoRepository {
        /// The package.
        package: String,
    },
    /// The address of a page is none that a browser can open.
    #[error("{address} is not an address that a browser opens")]
    NoPage {
        /// The address.
        address: String,
    },
    /// Nothing is searched for.
    #[error("there is nothing to search for")]
    NothingToSearch,
    /// The answer of a search is none.
    #[error("the registry's answer to the search cannot be read: {reason}")]
    BadSearch {
        /// What is wrong with it.
        reason: String,
    },
}

impl From<RegistryError> for QuestionError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<AcquireError> for QuestionError {
    fn from(error: AcquireError) -> Self {
        Self::Install(error.into())
    }
}

impl QuestionError {
    /// Returns npm's code for the error, which scripts look for in its JSON.
    #[must_use]
    pub fn npm_code(&self) -> &'static str {
        let of_fetch =
            |error: &FetchError| match (error.status().map(|it| it.as_u16()), &error.cause) {
                (Some(401), _) => "E401",
                (Some(403), _) => "E403",
                (Some(404), _) => "E404",
                (Some(_), _) => "E500",
                (_, FetchCause::Offline) => "ENOTCACHED",
                (_, FetchCause::Timeout { .. }) => "ETIMEDOUT",
                (_, FetchCause::Dns { .. }) => "ENOTFOUND",
                (_, FetchCause::Connect { .. }) => "ECONNREFUSED",
                _ => "EUNKNOWN",
            };
        match self {
            Self::Registry(error) => match &**error {
                RegistryError::Unauthorized { status, .. } => match *status {
                    StatusCode::FORBIDDEN => "E403",
                    _ => "E401",
                },
                RegistryError::Fetch { error, .. } => of_fetch(error),
                RegistryError::NotFound { .. } => "E404",
                _ => "EUNKNOWN",
            },
            Self::Fetch(error) => of_fetch(error),
            Self::NoVersion { .. } | Self::Unpublished { .. } => "E404",
            Self::EmptyBrackets { .. } => "EINVALIDSYNTAX",
            Self::Install(InstallError::NoManifest { .. }) => "ENOENT",
            Self::Install(error) if error.code() == "DX_MANIFEST_SYNTAX" => "EJSONPARSE",
            other => other.code(),
        }
    }

    /// Returns whether a registry does not have what was asked for.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.npm_code() == "E404"
    }
}

impl Coded for QuestionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Install(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::Fetch(error) => error.code(),
            Self::NoVersion { .. } | Self::Unpublished { .. } => "DX_NO_MATCHING_VERSION",
            Self::EmptyBrackets { .. } => "DX_BAD_FIELD",
            Self::NoName => "DX_NO_NAME",
            Self::NotOfRegistry { .. } => "DX_NOT_OF_REGISTRY",
            Self::NoRepository { .. } | Self::NoPage { .. } => "DX_NO_PAGE",
            Self::NothingToSearch | Self::BadSearch { .. } => "DX_SEARCH",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Install(error) => return error.hint(),
            Self::Registry(error) => return error.hint(),
            Self::Fetch(error) => return error.hint(),
            Self::NoVersion { name, .. } => {
                format!(
                    "`dx view {name} versions` lists its versions, `dx view {name} dist-tags` \
                     its tags"
                )
            }
            Self::NoName => "name a package: `dx view react`".to_owned(),
            Self::NotOfRegistry { .. } => "give its name, or a name with a version".to_owned(),
            Self::NoRepository { package } => {
                format!("`dx docs {package}` opens its home page")
            }
            Self::NothingToSearch => "write the words after it: `dx search date format`".to_owned(),
            Self::BadSearch { .. } => "the registry may have no search".to_owned(),
            Self::Unpublished { .. } | Self::EmptyBrackets { .. } | Self::NoPage { .. } => {
                return None;
            }
        })
    }
}
