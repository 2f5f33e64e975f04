//! The reasons why the files, protocols and pins of other managers cannot be used.

use dx_pkg_core::Coded;
use dx_pkg_core::text::suggest;

/// A file, protocol or pin of another package manager that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// A settings file cannot be read.
    #[error("cannot read {file}{place}: {reason}")]
    Syntax {
        /// The file.
        file: &'static str,
        /// The place in it, with a space in front.
        place: String,
        /// The reason.
        reason: String,
    },
    /// A setting has a value of another kind.
    #[error("{key} in {file} is not {wanted}")]
    Value {
        /// The file.
        file: &'static str,
        /// The setting.
        key: String,
        /// The kind of value that belongs there.
        wanted: &'static str,
    },
    /// Two homes of catalogs contradict each other.
    #[error(
        "the catalog {catalog} has two requirements for {package}: {} in {} and {} in {}",
        first.1, first.0, second.1, second.0
    )]
    CatalogContradiction {
        /// The package.
        package: String,
        /// The catalog.
        catalog: String,
        /// One file, and its requirement.
        first: (&'static str, String),
        /// The other one.
        second: (&'static str, String),
    },
    /// A requirement names a catalog that is not there.
    #[error("{package} is required from the catalog {catalog}, which does not exist")]
    NoCatalog {
        /// The dependency.
        package: String,
        /// The catalog.
        catalog: String,
        /// The catalogs that there are.
        known: Vec<String>,
    },
    /// A catalog does not have a package.
    #[error("{package} is required from the catalog {catalog}, which does not have it")]
    NoCatalogEntry {
        /// The dependency.
        package: String,
        /// The catalog.
        catalog: String,
        /// The packages that it has.
        known: Vec<String>,
    },
    /// An entry of a catalog is one that no manager allows there.
    #[error(
        "the catalog gives {value:?} for {package}, which must be a version, a range or the like"
    )]
    CatalogValue {
        /// The dependency.
        package: String,
        /// The entry.
        value: String,
    },
    /// A requirement names a workspace that is not there.
    #[error("{required_by} requires {package}@{spec}, and no workspace {wanted}")]
    NoWorkspace {
        /// The manifest that requires it.
        required_by: String,
        /// The dependency.
        package: String,
        /// The requirement.
        spec: String,
        /// What the workspace would have, such as "is called a".
        wanted: String,
        /// The workspaces that there are, with their versions.
        known: Vec<String>,
    },
    /// A requirement of JSR's protocol cannot be read.
    #[error(
        "cannot install {package}@{spec}: packages of JSR have a scope, as in jsr:@scope/name@^1"
    )]
    BadJsr {
        /// The dependency.
        package: String,
        /// The requirement.
        spec: String,
    },
    /// An argument of `add` has a requirement and no name.
    #[error("{argument:?} does not tell which package is meant")]
    NoName {
        /// The argument.
        argument: String,
    },
    /// A protocol that only another manager's projects may use.
    #[error(
        "{required_by} requires {package}@{spec}: portal: is a protocol of yarn, and this project is not one of yarn's"
    )]
    Portal {
        /// The manifest that requires it.
        required_by: String,
        /// The dependency.
        package: String,
        /// The requirement.
        spec: String,
    },
    /// A `patch:` that cannot be carried out.
    #[error("{required_by} requires {package}@{spec}: {problem}")]
    Patch {
        /// The manifest that requires it.
        required_by: String,
        /// The dependency.
        package: String,
        /// The requirement.
        spec: String,
        /// The problem.
        problem: &'static str,
    },
    /// Two fields pin the same requirements to different versions.
    #[error(
        "{key} is pinned twice: to {} in {} and to {} in {}",
        first.1, first.0, second.1, second.0
    )]
    PinContradiction {
        /// The packages.
        key: String,
        /// One field, and its value.
        first: (&'static str, String),
        /// The other one.
        second: (&'static str, String),
    },
}

impl Coded for HomeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "DX_SETTINGS_SYNTAX",
            Self::Value { .. } => "DX_SETTINGS_VALUE",
            Self::CatalogContradiction { .. } | Self::PinContradiction { .. } => {
                "DX_PIN_CONTRADICTION"
            }
            Self::NoCatalog { .. } | Self::NoCatalogEntry { .. } | Self::CatalogValue { .. } => {
                "DX_NO_CATALOG_ENTRY"
            }
            Self::NoWorkspace { .. } => "DX_NO_WORKSPACE",
            Self::BadJsr { .. } | Self::NoName { .. } => "DX_INVALID_SPEC",
            Self::Portal { .. } => "DX_UNSUPPORTED_PROTOCOL",
            Self::Patch { .. } => "DX_BAD_PATCHED_DEPENDENCIES",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Syntax { .. } => "correct the file".to_owned(),
            Self::Value { .. } => "correct the setting, or remove it".to_owned(),
            Self::CatalogContradiction { .. } | Self::PinContradiction { .. } => {
                "keep one of them".to_owned()
            }
            Self::NoCatalog { known, .. } if known.is_empty() => {
                "write a version, or add catalogs to pnpm-workspace.yaml, .yarnrc.yml or, as bun \
                 has them, package.json"
                    .to_owned()
            }
            Self::NoCatalog { known, catalog, .. } => {
                format!("there are {}{}", known.join(", "), nearest(catalog, known))
            }
            Self::NoCatalogEntry { known, package, .. } => {
                format!("it has {}{}; add the package to it", listed(known), nearest(package, known))
            }
            Self::CatalogValue { .. } => {
                "write the requirement where the package is required instead".to_owned()
            }
            Self::NoWorkspace { known, .. } if known.is_empty() => {
                "the project has no workspaces: name them in workspaces in package.json or, as pnpm \
                 has it, in packages in pnpm-workspace.yaml"
                    .to_owned()
            }
            Self::NoWorkspace { known, .. } => format!("the workspaces are {}", listed(known)),
            Self::BadJsr { .. } => "write the package's scope and name".to_owned(),
            Self::NoName { argument } => format!("write the name in front: name@{argument}"),
            Self::Portal { .. } => "write file: with the same path".to_owned(),
            Self::Patch { package, .. } => {
                format!("write patch:{package}@npm:VERSION#~/FILE, with a patch file of the project")
            }
        })
    }
}

/// Returns the first of these names, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match (names.len(), more) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => shown,
        (_, more) => format!("{shown} and {more} more"),
    }
}

/// Returns a question after the name that was meant, where one is near.
fn nearest(name: &str, known: &[String]) -> String {
    suggest::nearest(name, known.iter().map(String::as_str))
        .map_or_else(String::new, |near| format!("; was {near} meant?"))
}
