//! Errors of a `package.json`.

use dx_pkg_core::Coded;

/// The reason for refusing a `package.json`; the caller adds the file's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not JSON.
    #[error("package.json is not valid JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake in bytes, from 1; 0 at the start of a line.
        column: usize,
        /// The parser's message.
        reason: String,
    },
    /// There are more values in it than in any honest one.
    #[error("package.json has more than {limit} values")]
    TooManyValues {
        /// The limit that was passed.
        limit: usize,
    },
    /// Two sides of a merge are still in the text.
    #[error("package.json holds merge-conflict markers from line {line} on")]
    MergeConflict {
        /// Line of the first marker, from 1.
        line: usize,
    },
    /// The text is JSON but no object.
    #[error("package.json must hold an object, but it holds {found}")]
    NotAnObject {
        /// The kind of value that was found.
        found: &'static str,
    },
    /// A section of dependencies is something else than an object, and not empty.
    #[error("package.json gives {found} for {section}, where an object must stand")]
    SectionNotObject {
        /// The section as it is spelt in the file.
        section: &'static str,
        /// The kind of value that was found.
        found: &'static str,
    },
    /// A dependency's value is no string.
    #[error(
        "package.json gives {found} for {name:?} in {section}, where a version or a source must stand"
    )]
    DependencyNotText {
        /// The section as it is spelt in the file.
        section: &'static str,
        /// The dependency's name.
        name: String,
        /// The kind of value that was found.
        found: &'static str,
    },
    /// `workspaces` is neither a list nor an object with `packages`.
    #[error("package.json gives {found} for workspaces, where a list of patterns must stand")]
    Workspaces {
        /// The kind of value that was found.
        found: &'static str,
    },
    /// `overrides`, or an object inside it, is no object.
    #[error("package.json: \"overrides\" is not an object")]
    Overrides,
    /// The key of an override is not a package.
    #[error(
        "package.json: {key:?} in \"overrides\" is not the name of a package, with or without a version"
    )]
    OverrideKey {
        /// The key.
        key: String,
        /// The `overrides` in npm's writing that mean the same, as JSON.
        instead: Option<String>,
    },
    /// A rule of `packageExtensions` cannot be understood.
    #[error("package.json: packageExtensions: {what}")]
    PackageExtensions {
        /// What is wrong with it.
        what: String,
    },
    /// An entry of `patchedDependencies` cannot be understood.
    #[error("package.json: patchedDependencies: {what}")]
    PatchedDependencies {
        /// What is wrong with it.
        what: String,
    },
    /// A setting of pnpm cannot be understood.
    #[error("package.json: pnpm.{what}")]
    Pnpm {
        /// What is wrong with it.
        what: String,
    },
    /// The field `dx` cannot be understood.
    #[error("package.json: {what}")]
    Dx {
        /// What is wrong with it.
        what: String,
    },
    /// `devEngines` cannot be understood.
    #[error("package.json: {what}")]
    DevEngines {
        /// What is wrong with it.
        what: String,
    },
    /// An override is neither text nor an object.
    #[error("package.json: the override {key:?} is neither text nor an object")]
    Override {
        /// Its key.
        key: String,
    },
}

impl Coded for ManifestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "DX_MANIFEST_SYNTAX",
            Self::TooManyValues { .. } => "DX_MANIFEST_TOO_LARGE",
            Self::MergeConflict { .. } => "DX_MANIFEST_CONFLICT",
            Self::NotAnObject { .. } => "DX_MANIFEST_NOT_OBJECT",
            Self::SectionNotObject { .. } | Self::DependencyNotText { .. } => {
                "DX_MANIFEST_DEPENDENCY"
            }
            Self::Workspaces { .. } => "DX_MANIFEST_WORKSPACES",
            Self::Overrides | Self::Override { .. } | Self::OverrideKey { .. } => {
                "DX_BAD_OVERRIDES"
            }
            Self::PackageExtensions { .. } => "DX_BAD_PACKAGE_EXTENSIONS",
            Self::PatchedDependencies { .. } => "DX_BAD_PATCHED_DEPENDENCIES",
            Self::Pnpm { .. } => "DX_BAD_PNPM_SETTINGS",
            Self::Dx { .. } => "DX_BAD_DX_FIELD",
            Self::DevEngines { .. } => "DX_BAD_DEV_ENGINES",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Syntax { .. } => {
                "correct the text at that place; JSON has no comments and no comma after a last entry"
            }
            Self::TooManyValues { .. } => "move the data that it holds into a file of its own",
            Self::MergeConflict { .. } => "keep one side of each conflict and delete the markers",
            Self::NotAnObject { .. } => "the smallest valid package.json is {}",
            Self::SectionNotObject { .. } => {
                "write an object with names and ranges, such as {\"a\": \"^1.2.3\"}"
            }
            Self::DependencyNotText { .. } => {
                "write a string such as \"^1.2.3\", or remove the entry"
            }
            Self::Workspaces { .. } => {
                "write \"workspaces\": [\"packages/*\"] or {\"packages\": [\"packages/*\"]}"
            }
            Self::OverrideKey { instead: Some(json), .. } => {
                return Some(format!("npm's way to write it is \"overrides\": {json}"));
            }
            Self::Dx { .. } => {
                "write \"dx\": {\"singleVersion\": [\"react\"]}, with the names of packages"
            }
            Self::DevEngines { .. } => {
                "devEngines has packageManager, runtime, os, cpu and libc, each with name, version \
                 and onFail (ignore, warn, error or download), or a list of such"
            }
            Self::PackageExtensions { .. } => {
                "a rule is a name, with or without a range, and the dependencies that the package \
                 lacks: {\"a@^1\": {\"dependencies\": {\"b\": \"^2\"}}}"
            }
            Self::PatchedDependencies { .. } => {
                "an entry is a name, with or without a version, and a patch file of the project: \
                 {\"a@1.2.0\": \"patches/a.patch\"}"
            }
            Self::Pnpm { .. } => "write it as pnpm's documentation of the setting does",
            Self::Overrides | Self::Override { .. } | Self::OverrideKey { .. } => {
                "an override is a name with a version, or with an object of overrides that apply \
                 below it"
            }
        };
        Some(hint.to_owned())
    }
}
