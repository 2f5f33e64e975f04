//! Patches to installed packages: a copy to edit, the patch that is made of it, and the entry in
//! `patchedDependencies`. The files and entries are npm's.

mod files;
mod target;

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::manifest::{Manifest, ManifestEdit, PatchRule, is_inside};
use dx_pkg_compat::patch::MAX_PATCH_SIZE;
use dx_pkg_compat::patch::write::{Rebased, diff, rebase};
use dx_pkg_core::Version;
use dx_pkg_lock::{Lock, name_of_path};
use dx_pkg_os::files::{Durability, read_bounded, remove_tree};
use serde_json::{Value, json};

use crate::error::UpkeepError;
use crate::install::Change;
use crate::project::Project;
use crate::summary::Summary;
use crate::{Environment, Events, InstallError, OpenProject, Options, SessionOptions, install};

use self::files::{patched, place_of, published, read_folder, write_folder};
use self::target::{Target, target};

/// The field of the manifest.
const FIELD: &str = "patchedDependencies";
/// npm's file that tells of an update whose conflicts are being resolved.
const MARKER: &str = ".npm-patch-update.json";

/// How a folder to edit is made.
#[derive(Clone, Debug, Default)]
pub struct EditOptions {
    /// The folder; without, one in the system's folder for temporary files.
    pub folder: Option<PathBuf>,
    /// Whether what the folder has is removed.
    pub ignore_existing: bool,
}

/// A folder with a copy of a package.
#[derive(Debug)]
pub struct EditFolder {
    /// The package with its version.
    pub package: String,
    /// The folder.
    pub folder: PathBuf,
}

/// An entry of `patchedDependencies`.
#[derive(Debug)]
pub struct PatchEntry {
    /// The key: a name, or a name with a version or range.
    pub key: String,
    /// The patch file, relative to the project.
    pub file: String,
    /// The number of installed packages that it is for.
    pub packages: usize,
}

/// A patch that was written, with the install that followed.
#[derive(Debug)]
pub struct Committed {
    /// The key of its entry.
    pub key: String,
    /// The patch file, relative to the project.
    pub file: String,
    /// The result of the install.
    pub summary: Summary,
}

/// The outcome of carrying a patch over to another version.
#[derive(Debug)]
pub enum Updated {
    /// It was carried over: the keys before and after, and the patch file.
    Clean(String, Box<Committed>),
    /// Both sides have changed the same lines: the folder holds them.
    Conflict(EditFolder),
}

/// Puts a copy of an installed package, or of the version that is named, into a folder.
///
/// # Errors
/// The package cannot be told or had, or the folder is not empty.
pub fn begin(
    open: &OpenProject,
    package: &str,
    options: &EditOptions,
) -> Result<EditFolder, InstallError> {
    let Target { name, version } = target(open, package)?;
    let contents = published(open, &name, &version)?;
    let package = format!("{name}@{version}");
    let folder = edit_folder(&open.session.environment, &package, options)?;
    write_folder(&folder, &contents)?;
    Ok(EditFolder { package, folder })
}

/// Makes a patch of the changes in a folder, writes its entry and installs it. `None` where nothing
/// changed that a patch can hold.
///
/// # Errors
/// The folder holds no copy of a package, a file that is no text has changed, or the install fails:
/// then the project's files are as before.
pub fn commit(
    environment: Environment,
    session: SessionOptions,
    folder: &Path,
    keeps_folder: bool,
    events: &dyn Events,
) -> Result<Option<Committed>, InstallError> {
    let folder = environment.folder.join(folder);
    let open = OpenProject::open(environment.clone(), session.clone(), events)?;
    let text = read_text(&folder.join("package.json")).ok().flatten();
    let manifest = text.and_then(|text| Manifest::parse(&text).ok());
    let named = manifest.and_then(|manifest| Some((manifest.name?, manifest.version?)));
    let Some((name, version)) = named else {
        return Err(UpkeepError::NoEditFolder { folder }.into());
    };
    let marker = marker(&folder, &name)?;
    let mut before = published(&open, &name, &version)?.contents();
    let mut after = read_folder(&folder)?;
    after.remove(MARKER);
    let (old, new) = (before.remove("package.json"), after.remove("package.json"));
    let patch = diff(&before, &after)
        .map_err(|source| UpkeepError::NotPatchable { package: name.clone(), source })?;
    let is_other_manifest = old != new;
    if patch.is_empty() {
        let folder = folder.display();
        events.warning(&match is_other_manifest {
            true => format!("only package.json differs in {folder}, which no patch can change"),
            false => format!("nothing was changed in {folder}"),
        });
        return Ok(None);
    }
    if is_other_manifest {
        events.warning("the change of package.json is not in the patch: no patch can change it");
    }
    let key = format!("{name}@{version}");
    let mut entries = entries_of(&open.project)?;
    let obsolete = marker.filter(|known| *known != key);
    let dropped = obsolete.and_then(|known| remove_entry(&mut entries, &known));
    let written = write_patch(open, entries, &key, &patch, dropped, events)?;
    if !keeps_folder {
        // A folder that stays does no harm.
        let _ = remove_tree(&folder);
    }
    Ok(Some(written))
}

/// Returns the entries of the project, with what they are for.
///
/// # Errors
/// The entries cannot be read.
pub fn list(open: &OpenProject) -> Result<Vec<PatchEntry>, InstallError> {
    let rules = Manifest::parse(&open.project.manifest_text)?.patch_rules()?;
    let (installed, _) =
        crate::upkeep::rebuild::installed(open.session.store(), &open.project.root);
    let entry = |rule: &PatchRule| PatchEntry {
        key: rule.key.clone(),
        file: rule.file.clone(),
        packages: versions_of(&installed, &rule.name)
            .iter()
            .filter(|version| {
                let chosen = PatchRule::select(&rules, &rule.name, version).ok().flatten();
                chosen.is_some_and(|chosen| chosen.key == rule.key)
            })
            .count(),
    };
    Ok(rules.iter().map(entry).collect())
}

/// Removes the entries and patch files of a package, of all versions or of one, and installs the
/// package as it is published. Returns the keys.
///
/// # Errors
/// There is no such entry, or the install fails: then the project's files are as before.
pub fn remove(
    open: OpenProject,
    packages: &[String],
    events: &dyn Events,
) -> Result<(Vec<String>, Summary), InstallError> {
    let mut entries = entries_of(&open.project)?;
    let rules = Manifest::parse(&open.project.manifest_text)?.patch_rules()?;
    let (mut keys, mut files) = (Vec::new(), Vec::new());
    for package in packages {
        let (name, version) = split(package);
        let is_meant = |rule: &&PatchRule| {
            rule.name == name && version.is_none_or(|version| split(&rule.key).1 == Some(version))
        };
        let meant: Vec<&PatchRule> = rules.iter().filter(is_meant).collect();
        if meant.is_empty() {
            return Err(UpkeepError::NoPatch { package: package.clone() }.into());
        }
        for rule in meant {
            files.extend(remove_entry(&mut entries, &rule.key));
            keys.push(rule.key.clone());
        }
    }
    let root = open.project.root.clone();
    for file in files.iter().filter(|file| is_inside(file)) {
        place_of(&root, file)?;
    }
    let summary = install_with(open, &entries, events)?;
    remove_files(&root, &files)?;
    Ok((keys, summary))
}

/// Carries a patch over to another version of its package: `to`, else the installed one. The
/// lockfile follows; `node_modules` does with the next install.
///
/// # Errors
/// There is no such patch, the version cannot be told, or the patch does not fit its own version.
pub fn update(
    open: OpenProject,
    package: &str,
    to: Option<&str>,
    options: &EditOptions,
    events: &dyn Events,
) -> Result<Updated, InstallError> {
    let rules = Manifest::parse(&open.project.manifest_text)?.patch_rules()?;
    let rule = target::rule(&rules, package)?;
    let name = rule.name.clone();
    let made_for = target::made_for(rule)?;
    let versions = target::locked_versions(&open, &name)?;
    let next = target::next_version(rule, to, &versions)?;
    let key = format!("{name}@{next}");
    if next == made_for {
        return Err(UpkeepError::PatchIsCurrent { package: key }.into());
    }
    if rule.key != key && rules.iter().any(|other| other.key == key) {
        return Err(UpkeepError::PatchExists { package: key }.into());
    }
    if !versions.contains(&next) {
        events.warning(&format!(
            "{key} is not in the lockfile: the next install fails unless it is installed by then"
        ));
    }
    let base = published(&open, &name, &made_for)?;
    let text = read_bounded(&open.project.root.join(&rule.file), MAX_PATCH_SIZE)
        .map_err(|error| InstallError::io(format!("reading {}", rule.file), error))?;
    let changed = patched(&base, &text, &rule.file)?;
    let fresh = published(&open, &name, &next)?;
    let Rebased { files, conflicts } = rebase(&base.contents(), &changed, &fresh.contents());
    if !conflicts.is_empty() {
        let folder = edit_folder(&open.session.environment, &key, options)?;
        write_folder(&folder, &fresh.with(files))?;
        let is_exact = Version::parse(split(&rule.key).1.unwrap_or_default()).is_ok();
        let marker = json!({ "name": name, "removeKey": is_exact.then(|| rule.key.clone()) });
        std::fs::write(folder.join(MARKER), format!("{marker}\n"))
            .map_err(|error| InstallError::io(format!("writing {MARKER}"), error))?;
        return Ok(Updated::Conflict(EditFolder { package: key, folder }));
    }
    let patch = diff(&fresh.contents(), &files)
        .map_err(|source| UpkeepError::NotPatchable { package: name.clone(), source })?;
    if patch.is_empty() {
        return Err(UpkeepError::PatchIsEmpty { package: key }.into());
    }
    let mut entries = entries_of(&open.project)?;
    let is_needed = target::is_needed(&rules, rule, &key, &versions);
    let dropped = (!is_needed).then(|| remove_entry(&mut entries, &rule.key)).flatten();
    let before = rule.key.clone();
    let written = write_patch(open, entries, &key, &patch, dropped, events)?;
    Ok(Updated::Clean(before, Box::new(written)))
}

/// Writes a patch and its entry, and installs it; `dropped` are files that no entry names then.
fn write_patch(
    open: OpenProject,
    mut entries: Vec<(String, Value)>,
    key: &str,
    patch: &str,
    dropped: Option<String>,
    events: &dyn Events,
) -> Result<Committed, InstallError> {
    let folder = open.session.config().patches_dir()?;
    let file = format!("{}/{key}.patch", folder.replace('\\', "/").trim_end_matches('/'));
    let file = file.trim_start_matches("./").to_owned();
    if !is_inside(&file) {
        return Err(UpkeepError::PatchOutside { folder }.into());
    }
    match entries.iter_mut().find(|(known, _)| known == key) {
        Some((_, value)) => *value = file.as_str().into(),
        None => entries.push((key.to_owned(), file.as_str().into())),
    }
    let root = open.project.root.clone();
    let path = place_of(&root, &file)?;
    let before = read_bounded(&path, MAX_PATCH_SIZE).ok();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| InstallError::io(format!("making {}", folder.display()), error))?;
    }
    write(&root, &file, patch.as_bytes())?;
    let done = install_with(open, &entries, events);
    let summary = done.inspect_err(|_| {
        // The project's files are as before.
        let _ = match before {
            Some(before) => write(&root, &file, &before),
            None => std::fs::remove_file(&path).map_err(|error| InstallError::io("", error)),
        };
    })?;
    remove_files(&root, dropped.filter(|dropped| *dropped != file).as_slice())?;
    Ok(Committed { key: key.to_owned(), file, summary })
}

fn write(root: &Path, file: &str, bytes: &[u8]) -> Result<(), InstallError> {
    dx_pkg_os::files::write_user_file(root, file, bytes, Durability::Fsync)
        .map_err(|error| InstallError::io(format!("writing {file}"), error))
}

/// Installs the project with these entries, and writes them.
fn install_with(
    mut open: OpenProject,
    entries: &[(String, Value)],
    events: &dyn Events,
) -> Result<Summary, InstallError> {
    let mut edit = ManifestEdit::new(&open.project.manifest_text)?;
    let before = entries_of(&open.project)?;
    if entries.is_empty() {
        edit.remove(&[FIELD]);
    }
    for (key, _) in before.iter().filter(|(key, _)| !entries.iter().any(|(left, _)| left == key)) {
        edit.remove(&[FIELD, key]);
    }
    for (key, value) in entries {
        edit.set(&[FIELD, key], value);
    }
    let text = edit.finish();
    open.project.set_manifest(&text)?;
    open.project.read_alterations()?;
    let manifest = |_: &str, _: &Lock| Ok(text.clone());
    let change = Change {
        importers: vec![String::new()],
        explicit: Vec::new(),
        removed: Vec::new(),
        manifest: &manifest,
        save: true,
    };
    // The patched package may be of any importer.
    let options = Options {
        change: Some(change),
        command: Some("patch"),
        whole_project: true,
        ..Options::default()
    };
    install(open, &options, events)
}

/// Returns the entries as they are written.
fn entries_of(project: &Project) -> Result<Vec<(String, Value)>, InstallError> {
    let manifest = Manifest::parse(&project.manifest_text)?;
    let field = manifest.raw.get(FIELD).and_then(Value::as_object);
    let entries = field.into_iter().flatten();
    Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Removes an entry; returns its file, if no other entry names it.
fn remove_entry(entries: &mut Vec<(String, Value)>, key: &str) -> Option<String> {
    let at = entries.iter().position(|(known, _)| known == key)?;
    let (_, value) = entries.remove(at);
    let file = value.as_str()?.to_owned();
    (!entries.iter().any(|(_, other)| other.as_str() == Some(&file))).then_some(file)
}

fn remove_files(root: &Path, files: &[String]) -> Result<(), InstallError> {
    for file in files.iter().filter(|file| is_inside(file)) {
        match std::fs::remove_file(place_of(root, file)?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(InstallError::io(format!("removing {file}"), error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the entry that a finished update of a package removes, where the folder tells of one.
fn marker(folder: &Path, name: &str) -> Result<Option<String>, InstallError> {
    let Ok(Some(text)) = read_text(&folder.join(MARKER)) else { return Ok(None) };
    let marker: Value = serde_json::from_str(&text).unwrap_or_default();
    let key = marker["removeKey"].as_str().filter(|key| split(key).0 == name);
    Ok(key.filter(|_| marker["name"] == name).map(str::to_owned))
}

/// Returns an empty folder for a copy of a package.
fn edit_folder(
    environment: &Environment,
    package: &str,
    options: &EditOptions,
) -> Result<PathBuf, InstallError> {
    let making = |folder: &Path| format!("making the folder {}", folder.display());
    let Some(folder) = &options.folder else {
        let named = ["TMPDIR", "TEMP", "TMP"].iter().find_map(|name| environment.variable(name));
        let name = format!("dx-patch-{}-", package.replace('/', "+"));
        let name = dx_pkg_os::files::unique_name(&name);
        let folder = Path::new(named.unwrap_or("/tmp")).join(name);
        // Others can make folders there, too.
        dx_pkg_os::files::create_private_dir(&folder)
            .map_err(|error| InstallError::io(making(&folder), error))?;
        return Ok(folder);
    };
    let folder = environment.folder.join(folder);
    let is_filled = std::fs::read_dir(&folder).is_ok_and(|mut found| found.next().is_some());
    if is_filled && !options.ignore_existing {
        return Err(UpkeepError::EditFolderInUse { folder }.into());
    }
    if is_filled {
        remove_tree(&folder).map_err(|error| InstallError::io(making(&folder), error))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| InstallError::io(making(&folder), error))?;
    Ok(folder)
}

/// Returns the versions of a package in a lock, each copy once.
fn versions_of(lock: &Lock, name: &str) -> Vec<String> {
    let entries = lock.packages.iter().filter(|entry| {
        !entry.link && entry.path.contains("node_modules/") && name_of_path(&entry.path) == name
    });
    entries.filter_map(|entry| entry.version.clone()).collect()
}

/// Returns the name and the version or range of a key or argument.
fn split(key: &str) -> (&str, Option<&str>) {
    let at = key.char_indices().skip(1).find(|(_, character)| *character == '@');
    match at {
        Some((at, _)) => (&key[..at], Some(&key[at + 1..])),
        None => (key, None),
    }
}
