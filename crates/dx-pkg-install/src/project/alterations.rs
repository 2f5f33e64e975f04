//! What a project alters of packages: patches to their files, and npm's program that changes their
//! manifests, which dx does not run.
//!
//! Owns the choice of a patch for each package of a lock. The rules of `packageExtensions` are the
//! resolver's.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::exact::required_addresses;
use dx_pkg_acquire::package::{Origin, label, origin};
use dx_pkg_compat::manifest::{
    Architectures, Manifest, ManifestEdit, PatchRule, npm_extension_hash,
};
use dx_pkg_compat::patch::MAX_PATCH_SIZE;
use dx_pkg_core::{Integrity, Platform};
use dx_pkg_lock::{ALTERATIONS, Lock, LockPackage, Patched, name_of_path};
use dx_pkg_os::files::read_bounded;
use dx_pkg_resolve::rules::Exceptions;

use super::seen::{Seen, see};
use crate::InstallError;
use crate::error::AlterationError;

/// The programs that npm 12.2 runs to change manifests, with the formats that their hashes name.
const NPM_EXTENSIONS: [(&str, &str); 2] =
    [(".npm-extension.mjs", "mjs"), (".npm-extension.cjs", "cjs")];
/// The member of the project's entry in a lockfile that tells of such a program.
pub(crate) const NPM_EXTENSION_HASH: &str = "npmExtensionHash";
/// The largest program, in bytes.
const LARGEST_PROGRAM: u64 = 16 << 20;

/// What a project alters of packages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alterations {
    rules: Vec<PatchRule>,
    /// The rules of requirements with `patch:`.
    required: Vec<PatchRule>,
    /// The integrity of each patch file; `None` for one that is not there.
    patches: HashMap<String, Option<String>>,
    /// npm's program, and its hash.
    pub(crate) program: Option<(&'static str, String)>,
    /// Whether the manifest has rules or exceptions for what packages require.
    has_extensions: bool,
}

/// How strictly patches are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strictness<'s> {
    /// Whether the lockfile must not change.
    pub(crate) frozen: bool,
    /// Whether a patch may be for no package.
    pub(crate) allow_unused: bool,
    /// The packages that the command removes, whose patches may be for no package.
    pub(crate) removed: &'s [String],
    /// Whether packages are installed without patches that do not fit.
    pub(crate) ignores_failures: bool,
}

/// Returns why the patch of a package does not fit it; `None` where it does.
pub(crate) type Fitting<'f> = &'f dyn Fn(&LockPackage) -> Result<Option<String>, InstallError>;

/// What is to be said of patches.
#[derive(Debug, Default)]
pub(crate) struct PatchReport {
    /// The keys of patches for removed packages, which are for none now.
    pub(crate) orphaned: Vec<String>,
    /// The patches that do not fit, in words.
    pub(crate) failed: Vec<String>,
}

impl Alterations {
    /// Reads what the project in `root` alters; files that tell of it are added to `seen`.
    ///
    /// # Errors
    /// An entry of `patchedDependencies` that names no file of the project, or is in a workspace,
    /// a patch file that cannot be read, or two programs.
    pub(crate) fn read(
        root: &Path,
        manifest: &Manifest,
        workspaces: &[(String, Manifest)],
        seen: &mut Seen,
    ) -> Result<Self, InstallError> {
        for (folder, manifest) in workspaces {
            if !manifest.patch_rules()?.is_empty() {
                let workspace = folder.clone();
                return Err(AlterationError::InWorkspace { workspace }.into());
            }
        }
        let rules = manifest.patch_rules()?;
        let mut patches = HashMap::new();
        read_patches(root, &rules, &mut patches, seen)?;
        // What an incremental install leaves to the full one.
        let fields = ["packageExtensions", "acceptDependencies"];
        let mut manifests = workspaces.iter().map(|(_, manifest)| manifest).chain([manifest]);
        let has_extensions = manifests
            .any(|manifest| fields.iter().any(|field| manifest.raw.get(*field).is_some()))
            || !manifest.extension_rules()?.is_empty()
            || manifest.exceptions()? != Exceptions::default()
            || manifest.has_optional_meta();
        let program = program(root, seen)?;
        let required = Vec::new();
        Ok(Alterations { rules, required, patches, program, has_extensions })
    }

    /// Takes the rules of requirements with `patch:`, in place of those it has.
    ///
    /// # Errors
    /// A patch file that cannot be read.
    pub(crate) fn require(
        &mut self,
        root: &Path,
        rules: Vec<PatchRule>,
        seen: &mut Seen,
    ) -> Result<(), InstallError> {
        read_patches(root, &rules, &mut self.patches, seen)?;
        self.required = rules;
        let rules = || self.rules.iter().chain(&self.required);
        self.patches.retain(|file, _| rules().any(|rule| rule.file == *file));
        Ok(())
    }

    /// Returns whether there is nothing that alters a package.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.required.is_empty()
            && self.program.is_none()
            && !self.has_extensions
    }

    /// Returns the digest of files beside the manifest that alter packages; `None` without any.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        if self.patches.is_empty() && self.program.is_none() {
            return None;
        }
        let mut files: Vec<(&str, &str)> = self
            .patches
            .iter()
            .map(|(file, integrity)| (file.as_str(), integrity.as_deref().unwrap_or_default()))
            .collect();
        files.sort_unstable();
        let program = self.program.iter().map(|(file, hash)| (*file, hash.as_str()));
        let mut hasher = blake3::Hasher::new();
        for text in files.into_iter().chain(program).flat_map(|(file, digest)| [file, digest]) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Some(*hasher.finalize().as_bytes())
    }

    /// Adds to the project's own record what it tells of the program.
    pub(crate) fn complete(&self, root: &mut LockPackage) {
        if let Some((_, hash)) = &self.program {
            root.extra.push((NPM_EXTENSION_HASH.to_owned(), format!("\"{hash}\"")));
        }
    }

    /// Gives each package of `lock` the patch for it; `previous` is the lockfile. `fitting` is
    /// asked about patches that may be left out.
    ///
    /// # Errors
    /// A patch is for no package, or for one that cannot be patched, or is missing, or differs
    /// from what a frozen lockfile has.
    pub(crate) fn patch(
        &self,
        lock: &mut Lock,
        previous: Option<&Lock>,
        strictness: Strictness<'_>,
        fitting: Fitting<'_>,
    ) -> Result<PatchReport, InstallError> {
        let mut report = PatchReport::default();
        let mut used: HashSet<&str> = HashSet::new();
        let index = previous.map(Lock::index);
        let mut chosen = Vec::new();
        let bundled = lock.bundled();
        let mut addresses = None;
        let mut linked = Vec::new();
        for package in &lock.packages {
            let mut rule = self.rule_for(package)?;
            // A folder under the name of packages that the patch is for is left as it is.
            if package.link {
                linked.extend(rule.take().map(|rule| (package, rule)));
            }
            if let Some(rule) = rule {
                used.insert(&rule.key);
                let is_required = |url: &str| {
                    !rule.is_required
                        && addresses
                            .get_or_insert_with(|| required_addresses(lock.packages.iter(), &[]))
                            .contains(url)
                };
                let is_bundled = bundled.bundler(&package.path).is_some();
                check_target(package, rule, is_bundled, is_required)?;
            }
            let mut patched = rule.map(|rule| self.patched(rule)).transpose()?;
            if let Some(rule) = rule.filter(|it| it.is_optional || strictness.ignores_failures)
                && let Some(failed) =
                    fitting(&LockPackage { patched: patched.clone(), ..package.clone() })?
            {
                let package = label(package);
                report
                    .failed
                    .push(format!("{package} is installed without {}: {failed}", rule.file));
                patched = None;
            }
            if strictness.frozen {
                let before = index.as_ref().and_then(|index| index.get(&package.path));
                let before = before.and_then(|entry| entry.patched.as_ref());
                if before != patched.as_ref() {
                    let is_recorded = before.is_some();
                    let package = label(package);
                    return Err(AlterationError::Frozen { package, is_recorded }.into());
                }
            }
            chosen.push(patched);
        }
        drop(bundled);
        let is_used = |rule: &PatchRule| used.contains(rule.key.as_str());
        if let Some((package, rule)) = linked.into_iter().find(|(_, rule)| !is_used(rule)) {
            return Err(not_patchable(
                package,
                rule,
                "it is a link to a folder, whose files can be changed there",
            ));
        }
        for (package, patched) in lock.packages.iter_mut().zip(chosen) {
            package.patched = patched;
        }
        lock.set_format_version(previous);
        let unused = self.rules.iter().filter(|rule| !used.contains(rule.key.as_str()));
        let (orphaned, unused): (Vec<&PatchRule>, Vec<&PatchRule>) =
            unused.partition(|rule| strictness.removed.contains(&rule.name));
        if !unused.is_empty() && !strictness.allow_unused {
            let keys = unused.iter().map(|rule| rule.key.clone()).collect();
            return Err(AlterationError::Unused { keys }.into());
        }
        report.orphaned = orphaned.into_iter().map(|rule| rule.key.clone()).collect();
        Ok(report)
    }

    /// Returns the rule for an entry: not for the project, its workspaces and other folders.
    fn rule_for(&self, package: &LockPackage) -> Result<Option<&PatchRule>, InstallError> {
        let has_none = self.rules.is_empty() && self.required.is_empty();
        if has_none || !package.path.contains("node_modules/") {
            return Ok(None);
        }
        let (name, version) =
            (name_of_path(&package.path), package.version.as_deref().unwrap_or_default());
        let ambiguous = |keys| AlterationError::Ambiguous { package: label(package), keys };
        let selected = PatchRule::select(&self.rules, name, version).map_err(|error| {
            ambiguous(error.keys.map(|key| format!("{key} in patchedDependencies")))
        })?;
        let required = |rule: &&PatchRule| rule.name == name && rule.is_for(version);
        let mut all = selected.into_iter().chain(self.required.iter().filter(required));
        let Some(first) = all.next() else { return Ok(None) };
        match all.find(|other| other.file != first.file) {
            Some(other) => Err(ambiguous([first.in_words(), other.in_words()]).into()),
            None => Ok(Some(first)),
        }
    }

    fn patched(&self, rule: &PatchRule) -> Result<Patched, InstallError> {
        match self.patches.get(&rule.file) {
            Some(Some(integrity)) => {
                Ok(Patched { path: rule.file.clone(), integrity: integrity.clone() })
            }
            _ => {
                let key = if rule.is_required { &rule.name } else { &rule.key };
                let (key, file) = (key.clone(), rule.file.clone());
                Err(AlterationError::NoPatch { key, file }.into())
            }
        }
    }
}

/// Returns the text of a manifest without the patches for removed packages that are for none of
/// `lock`, as npm leaves them out.
///
/// # Errors
/// A text that is no manifest.
pub fn without_orphaned_patches(
    text: &str,
    removed: &[String],
    lock: &Lock,
) -> Result<String, InstallError> {
    let rules = Manifest::parse(text)?.patch_rules()?;
    let is_used = |rule: &PatchRule| {
        let installed = lock.packages.iter().filter(|package| {
            package.path.contains("node_modules/") && name_of_path(&package.path) == rule.name
        });
        let mut versions = installed.map(|package| package.version.as_deref().unwrap_or_default());
        versions.any(|version| {
            let found = PatchRule::select(&rules, &rule.name, version);
            found.is_ok_and(|found| found.is_some_and(|found| found.key == rule.key))
        })
    };
    let is_orphaned = |rule: &&PatchRule| removed.contains(&rule.name) && !is_used(rule);
    let orphaned: Vec<&PatchRule> = rules.iter().filter(is_orphaned).collect();
    if orphaned.is_empty() {
        return Ok(text.to_owned());
    }
    let mut edit = ManifestEdit::new(text)?;
    for rule in &orphaned {
        edit.remove(&["patchedDependencies", &rule.key]);
    }
    if orphaned.len() == rules.len() {
        edit.remove(&["patchedDependencies"]);
    }
    Ok(edit.finish())
}

/// Checks that a package has a tarball of its own, from a registry; `is_required` tells whether a
/// requirement names an address.
fn check_target(
    package: &LockPackage,
    rule: &PatchRule,
    is_bundled: bool,
    mut is_required: impl FnMut(&str) -> bool,
) -> Result<(), InstallError> {
    let is_elsewhere = match origin(package) {
        Origin::Registry => false,
        Origin::Address(url) => is_required(url),
        Origin::File(_) | Origin::Other(_) => true,
    };
    match (is_bundled, is_elsewhere) {
        (true, _) => {
            let reason = "its files come within the tarball of another package";
            Err(not_patchable(package, rule, reason))
        }
        (false, true) => Err(not_patchable(package, rule, "it does not come from a registry")),
        (false, false) => Ok(()),
    }
}

fn not_patchable(package: &LockPackage, rule: &PatchRule, reason: &'static str) -> InstallError {
    let (package, patch) = (label(package), rule.in_words());
    AlterationError::NotPatchable { package, patch, reason }.into()
}

/// Returns the platforms that a project names beside this one.
pub(crate) fn more_platforms(named: &Architectures, this: &Platform) -> Vec<Platform> {
    let list = |names: &[String], current: &str| -> Vec<Box<str>> {
        if names.is_empty() {
            return vec![current.into()];
        }
        let name =
            |name: &String| if name == "current" { current.into() } else { name.as_str().into() };
        names.iter().map(name).collect()
    };
    if *named == Architectures::default() {
        return Vec::new();
    }
    let libc = list(&named.libc, this.libc.as_deref().unwrap_or_default());
    let mut platforms = Vec::new();
    for os in list(&named.os, &this.os) {
        for cpu in list(&named.cpu, &this.cpu) {
            platforms.extend(libc.iter().map(|libc| Platform {
                os: os.clone(),
                cpu: cpu.clone(),
                libc: Some(libc.clone()).filter(|libc| !libc.is_empty() && &*os == "linux"),
            }));
        }
    }
    platforms
}

/// Returns whether entries of a lockfile tell of alterations.
pub(crate) fn are_told(mut keys: impl Iterator<Item = impl AsRef<str>>) -> bool {
    keys.any(|key| ALTERATIONS.contains(&key.as_ref()))
}

fn program(root: &Path, seen: &mut Seen) -> Result<Option<(&'static str, String)>, InstallError> {
    let mut found = Vec::new();
    for (name, format) in NPM_EXTENSIONS {
        let path = root.join(name);
        // Only where there is one does it belong to the project's state: looking for it costs an
        // install that has nothing to do a system call.
        if path.is_file()
            && let Some(bytes) = read(&path, LARGEST_PROGRAM, seen)?
        {
            found.push((name, npm_extension_hash(format, &bytes)));
        }
    }
    match found.len() {
        2 => Err(AlterationError::TwoPrograms.into()),
        _ => Ok(found.pop()),
    }
}

/// Reads the integrity of the patch files of these rules that are not known.
fn read_patches(
    root: &Path,
    rules: &[PatchRule],
    patches: &mut HashMap<String, Option<String>>,
    seen: &mut Seen,
) -> Result<(), InstallError> {
    for rule in rules {
        if !patches.contains_key(&rule.file) {
            let read = read(&root.join(&rule.file), MAX_PATCH_SIZE, seen)?;
            let integrity = read.map(|bytes| Integrity::sha512_of(&bytes).to_string());
            patches.insert(rule.file.clone(), integrity);
        }
    }
    Ok(())
}

/// Reads a file after recording its identity; `None` where there is none.
fn read(path: &Path, limit: u64, seen: &mut Seen) -> Result<Option<Vec<u8>>, InstallError> {
    seen.push(see(path));
    match read_bounded(path, limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AcquireError::io(format!("reading {}", path.display()), error).into()),
    }
}
