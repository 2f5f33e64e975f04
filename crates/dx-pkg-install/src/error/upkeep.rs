//! Errors of the commands that look after what is installed.

use std::path::PathBuf;

use dx_pkg_compat::packlist::PackError;
use dx_pkg_compat::patch::PatchError;
use dx_pkg_core::Coded;

/// A command that cannot be carried out on what is installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpkeepError {
    /// An argument of `dx rebuild` is of another kind.
    #[error("{argument:?} names no installed packages")]
    RebuildArgument {
        /// The argument as written.
        argument: String,
    },
    /// Arguments name packages that are not installed.
    #[error("no installed packages match: {}", unknown.join(", "))]
    NotInstalled {
        /// The arguments as written.
        unknown: Vec<String>,
    },
    /// A command that only writes is to write nothing.
    #[error("`dx {command}` has no dry run")]
    NoDryRun {
        /// The command's name.
        command: &'static str,
    },
    /// A command for one workspace was given several.
    #[error("several workspaces are named, and one is deployed at a time: {}", given.join(", "))]
    SeveralWorkspaces {
        /// The workspaces as written.
        given: Vec<String>,
    },
    /// A package to patch is in the tree in several versions.
    #[error("several versions of {package} match: {}", versions.join(", "))]
    SeveralVersions {
        /// The name of the package.
        package: String,
        /// The versions.
        versions: Vec<String>,
    },
    /// A package to patch does not come from a registry.
    #[error("{package} does not come from a registry, so it cannot be patched")]
    PatchOfOther {
        /// The package as written, or with its version.
        package: String,
    },
    /// The registry does not have a version.
    #[error("the registry has no {package}")]
    NoVersion {
        /// The package with its version.
        package: String,
    },
    /// A folder holds no copy of a package.
    #[error("{} has no package.json with name and version", folder.display())]
    NoEditFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder for a copy of a package is not empty.
    #[error("{} is not empty", folder.display())]
    EditFolderInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A change cannot be written as a patch.
    #[error("the changes of {package} cannot be written as a patch")]
    NotPatchable {
        /// The name of the package.
        package: String,
        /// The reason.
        source: PatchError,
    },
    /// A patch does not fit the version that it was made for.
    #[error("{file} does not fit the version that it was made for")]
    PatchDoesNotFit {
        /// The patch file.
        file: String,
        /// The reason.
        source: PatchError,
    },
    /// A folder for patches is outside of the project.
    #[error("the folder {folder:?} for patches is not in the project")]
    PatchOutside {
        /// The setting.
        folder: String,
    },
    /// A package has no patch.
    #[error("there is no patch for {package} in package.json")]
    NoPatch {
        /// The package as written.
        package: String,
    },
    /// A patch is for this version already.
    #[error("the patch is for {package} already")]
    PatchIsCurrent {
        /// The package with its version.
        package: String,
    },
    /// There is another patch for the version that one is carried over to.
    #[error("there is another patch for {package}")]
    PatchExists {
        /// The package with its version.
        package: String,
    },
    /// A patch changes nothing in the version that it is carried over to.
    #[error("the patch changes nothing in {package}, which has the change itself")]
    PatchIsEmpty {
        /// The package with its version.
        package: String,
    },
    /// The lockfile has no version for an entry.
    #[error("the lockfile has no version that fits the patch {key}")]
    PatchIsStale {
        /// The key of the entry.
        key: String,
    },
    /// The version that a patch was made for is not known.
    #[error("neither the name of {file} nor its entry tells the version that it was made for")]
    UnknownPatchVersion {
        /// The patch file.
        file: String,
    },
    /// A package to link is not registered.
    #[error("no package {name} is linked here or registered with `dx link`")]
    NotLinked {
        /// The name.
        name: String,
    },
    /// A command of a package to register belongs to something else.
    #[error("the command {} is in the way, which does not belong to {name}", path.display())]
    CommandInTheWay {
        /// The name of the package.
        name: String,
        /// The command.
        path: PathBuf,
    },
    /// A folder to link holds no package.
    #[error("there is no package.json in {}", folder.display())]
    NotAPackage {
        /// The folder.
        folder: PathBuf,
    },
    /// A command about a project was given `--global`.
    #[error("{command} is for a project, not for globally installed packages")]
    NotGlobal {
        /// The command.
        command: &'static str,
    },
    /// There is no folder for registered packages.
    #[error("there is no home folder to register packages in")]
    NoPrefix,
    /// A project has no workspace of this name or in this folder.
    #[error("the project has no workspace {wanted:?}")]
    NoWorkspace {
        /// The name or folder as written.
        wanted: String,
    },
    /// A folder to deploy into is in use.
    #[error("{} is not empty", folder.display())]
    DeployInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A workspace cannot be deployed from this lockfile.
    #[error("{workspace} cannot be deployed: {reason}")]
    NotDeployable {
        /// The name of the workspace.
        workspace: String,
        /// The reason.
        reason: String,
    },
    /// The files of a workspace cannot be listed.
    #[error("the files of {} cannot be listed", folder.display())]
    Unpackable {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: PackError,
    },
    /// There is no lockfile to convert.
    #[error("there is no lockfile to convert in {}", folder.display())]
    NothingToImport {
        /// The folder.
        folder: PathBuf,
    },
}

impl Coded for UpkeepError {
    fn code(&self) -> &'static str {
        match self {
            Self::RebuildArgument { .. } => "DX_REBUILD_ARGUMENT",
            Self::NotInstalled { .. } => "DX_NOT_INSTALLED",
            Self::NoDryRun { .. } | Self::SeveralWorkspaces { .. } => "DX_USAGE",
            Self::SeveralVersions { .. } => "DX_SEVERAL_VERSIONS",
            Self::PatchOfOther { .. } | Self::NotPatchable { .. } => "DX_NOT_PATCHABLE",
            Self::NoVersion { .. } => "DX_NO_MATCHING_VERSION",
            Self::NoEditFolder { .. } | Self::EditFolderInUse { .. } => "DX_EDIT_FOLDER",
            Self::NoPatch { .. } => "DX_NO_PATCH",
            Self::PatchDoesNotFit { .. }
            | Self::PatchOutside { .. }
            | Self::PatchIsCurrent { .. }
            | Self::PatchExists { .. }
            | Self::PatchIsEmpty { .. }
            | Self::PatchIsStale { .. }
            | Self::UnknownPatchVersion { .. } => "DX_PATCH_UPDATE",
            Self::NotLinked { .. } => "DX_NOT_LINKED",
            Self::CommandInTheWay { .. } => "DX_COMMAND_IN_THE_WAY",
            Self::NotAPackage { .. } => "DX_NO_MANIFEST",
            Self::NotGlobal { .. } => "DX_NOT_GLOBAL",
            Self::NoPrefix => "DX_NO_HOME",
            Self::NoWorkspace { .. } => "DX_NO_WORKSPACE",
            Self::DeployInUse { .. } | Self::NotDeployable { .. } | Self::Unpackable { .. } => {
                "DX_DEPLOY"
            }
            Self::NothingToImport { .. } => "DX_NOTHING_TO_IMPORT",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::RebuildArgument { .. } => {
                "give a name, a name with a version or range, or a package's folder"
            }
            Self::NotInstalled { .. } => {
                "`dx ls --all` lists what is installed, `dx install-scripts ls` what waits for a \
                 decision"
            }
            Self::NoDryRun { .. } => "leave out --dry-run, or dry-run in .npmrc",
            Self::SeveralWorkspaces { .. } => "run the command once for each, into other folders",
            Self::SeveralVersions { package, versions } => {
                let version = versions.first().map(String::as_str).unwrap_or_default();
                return Some(format!("name one of them, such as {package}@{version}"));
            }
            Self::PatchOfOther { .. } => "change its source, or require a changed copy",
            Self::NotPatchable { .. } => "leave that file as it is",
            Self::NoVersion { .. } => "`dx outdated` shows newer versions of what is installed",
            Self::NoEditFolder { .. } => "`dx patch <package>` makes such a folder",
            Self::EditFolderInUse { .. } => {
                "name another folder, or add --ignore-existing, which removes what is there"
            }
            Self::PatchDoesNotFit { .. } | Self::UnknownPatchVersion { .. } => {
                "make the patch anew: dx patch <package>"
            }
            Self::PatchOutside { .. } => "set patches-dir to a folder in the project",
            Self::NoPatch { .. } => "`dx patch ls` lists the patches",
            Self::PatchIsCurrent { .. } => "name another version: --to <version>",
            Self::PatchExists { .. } => "remove one of them: dx patch rm",
            Self::PatchIsEmpty { .. } => "remove it: dx patch rm",
            Self::PatchIsStale { .. } => "name the version: --to <version>",
            Self::NotLinked { .. } => {
                "run dx link in the folder of the package, or name the folder: dx link ../folder"
            }
            Self::CommandInTheWay { .. } => "remove it, or use --force",
            Self::NotAPackage { .. } => "name the folder of a package",
            Self::NotGlobal { .. } => {
                "the setting allow-scripts in your own .npmrc allows scripts of global packages"
            }
            Self::NoPrefix => "set prefix to a folder",
            Self::NoWorkspace { .. } => {
                "give the name in its package.json, or its folder; `dx ls` lists the workspaces"
            }
            Self::DeployInUse { .. } => {
                "name a new folder, or add --force, which removes what is there"
            }
            Self::NotDeployable { .. } => "run dx install, which completes the lockfile",
            Self::Unpackable { .. } => "check the field files and the ignore files there",
            Self::NothingToImport { .. } => "dx install writes a new one",
        };
        Some(hint.to_owned())
    }
}
