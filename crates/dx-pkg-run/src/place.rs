//! Where scripts and commands run: in the package of the current folder, or in workspaces that are
//! selected, by npm's rules.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::{parse_manifest, read_text_to_edit};
use dx_pkg_compat::manifest::{Manifest, ManifestEdit};
use dx_pkg_compat::npmrc::Config;
use dx_pkg_install::Environment;
use dx_pkg_install::importers::words as importer_words;
use dx_pkg_install::project::{find_root, workspaces};
use dx_pkg_install::scripts::Node;
use dx_pkg_install::scripts::{ScriptPackage, SharedFacts};
use dx_pkg_os::files::{Durability, FolderLock, normal_path, write_user_file};
use serde_json::Value;

use crate::RunError;

/// The workspaces that are asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names or folders.
    pub words: Vec<String>,
    /// Whether all are meant.
    pub all: bool,
    /// Whether there are to be none: the current folder's package stands for itself.
    pub none: bool,
    /// Whether the project itself belongs to them.
    pub with_root: bool,
}

/// One of the packages in which something runs.
#[derive(Debug)]
pub struct Runner {
    /// The name of the package, that of its folder where it has none.
    pub name: String,
    /// Its folder and manifest.
    pub package: ScriptPackage,
}

/// The place in which something runs.
#[derive(Debug)]
pub struct Place {
    /// The project's folder, in which its settings are.
    pub root: PathBuf,
    /// The project's manifest, if it has one.
    pub manifest: Option<Manifest>,
    /// The packages, in the order in which something runs in them; `None` where that is the
    /// current folder, whether or not it is in a package.
    pub members: Option<Vec<Runner>>,
    /// What is to be said about a file above that was not used.
    pub warning: Option<String>,
}

impl Place {
    /// Returns the place that the environment's folder and a selection name.
    ///
    /// # Errors
    /// A manifest that cannot be read, or a word that names no workspace.
    pub fn find(environment: &Environment, selection: &Selection) -> Result<Self, RunError> {
        if selection.none && !selection.words.is_empty() {
            return Err(RunError::WorkspacesContradict);
        }
        let folder = &environment.folder;
        let found = find_root(folder);
        let warning = found.warning();
        let nearest = ScriptPackage::nearest(folder)?;
        // A package that the project names as a workspace, or one of its own within its folders.
        let own = nearest.filter(|package| package.folder.starts_with(&found.folder));
        let is_member = own.as_ref().is_some_and(|package| package.folder != found.folder);
        if selection.none || !(selection.all || !selection.words.is_empty() || is_member) {
            let root = own.as_ref().map_or(found.folder, |package| package.folder.clone());
            let manifest = own.map(|package| package.manifest);
            return Ok(Place { root, manifest, members: None, warning });
        }
        let root = found.folder;
        let words = match own {
            // As in npm, the member stands for all of them there.
            Some(member) if selection.words.is_empty() && is_member => {
                vec![member.folder.to_string_lossy().into_owned()]
            }
            _ => selection.words.clone(),
        };
        let manifest = ScriptPackage::nearest(&root)?.filter(|package| package.folder == root);
        let manifest = manifest.map(|package| package.manifest);
        let mut members = Vec::new();
        if selection.with_root
            && let Some(manifest) = &manifest
        {
            members.push(Runner::new(root.clone(), manifest.clone()));
        }
        select(&root, folder, &words, &mut members)?;
        if members.is_empty() {
            return Err(RunError::NoWorkspaces { words });
        }
        Ok(Place { root, manifest, members: Some(members), warning })
    }

    /// Returns what all scripts and commands that run here see alike.
    pub(crate) fn facts(
        &self,
        environment: &Environment,
        config: &Config,
        node: Option<&Node>,
    ) -> Result<SharedFacts, RunError> {
        let mut facts = SharedFacts::new(environment, &self.root, config, node)?;
        if self.members.is_some() {
            facts.user_agent = facts.user_agent.replace("workspaces/false", "workspaces/true");
        }
        Ok(facts)
    }
}

impl Runner {
    fn new(folder: PathBuf, manifest: Manifest) -> Self {
        let own = || folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = manifest.name.clone().unwrap_or_else(own);
        Runner { name, package: ScriptPackage { folder, manifest } }
    }
}

/// Adds the workspaces that words name, each once; without words, all.
fn select(
    root: &Path,
    from: &Path,
    words: &[String],
    members: &mut Vec<Runner>,
) -> Result<(), RunError> {
    let all = workspaces(root)?;
    let runner =
        |(path, manifest): &(String, Manifest)| Runner::new(root.join(path), manifest.clone());
    if words.is_empty() {
        members.extend(all.iter().map(runner));
        return Ok(());
    }
    let places = (root, importer_words::base(root, from));
    let mut taken = vec![false; all.len()];
    let mut unknown = Vec::new();
    for word in words {
        let meant = importer_words::meant(&all, places, word);
        if meant.is_empty() {
            unknown.push(word.clone());
        }
        for at in meant {
            if !std::mem::replace(&mut taken[at], true) {
                members.push(runner(&all[at]));
            }
        }
    }
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(RunError::NoWorkspaces { words: unknown }),
    }
}

/// Makes a folder a workspace of the project in `root`, unless it is one: its `package.json` names
/// it then. A folder without a `package.json` is none.
///
/// # Errors
/// The project's `package.json` cannot be read or written.
pub fn add_workspace(root: &Path, folder: &Path) -> Result<(), RunError> {
    let folder = normal_path(folder);
    let known = workspaces(root)?;
    let is_known = known.iter().any(|(path, _)| normal_path(&root.join(path)) == folder);
    if is_known || !folder.join("package.json").is_file() {
        return Ok(());
    }
    let path = root.join("package.json");
    let failed = |error| AcquireError::io(format!("writing {}", path.display()), error);
    let _lock = FolderLock::wait(root).map_err(failed)?;
    let text = read_text_to_edit(&path)?.unwrap_or_default();
    let manifest = parse_manifest(&path, &text)?;
    let mut patterns = manifest.workspace_patterns()?;
    patterns
        .push(folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().replace('\\', "/"));
    let mut edit = ManifestEdit::new(&text)?;
    let is_object = manifest.workspaces.as_ref().is_some_and(Value::is_object);
    let place: &[&str] = if is_object { &["workspaces", "packages"] } else { &["workspaces"] };
    edit.set(place, &patterns.into());
    let edited = edit.finish();
    let bytes = dx_pkg_compat::foreign_bytes::restored(&edited, &text);
    write_user_file(root, "package.json", &bytes, Durability::Rename)
        .map_err(|error| failed(error).into())
}
