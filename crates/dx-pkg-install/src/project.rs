//! A project on disk: its manifests and its lockfile.

pub(crate) mod alterations;
mod compiled;
pub(crate) mod disowned;
mod folders;
pub(crate) mod home;
mod importers;
mod members;
pub(crate) mod outside;
mod pins;
mod root;
mod seen;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::ScopedJoinHandle;

use dx_pkg_acquire::files::{parse_manifest, parse_own_manifest, read_text};
use dx_pkg_compat::foreign_bytes;
use dx_pkg_compat::homes::{Home, Owner};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_os::files::{
    Durability, Identity, Target, check_user_file, target_within, write_user_file,
};
use dx_pkg_resolve::Requirements;
use dx_pkg_resolve::rules::Single;
use dx_pkg_store::Store;

use alterations::Alterations;
use home::{ReadHome, read_home};

pub(crate) use compiled::{
    CompiledLock, compile_lockfile, lockfile_digest, lockfile_in, read_lock,
};
pub(crate) use importers::manifest_of;
pub use members::workspaces;
pub(crate) use pins::ProjectPins;
pub use root::{ProjectRoot, find_root, nearest_manifest};
pub(crate) use root::{folders_with_manifest, nearest_root};
pub use seen::Seen;
use seen::read_seen_to_edit;
pub(crate) use seen::{read_seen, read_seen_trusted, see};

pub use crate::error::{AlterationError, DemandError};

use crate::InstallError;
use crate::workspaces::{Candidates, Patterns};

/// Lockfiles that dx reads and writes; the first that exists is used.
const LOCKFILES: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];
/// The files of a project that an install may write.
pub(crate) const FILES: [&str; 3] = ["package.json", LOCKFILES[0], LOCKFILES[1]];
/// Lockfiles of other managers, which dx does not read yet.
const FOREIGN: [&str; 4] = ["pnpm-lock.yaml", "bun.lock", "bun.lockb", "yarn.lock"];

/// A project: manifests and lockfile as they were read.
pub struct Project {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// The text of its `package.json`; empty where there is none. Bytes that are not UTF-8 are in
    /// it as [`dx_pkg_compat::foreign_bytes`] keeps them.
    pub manifest_text: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// The folders of its workspaces, relative to the root, with their manifests.
    pub workspaces: Vec<(String, Manifest)>,
    /// The texts of those workspaces' manifests that a command is to change, by folder.
    workspace_texts: HashMap<String, String>,
    /// The settings of the package manager that it belongs to.
    pub home: Home,
    /// Settings files that are not read, in words.
    pub(crate) unread_homes: Vec<String>,
    /// Whether the pins of other managers are passed over.
    pub(crate) ignores_pins: bool,
    /// The lockfile's name.
    pub lockfile: &'static str,
    /// The lockfile's text and contents, once [`Self::read_lockfile`] has read them.
    pub locked: Option<(String, Lock)>,
    /// Whether the lockfile holds two sides of a merge, of which [`Self::locked`] has both.
    pub(crate) is_merged: bool,
    /// The lockfile's text before [`Self::read_lockfile`] takes it.
    unread: Option<String>,
    /// The key of the lockfile's compiled form, once it was needed.
    lockfile_digest: OnceLock<[u8; 32]>,
    /// The folders, relative to the root, that a new workspace would change.
    pub(crate) workspace_places: Vec<String>,
    /// Digest of the workspaces' folders and manifests.
    pub workspaces_digest: [u8; 32],
    /// What it alters of packages.
    pub(crate) alterations: Alterations,
    /// Its files with their identities when they were read.
    pub seen: Seen,
}

impl Project {
    /// Reads the project in `root`, which [`find_root`] found for the folder `from`.
    ///
    /// # Errors
    /// There is no manifest, a manifest cannot be read, or the lockfile is another manager's.
    pub fn read(root: PathBuf, from: &Path) -> Result<Self, InstallError> {
        let mut seen = Seen::new();
        let path = root.join("package.json");
        let Some(manifest_text) = read_seen_to_edit(&path, &mut seen)? else {
            return Err(InstallError::NoManifest { folder: from.to_owned() });
        };
        Self::parse(root, manifest_text, seen)
    }

    /// Reads the project in `root`; a folder without a `package.json` is a project without
    /// dependencies.
    ///
    /// # Errors
    /// As [`Self::read`], but for a missing manifest.
    pub fn read_or_new(root: PathBuf, _from: &Path) -> Result<Self, InstallError> {
        let mut seen = Seen::new();
        let text = read_seen_to_edit(&root.join("package.json"), &mut seen)?;
        Self::parse(root, text.unwrap_or_else(|| "{}\n".to_owned()), seen)
    }

    /// Returns the project that stands for globally installed packages: nothing in its folder says
    /// what it requires.
    ///
    /// # Errors
    /// As [`Self::read`], but for the manifest.
    pub fn of_global(root: PathBuf) -> Result<Self, InstallError> {
        Self::parse(root, "{}\n".to_owned(), Seen::new())
    }

    fn parse(root: PathBuf, manifest_text: String, mut seen: Seen) -> Result<Self, InstallError> {
        let path = root.join("package.json");
        let mut manifest = parse_own_manifest(&path, &manifest_text)?;
        let ReadHome { home, file, unread: unread_homes } = read_home(&root, &manifest, &mut seen)?;
        home.complete(&mut manifest);
        let home_text = file.as_ref().map(|(_, text)| text.as_str());
        let Workspaces { found: workspaces, places: workspace_places, digest: workspaces_digest } =
            open_workspaces(&root, &manifest, (&home, home_text), &mut seen)?;
        let lockfile = LOCKFILES.into_iter().find(|name| root.join(name).exists());
        if lockfile.is_none()
            && let Some(foreign) = FOREIGN.into_iter().find(|name| root.join(name).exists())
        {
            return Err(InstallError::ForeignLockfile { lockfile: foreign });
        }
        let lockfile = lockfile.unwrap_or("package-lock.json");
        let locked = None;
        let alterations = Alterations::read(&root, &manifest, &workspaces, &mut seen)?;
        Ok(Project {
            root,
            manifest_text,
            manifest,
            workspaces,
            workspace_texts: HashMap::new(),
            home,
            unread_homes,
            ignores_pins: false,
            lockfile,
            locked,
            is_merged: false,
            unread: None,
            lockfile_digest: OnceLock::new(),
            workspace_places,
            workspaces_digest,
            alterations,
            seen,
        })
    }

    /// Reads the project's files anew, after a script that may have changed them.
    pub(crate) fn read_again(
        &mut self,
        store: &Store,
        with_lockfile: bool,
    ) -> Result<(), InstallError> {
        let ignores_pins = self.ignores_pins;
        *self = Project { ignores_pins, ..Self::read(self.root.clone(), &self.root)? };
        let patches = self.pins()?.patches;
        self.require_patches(patches)?;
        if with_lockfile {
            self.load_lockfile()?;
        }
        self.read_lockfile(store)
    }

    /// Loads the lockfile's text, without parsing it.
    pub fn load_lockfile(&mut self) -> Result<(), InstallError> {
        self.unread = read_seen(&self.root.join(self.lockfile), &mut self.seen)?;
        self.lockfile_digest = OnceLock::new();
        Ok(())
    }

    /// Returns the lockfile's text, if there is one and it was loaded.
    pub fn lockfile_text(&self) -> Option<&str> {
        self.locked.as_ref().map(|(text, _)| text.as_str()).or(self.unread.as_deref())
    }

    /// Returns the key of the compiled lockfile, if there is a lockfile and its text was loaded.
    pub(crate) fn lockfile_digest(&self) -> Option<[u8; 32]> {
        let text = self.lockfile_text()?;
        Some(*self.lockfile_digest.get_or_init(|| lockfile_digest(text)))
    }

    /// Returns the folder's name, after which the lockfile is named, of a project without a name of
    /// its own.
    #[must_use]
    pub fn unnamed(&self) -> Option<String> {
        let folder = || self.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.manifest.name.is_none().then(folder)
    }

    /// Sets the lockfile's text as it was written.
    pub fn set_lockfile_text(&mut self, text: String) {
        self.locked = None;
        self.unread = Some(text);
        self.lockfile_digest = OnceLock::new();
    }

    /// Returns the compiled form of the lockfile; `None` where none was loaded.
    pub(crate) fn compiled(&self, store: &Store) -> Result<Option<CompiledLock>, InstallError> {
        let path = self.root.join(self.lockfile);
        let text = self.unread.as_deref().zip(self.lockfile_digest());
        text.map(|(text, digest)| CompiledLock::of(text, digest, &path, store)).transpose()
    }

    /// Parses the lockfile whose text was loaded.
    ///
    /// # Errors
    /// The text is no lockfile.
    pub fn read_lockfile(&mut self, store: &Store) -> Result<(), InstallError> {
        let path = self.root.join(self.lockfile);
        let digest = self.lockfile_digest();
        if let Some((text, digest)) = self.unread.take().zip(digest) {
            let compiled = CompiledLock::of(&text, digest, &path, store)?;
            let lock = DxlView::open(&compiled)?.to_lock();
            self.is_merged = matches!(compiled, CompiledLock::Merged(_));
            self.locked = Some((text, lock));
        }
        Ok(())
    }

    /// Returns what the project requires.
    ///
    /// # Errors
    /// Overrides that cannot be read, or the manifest of a linked folder that cannot be read.
    pub fn requirements(&self) -> Result<Requirements, InstallError> {
        let ProjectPins { pins, overrides, links, .. } = self.pins()?;
        let mut workspaces: Vec<LockPackage> = self
            .workspaces
            .iter()
            .map(|(path, manifest)| LockPackage {
                path: path.clone(),
                ..manifest.to_lock_package()
            })
            .chain(self.linked_folders(&links)?)
            .collect();
        workspaces.extend(self.linked_without_dependencies(&links)?);
        let (root, extensions) = (self.own_record(), self.manifest.extension_rules()?);
        let exceptions = self.manifest.exceptions()?;
        let single = self.single_versions()?;
        Ok(Requirements { root, workspaces, overrides, pins, extensions, exceptions, single })
    }

    /// Returns the packages of which the project or a workspace wants one version only.
    fn single_versions(&self) -> Result<Vec<Single>, InstallError> {
        let mut found = Vec::new();
        let workspaces =
            self.workspaces.iter().map(|(folder, manifest)| (folder.as_str(), manifest));
        for (folder, manifest) in std::iter::once(("", &self.manifest)).chain(workspaces) {
            let names = manifest.single_versions()?;
            if !names.is_empty() {
                found.push(Single { from: folder.to_owned(), names });
            }
        }
        Ok(found)
    }

    /// Returns the project's own record.
    pub(crate) fn own_record(&self) -> LockPackage {
        let mut record = self.manifest.to_project_package();
        self.alterations.complete(&mut record);
        record
    }

    /// Returns whether the project or one of its workspaces has any dependency.
    pub fn requires_anything(&self) -> bool {
        let mut manifests = std::iter::once(&self.manifest)
            .chain(self.workspaces.iter().map(|(_, manifest)| manifest));
        manifests.any(|manifest| {
            !(manifest.dependencies.is_empty()
                && manifest.dev_dependencies.is_empty()
                && manifest.optional_dependencies.is_empty()
                && manifest.peer_dependencies.is_empty())
        })
    }

    /// Returns the requirements of the folders that the lockfile links to: their manifests are
    /// edited like the project's. Those of `links` are left out.
    fn linked_folders(&self, links: &[String]) -> Result<Vec<LockPackage>, InstallError> {
        let locked = self.locked.iter().flat_map(|(_, lock)| &lock.packages);
        let is_workspace =
            |path: &str| self.workspaces.iter().any(|(workspace, _)| workspace == path);
        let in_modules = self.locked.as_ref().map(|(_, lock)| lock.folders_in_modules());
        let is_folder = |path: &str| {
            !path.contains("node_modules/")
                // What is in a package is as its tarball has it.
                || !path.starts_with("node_modules/")
                    && in_modules.as_ref().is_some_and(|folders| folders.contains(path))
        };
        let mut found = Vec::new();
        for LockPackage { path, .. } in locked.filter(|entry| !entry.link && is_folder(&entry.path))
        {
            let file = self.root.join(path).join("package.json");
            if !path.is_empty()
                && !is_workspace(path)
                && !links.contains(path)
                && let Some(text) = read_text(&file)?
            {
                found.push(LockPackage {
                    path: path.clone(),
                    ..parse_manifest(&file, &text)?.to_lock_package()
                });
            }
        }
        Ok(found)
    }

    /// Records the identity of a file that this command wrote.
    fn wrote(&mut self, path: &Path) {
        self.seen.retain(|(known, _)| known != path);
        self.seen.push(see(path));
    }
}

impl Project {
    /// Checks that a file of the project can be written.
    pub(crate) fn check(&self, name: &str) -> Result<(), InstallError> {
        self.refuse_outside(name)?;
        check_user_file(&self.root, name)
            .map_err(|error| InstallError::io(self.writing(name), error))
    }

    /// Returns an error if a file of the project is a link that leads out of it: nothing is written
    /// there.
    fn refuse_outside(&self, name: &str) -> Result<(), InstallError> {
        match target_within(&self.root, name) {
            Ok(Target::Outside(target)) => {
                Err(InstallError::LinkedFile { path: self.root.join(name), target })
            }
            Ok(Target::Within(_)) => Ok(()),
            Err(error) => Err(InstallError::io(self.writing(name), error)),
        }
    }

    fn writing(&self, name: &str) -> String {
        format!("writing {}", self.root.join(name).display())
    }

    /// Writes a file of the project, whole or not at all.
    pub(crate) fn write(
        &mut self,
        name: &str,
        text: &[u8],
        durability: Durability,
    ) -> Result<(), InstallError> {
        self.refuse_outside(name)?;
        write_user_file(&self.root, name, text, durability)
            .map_err(|error| InstallError::io(self.writing(name), error))?;
        self.wrote(&self.root.join(name));
        Ok(())
    }

    /// Returns those of the manifests' new texts that are other than the present ones.
    pub(crate) fn changed_manifests<'t>(
        &self,
        texts: &'t [(String, String)],
    ) -> impl Iterator<Item = (&'t str, &'t str)> {
        let texts = texts.iter().map(|(importer, text)| (importer.as_str(), text.as_str()));
        texts.filter(|(importer, text)| self.text_of(importer) != Some(*text))
    }

    /// Writes manifests and lockfile, each whole or not at all, and only where they change.
    pub(crate) fn save(
        &mut self,
        lockfile: Option<String>,
        manifests: &[(String, String)],
        durability: Durability,
    ) -> Result<(), InstallError> {
        let changed: Vec<(&str, &str)> = self.changed_manifests(manifests).collect();
        for (importer, text) in changed {
            let before = self.text_of(importer).unwrap_or_default();
            let bytes = foreign_bytes::restored(text, before).into_owned();
            self.write(&manifest_of(importer), &bytes, durability)?;
            if importer.is_empty() {
                text.clone_into(&mut self.manifest_text);
            } else {
                self.workspace_texts.insert(importer.to_owned(), text.to_owned());
            }
        }
        if let Some(text) = lockfile {
            self.write(self.lockfile, text.as_bytes(), durability)?;
            self.set_lockfile_text(text);
        }
        Ok(())
    }
}

/// The workspaces of a project.
struct Workspaces {
    /// Their folders with their manifests.
    found: Vec<(String, Manifest)>,
    /// The folders that a new workspace would change.
    places: Vec<String>,
    /// The digest of folders and manifests, and of the settings of the project's manager.
    digest: [u8; 32],
}

fn open_workspaces(
    root: &Path,
    manifest: &Manifest,
    (home, home_text): (&Home, Option<&str>),
    seen: &mut Seen,
) -> Result<Workspaces, InstallError> {
    let mut patterns = manifest.workspace_patterns()?;
    patterns.extend(home.workspace_patterns()?);
    let patterns =
        Patterns::parse(&patterns).map_err(|pattern| InstallError::WorkspacePattern { pattern })?;
    let candidates = Candidates::find(root, &patterns);
    let mut hasher = blake3::Hasher::new();
    if home.owner != Owner::NPM {
        hasher.update(format!("{:?}", home.owner).as_bytes());
        hasher.update(home_text.unwrap_or_default().as_bytes());
    }
    let (mut found, mut known) = (Vec::new(), HashMap::new());
    for read in read_manifests(root, candidates.folders.into_iter().collect()) {
        let ReadManifest { folder, file, manifest } = read;
        seen.push(file);
        if let Some((text, mut manifest)) = manifest? {
            home.make_optional(&mut manifest);
            outside::refuse_leading_out(root, &folder, &mut known)?;
            for part in [&folder, &text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            found.push((folder, manifest));
        }
    }
    refuse_same_names(&found)?;
    let places = candidates.listed.into_iter().collect();
    Ok(Workspaces { found, places, digest: *hasher.finalize().as_bytes() })
}

/// The manifest of a workspace as it was read.
struct ReadManifest {
    folder: String,
    /// The file with its identity.
    file: (PathBuf, Option<Identity>),
    /// Its text and contents, if there is one.
    manifest: Result<Option<(String, Manifest)>, InstallError>,
}

/// Reads the manifests in these folders, many of them on two threads.
fn read_manifests(root: &Path, mut folders: Vec<String>) -> Vec<ReadManifest> {
    const MANY: usize = 50;
    let read = |folder: String| {
        let path = root.join(&folder).join("package.json");
        let mut seen = Seen::new();
        let text = read_seen(&path, &mut seen);
        let parse = |text: String| Ok((parse_own_manifest(&path, &text)?, text));
        let manifest = text.and_then(|text| text.map(parse).transpose());
        let manifest = manifest.map(|found| found.map(|(manifest, text)| (text, manifest)));
        ReadManifest { folder, file: seen.pop().unwrap_or((path, None)), manifest }
    };
    let half = if folders.len() < MANY { folders.len() } else { folders.len() / 2 };
    let others = folders.split_off(half);
    std::thread::scope(|scope| {
        let others = (!others.is_empty())
            .then(|| scope.spawn(|| others.into_iter().map(read).collect::<Vec<_>>()));
        let mut all: Vec<ReadManifest> = folders.into_iter().map(read).collect();
        let join = |thread: ScopedJoinHandle<'_, Vec<ReadManifest>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        all.extend(others.map(join).unwrap_or_default());
        all
    })
}

/// Returns an error if two workspaces have one name: only one of them can be linked.
fn refuse_same_names(workspaces: &[(String, Manifest)]) -> Result<(), InstallError> {
    let mut named: HashMap<&str, &str> = HashMap::new();
    for (folder, manifest) in workspaces {
        let name = manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder));
        if let Some(other) = named.insert(name, folder) {
            let (name, folders) = (name.to_owned(), [other.to_owned(), folder.clone()]);
            return Err(InstallError::SameWorkspaceName { name, folders });
        }
    }
    Ok(())
}
