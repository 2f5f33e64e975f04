//! Self-contained copies of workspaces: the files of one, and what it needs in production, at the
//! versions of the project's lockfile.

mod folders;
mod placing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::{Manifest, ManifestEdit, Section};
use dx_pkg_core::Spec;
use dx_pkg_lock::{Lock, LockPackage, locale_compare, name_of_path};
use dx_pkg_os::files::remove_tree;
use serde_json::Value;

use self::folders::{copy_files, new_folder};
use self::placing::{Placed, place};
use crate::error::UpkeepError;
use crate::project::Project;
use crate::summary::{Summary, count};
use crate::{
    Environment, Events, InstallError, Mode, OpenProject, Options, SessionOptions, install,
};

/// The folder of a deployed workspace that has the other workspaces it needs.
const OTHERS: &str = ".workspaces";
/// The fields of the project's manifest that decide about the packages of a workspace, too.
const OF_PROJECT: [&str; 4] = ["overrides", "allowScripts", "packageExtensions", "resolutions"];

/// What is deployed, and where.
#[derive(Clone, Debug, Default)]
pub struct DeployOptions {
    /// The workspace, by name or folder; without, the one that the command was started in.
    pub workspaces: Vec<String>,
    /// The folder to deploy into.
    pub folder: PathBuf,
    /// Whether what the folder has is removed.
    pub force: bool,
    /// Whether development dependencies are installed, too.
    pub with_dev: bool,
}

/// A deployed workspace.
#[derive(Debug)]
pub struct Deployed {
    /// Its name.
    pub workspace: String,
    /// The folder.
    pub folder: PathBuf,
    /// The number of its files.
    pub files: usize,
    /// The result of the install there.
    pub summary: Summary,
}

impl Deployed {
    /// Returns the result in words.
    #[must_use]
    pub fn text(&self) -> String {
        let (folder, packages) = (self.folder.display(), self.summary.packages as u64);
        let (files, packages) = (count(self.files as u64, "file"), count(packages, "package"));
        format!("Deployed {} to {folder}: {files} and {packages}", self.workspace)
    }
}

/// Copies a workspace into a folder of its own and installs there what it needs, with its own
/// lockfile.
///
/// # Errors
/// There is no such workspace or no lockfile, the folder is in use, or the install fails: then the
/// folder is removed again.
pub fn deploy(
    environment: Environment,
    session: SessionOptions,
    options: &DeployOptions,
    events: &dyn Events,
) -> Result<Deployed, InstallError> {
    if options.workspaces.len() > 1 {
        let given = options.workspaces.clone();
        return Err(UpkeepError::SeveralWorkspaces { given }.into());
    }
    let mut open = OpenProject::open(environment.clone(), session.clone(), events)?;
    super::refuse_dry_run(&open.session, "deploy")?;
    open.project.read_lockfile(open.session.store())?;
    let project = &open.project;
    let Some((_, lock)) = &project.locked else {
        return Err(InstallError::NoLockfile { root: project.root.clone() });
    };
    let (source, manifest) = workspace(project, &environment.folder, options)?;
    let plan = Deployment::new(project, lock, source, manifest, options.with_dev)?;
    let folder = environment.folder.join(&options.folder);
    let (root, name) = (project.root.clone(), plan.name.clone());
    new_folder(&root, source, &folder, options.force)?;
    let done = plan.write(&root, &folder).and_then(|files| {
        drop(open);
        Ok((files, install_in(environment, session, &root, &folder, options, events)?))
    });
    let (files, summary) = done.inspect_err(|_| drop(remove_tree(&folder)))?;
    Ok(Deployed { workspace: name, folder, files, summary })
}

/// Returns the folder and manifest of the workspace that is meant.
fn workspace<'p>(
    project: &'p Project,
    from: &Path,
    options: &DeployOptions,
) -> Result<(&'p str, &'p Manifest), InstallError> {
    let mut all = project.workspaces.iter();
    let found = match options.workspaces.first() {
        Some(wanted) => {
            let place = from.join(wanted).canonicalize().ok();
            all.find(|(folder, manifest)| {
                let name = manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder));
                let own = || project.root.join(folder).canonicalize().ok();
                name == wanted || folder == wanted || place.is_some() && place == own()
            })
        }
        None => all.find(|(folder, _)| from.starts_with(project.root.join(folder))),
    };
    match (found, options.workspaces.first()) {
        (Some((folder, manifest)), _) => Ok((folder, manifest)),
        (None, None) if project.workspaces.is_empty() => Ok(("", &project.manifest)),
        (None, wanted) => {
            let wanted = wanted.cloned().unwrap_or_else(|| from.display().to_string());
            Err(UpkeepError::NoWorkspace { wanted }.into())
        }
    }
}

/// Everything that is written for a workspace.
struct Deployment {
    name: String,
    /// The folders that are copied: from where in the project, to where in the new folder, and the
    /// new text of the manifest.
    folders: Vec<(String, String, String)>,
    lockfile: String,
    /// Patch files, relative to both.
    patches: Vec<String>,
}

impl Deployment {
    fn new(
        project: &Project,
        lock: &Lock,
        source: &str,
        manifest: &Manifest,
        with_dev: bool,
    ) -> Result<Self, InstallError> {
        let name = manifest.name.clone().unwrap_or_else(|| name_of_path(source).to_owned());
        let refuse = |reason: String| {
            InstallError::from(UpkeepError::NotDeployable { workspace: name.clone(), reason })
        };
        let index = lock.index();
        let target = |folder: &str| -> String {
            if folder == source {
                return String::new();
            }
            let own = project.workspaces.iter().find(|(known, _)| known == folder);
            let name = own.and_then(|(_, manifest)| manifest.name.clone());
            format!("{OTHERS}/{}", name.unwrap_or_else(|| folder.replace("../", "")))
        };
        let placed = place(lock, source, with_dev, &target).map_err(refuse)?;
        let patches = placed.iter().filter_map(|one| {
            let entry = index.get(&one.old)?;
            Some(entry.patched.as_ref()?.path.clone())
        });
        let mut patches: Vec<String> = patches.collect();
        patches.sort_unstable();
        patches.dedup();
        let local = placed.iter().filter_map(|one| index.get(&one.old)).find(|entry| {
            !entry.link && entry.resolved.as_deref().is_some_and(|from| from.starts_with("file:"))
        });
        if let Some(local) = local {
            let path = local.resolved.as_deref().unwrap_or_default();
            return Err(refuse(format!("it needs the local tarball {path}")));
        }
        let mut folders = Vec::new();
        let mut own_texts = BTreeMap::new();
        for one in placed.iter().filter(|one| one.is_folder) {
            let path = project.root.join(&one.old).join("package.json");
            let text = match one.old.is_empty() {
                true => project.manifest_text.clone(),
                false => dx_pkg_acquire::files::read_text(&path)?
                    .ok_or_else(|| InstallError::NoPackage { folder: path.clone() })?,
            };
            let text = rewritten(&text, one, &placed, lock, with_dev)?;
            let text = match one.path.is_empty() {
                true => with_rules(&text, project, &patches)?,
                false => text,
            };
            own_texts.insert(one.path.clone(), Manifest::parse(&text)?);
            folders.push((one.old.clone(), one.path.clone(), text));
        }
        let lock = new_lock(lock, &placed, &own_texts);
        let text = own_texts.get("").map(|_| folders[0].2.as_str()).unwrap_or_default();
        let lockfile = npm::write_like(&lock, text);
        Ok(Deployment { name, folders, lockfile, patches })
    }

    /// Writes it into an empty folder; returns the number of files of the workspace.
    fn write(&self, root: &Path, folder: &Path) -> Result<usize, InstallError> {
        let mut files = 0;
        for (from, to, manifest) in &self.folders {
            let place = if to.is_empty() { folder.to_owned() } else { folder.join(to) };
            let copied = copy_files(&root.join(from), &place)?;
            files += if to.is_empty() { copied } else { 0 };
            write(&place.join("package.json"), manifest.as_bytes())?;
        }
        for patch in &self.patches {
            let place = folder.join(patch);
            let around = place.parent().unwrap_or(folder);
            let copy = || -> std::io::Result<()> {
                std::fs::create_dir_all(around)?;
                std::fs::copy(root.join(patch), &place).map(drop)
            };
            copy().map_err(|error| InstallError::io(format!("copying {patch}"), error))?;
        }
        write(&folder.join("package-lock.json"), self.lockfile.as_bytes())?;
        Ok(files)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), InstallError> {
    std::fs::write(path, bytes)
        .map_err(|error| InstallError::io(format!("writing {}", path.display()), error))
}

/// Installs what the new folder's lockfile says, without the workspace's own scripts. The settings
/// of the project count meanwhile.
fn install_in(
    environment: Environment,
    mut session: SessionOptions,
    root: &Path,
    folder: &Path,
    options: &DeployOptions,
    events: &dyn Events,
) -> Result<Summary, InstallError> {
    let environment = Environment { folder: folder.to_owned(), ..environment };
    if !options.with_dev {
        session.flags.push(("omit".to_owned(), "dev".to_owned()));
    }
    let (from, settings) = (root.join(".npmrc"), folder.join(".npmrc"));
    let has_own = settings.symlink_metadata().is_ok();
    let copies = !has_own && from.is_file();
    if copies {
        std::fs::copy(&from, &settings)
            .map_err(|error| InstallError::io(format!("copying {}", from.display()), error))?;
    }
    let rules =
        Options { mode: Mode::Prune, frozen: true, command: Some("deploy"), ..Options::default() };
    let installed = OpenProject::open(environment, session, events)
        .and_then(|open| install(open, &rules, events));
    if copies {
        // It may hold credentials.
        std::fs::remove_file(&settings)
            .map_err(|error| InstallError::io(format!("removing {}", settings.display()), error))?;
    }
    installed
}

/// Returns the manifest of a copied folder: without development dependencies, with the places of
/// other folders, and with versions for what only its project understands.
fn rewritten(
    text: &str,
    own: &Placed,
    placed: &[Placed],
    lock: &Lock,
    with_dev: bool,
) -> Result<String, InstallError> {
    let manifest = Manifest::parse(text)?;
    let mut edit = ManifestEdit::new(text)?;
    if !(with_dev && own.path.is_empty()) {
        edit.remove(&["devDependencies"]);
    }
    edit.remove(&["workspaces"]);
    edit.remove(&["packageManager"]);
    edit.remove(&["devEngines"]);
    for section in Section::ALL {
        if section == Section::Dev && !(with_dev && own.path.is_empty()) {
            continue;
        }
        for (name, spec) in manifest.section(section) {
            let Some(found) = own.uses.iter().find(|(known, _)| known == name) else {
                continue;
            };
            let Some(entry) = placed.iter().find(|one| one.path == found.1) else { continue };
            if let Some(target) = &entry.target {
                let up = own.path.split('/').filter(|part| !part.is_empty()).count();
                let place = format!("{}{target}", "../".repeat(up));
                let place = if place.is_empty() { ".".to_owned() } else { place };
                let place = place.trim_end_matches('/');
                if section != Section::Peer {
                    edit.update_dependency(section, name, &format!("file:{place}"));
                }
            } else if Spec::foreign_protocol(spec).is_some() {
                let locked = lock.get(&entry.old);
                let version = locked.and_then(|locked| locked.version.as_deref()).unwrap_or("*");
                let real = locked.and_then(|locked| locked.name.as_deref());
                let spec = match real.filter(|real| *real != name) {
                    Some(real) => format!("npm:{real}@{version}"),
                    None => version.to_owned(),
                };
                edit.update_dependency(section, name, &spec);
            }
        }
    }
    Ok(edit.finish())
}

/// Returns the manifest with the project's rules about packages.
fn with_rules(text: &str, project: &Project, patches: &[String]) -> Result<String, InstallError> {
    let (own, of_project) = (Manifest::parse(text)?, Manifest::parse(&project.manifest_text)?);
    let mut edit = ManifestEdit::new(text)?;
    for field in OF_PROJECT {
        if let Some(value) = of_project.raw.get(field).filter(|value| !value.is_null()) {
            edit.set(&[field], &without_references(value, &of_project));
        } else if own.raw.get(field).is_some() {
            edit.remove(&[field]);
        }
    }
    for (name, spec) in forced(&of_project) {
        for section in Section::ALL {
            let has_it = own.section(section).iter().any(|(known, _)| *known == name);
            if has_it && section != Section::Peer {
                // An override must not contradict what the package itself requires.
                edit.update_dependency(section, &name, &spec);
            }
        }
    }
    edit.remove(&["patchedDependencies"]);
    let rules = project.manifest.patch_rules()?;
    let rules = rules.iter().filter(|rule| patches.contains(&rule.file));
    let rules: serde_json::Map<String, Value> =
        rules.map(|rule| (rule.key.clone(), rule.file.as_str().into())).collect();
    if !rules.is_empty() {
        edit.set(&["patchedDependencies"], &rules.into());
    }
    Ok(edit.finish())
}

/// Returns the packages of which the project's overrides force a version everywhere.
fn forced(project: &Manifest) -> Vec<(String, String)> {
    let overrides = project.raw.get("overrides").and_then(Value::as_object);
    let entries = overrides.into_iter().flatten();
    let forced = entries.filter_map(|(name, value)| {
        let own = match value {
            Value::Object(inner) => inner.get("."),
            value => Some(value),
        };
        let spec = without_references(own?, project).as_str()?.to_owned();
        Some((name.clone(), spec))
    });
    forced.collect()
}

/// Returns overrides with the project's requirements in place of references (`$name`) to them.
fn without_references(value: &Value, project: &Manifest) -> Value {
    match value {
        Value::Object(inner) => inner
            .iter()
            .map(|(key, value)| (key.clone(), without_references(value, project)))
            .collect(),
        Value::String(text) => {
            let name = text.strip_prefix('$');
            let mut sections = Section::ALL.into_iter().flat_map(|one| project.section(one));
            let spec = name.and_then(|name| sections.find(|(known, _)| known == name));
            spec.map_or_else(|| value.clone(), |(_, spec)| spec.as_str().into())
        }
        value => value.clone(),
    }
}

/// Returns the lock of the new folder.
fn new_lock(lock: &Lock, placed: &[Placed], manifests: &BTreeMap<String, Manifest>) -> Lock {
    let index = lock.index();
    let entry = |one: &Placed| -> LockPackage {
        let old = index.get(&one.old).cloned().unwrap_or_default();
        let mut entry = match (manifests.get(&one.path), &one.target) {
            (Some(manifest), _) if one.path.is_empty() => manifest.to_project_package(),
            (Some(manifest), _) => manifest.to_lock_package(),
            (None, Some(target)) => {
                LockPackage { link: true, resolved: Some(target.clone()), ..LockPackage::default() }
            }
            (None, None) => LockPackage { extraneous: false, ..old },
        };
        if one.is_folder && !one.path.is_empty() {
            entry.name = entry.name.filter(|name| name_of_path(&one.path) != name);
            entry.dev_dependencies.clear();
        }
        entry.path.clone_from(&one.path);
        (entry.dev, entry.optional, entry.dev_optional) =
            (one.kind.dev, one.kind.optional, one.kind.dev_optional);
        entry
    };
    let mut packages: Vec<LockPackage> = placed.iter().map(entry).collect();
    packages.sort_by(|a, b| {
        (!a.path.is_empty()).cmp(&!b.path.is_empty()).then_with(|| locale_compare(&a.path, &b.path))
    });
    let own = manifests.get("");
    Lock {
        name: own.and_then(|own| own.name.clone()),
        version: own.and_then(|own| own.version.clone()),
        format_version: 3,
        packages,
        ..Lock::default()
    }
}
