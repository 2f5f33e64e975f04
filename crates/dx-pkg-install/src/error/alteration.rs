//! Errors of what a project alters of packages.

use dx_pkg_core::Coded;

/// A patch or program of a project that cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlterationError {
    /// Patches are for no package.
    #[error("no installed package has the name and version of {} in patchedDependencies", keys.join(", "))]
    Unused {
        /// Their keys.
        keys: Vec<String>,
    },
    /// A patch file is not there.
    #[error("{file}, the patch for {key}, does not exist")]
    NoPatch {
        /// The key of its entry.
        key: String,
        /// The patch file.
        file: String,
    },
    /// Two patches are for one package, and neither of their ranges is part of the other.
    #[error("both {} and {} are for {package}", keys[0], keys[1])]
    Ambiguous {
        /// The package with its version.
        package: String,
        /// Both, in words.
        keys: [String; 2],
    },
    /// A patch is for a package that cannot be patched.
    #[error("{patch} is for {package}, which cannot be patched: {reason}")]
    NotPatchable {
        /// The package with its version.
        package: String,
        /// The patch, in words.
        patch: String,
        /// The reason.
        reason: &'static str,
    },
    /// A workspace has patches.
    #[error(
        "patchedDependencies in {workspace}/package.json: patches count in the project's own package.json only"
    )]
    InWorkspace {
        /// The workspace's folder.
        workspace: String,
    },
    /// A frozen lockfile was written with other patches.
    #[error(
        "{}",
        if *is_recorded {
            format!("the lockfile has another patch for {package} than package.json and its file")
        } else {
            format!("the lockfile does not have the patch for {package} in package.json")
        }
    )]
    Frozen {
        /// The package with its version.
        package: String,
        /// Whether the lockfile has a patch for it.
        is_recorded: bool,
    },
    /// A program of npm's changes manifests.
    #[error("{file} changes what packages require, by a program that dx does not run")]
    Program {
        /// The file.
        file: &'static str,
    },
    /// There are two such programs.
    #[error("there are both a .npm-extension.mjs and a .npm-extension.cjs")]
    TwoPrograms,
}

impl Coded for AlterationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unused { .. } => "DX_UNUSED_PATCH",
            Self::NoPatch { .. } => "DX_NO_PATCH_FILE",
            Self::Ambiguous { .. } | Self::NotPatchable { .. } | Self::InWorkspace { .. } => {
                "DX_BAD_PATCHED_DEPENDENCIES"
            }
            Self::Frozen { .. } => "DX_LOCKFILE_OUT_OF_DATE",
            Self::Program { .. } | Self::TwoPrograms => "DX_NPM_EXTENSION",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unused { .. } => {
                "correct the version, remove the entry, or go on with --allow-unused-patches".into()
            }
            Self::NoPatch { .. } => {
                "restore the file from version control, or remove what names it".into()
            }
            Self::Ambiguous { package, .. } => {
                format!(
                    "keep one of them, or narrow its range; in patchedDependencies an entry for \
                     {package} itself decides"
                )
            }
            Self::NotPatchable { .. } => "remove the patch from package.json".into(),
            Self::InWorkspace { .. } => "move the entries to the project's package.json".into(),
            Self::Frozen { .. } => "run dx install to bring the lockfile up to date".into(),
            Self::Program { .. } => {
                "install with npm, which runs it; dx ci and dx install --frozen-lockfile install \
                 from the lockfile that npm then wrote. To install without it, use \
                 --ignore-scripts"
                    .into()
            }
            Self::TwoPrograms => "keep one of them".into(),
        })
    }
}
