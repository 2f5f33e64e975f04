//! A project on disk: its manifests, its lockfile, its `.npmrc` layers.

use std::path::{Path, PathBuf};

use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_os::{Identity, Map};
use dx_pkg_resolve::{Override, Requirements};
use dx_pkg_store::Store;
use serde_json::Value;

use crate::failure::Failure;
use crate::surroundings::Surroundings;
use crate::workspaces;

/// Lockfiles that dx keeps in place, the first that is there.
const LOCKFILES: [&str; 2] = ["npm-shrinkwrap.json", "package-lock.json"];
/// The files of a project that an install may write.
pub const FILES: [&str; 3] = ["package.json", LOCKFILES[0], LOCKFILES[1]];
/// Lockfiles of other managers, which dx does not read yet.
const FOREIGN: [&str; 4] = ["pnpm-lock.yaml", "bun.lock", "bun.lockb", "yarn.lock"];

/// The project a command works on.
pub struct Project {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// The text of its `package.json`; empty where there is none.
    pub manifest_text: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its workspaces' manifests: folder relative to the root, and contents.
    pub workspaces: Vec<(String, Manifest)>,
    /// The lockfile's name.
    pub lockfile: &'static str,
    /// The lockfile's text and contents, if there is one; see [`Self::read_lockfile`].
    pub locked: Option<(String, Lock)>,
    /// The lockfile's text before [`Self::read_lockfile`] takes it.
    unread: Option<String>,
    /// Digest of the workspaces' folders and manifests.
    pub workspaces_digest: [u8; 32],
    /// What its files were when they were read: a later change means that there may be something to do.
    pub seen: Seen,
}

/// Files with what they were; `None` for one that did not exist.
pub type Seen = Vec<(PathBuf, Option<Identity>)>;

impl Project {
    /// Opens the project in `root`, which [`find_root`] found.
    pub fn open(surroundings: &Surroundings, root: PathBuf) -> Result<Self, Failure> {
        let mut seen = Seen::new();
        let path = root.join("package.json");
        let Some(manifest_text) = read_noting(&path, &mut seen)? else {
            return Err(Failure::new(
                "DX_NO_MANIFEST",
                format!("there is no package.json in {} or above", surroundings.folder.display()),
            )
            .with_hint("run dx in a project's folder, or add a package with dx add, which makes a package.json"));
        };
        Self::of(root, manifest_text, seen)
    }

    /// The same; a folder without a `package.json` is a project that asks for nothing. The file is made when it is saved.
    pub fn open_or_new(_: &Surroundings, root: PathBuf) -> Result<Self, Failure> {
        let mut seen = Seen::new();
        let text = read_noting(&root.join("package.json"), &mut seen)?;
        Self::of(root, text.unwrap_or_else(|| "{}\n".to_owned()), seen)
    }

    fn of(root: PathBuf, manifest_text: String, mut seen: Seen) -> Result<Self, Failure> {
        let path = root.join("package.json");
        let manifest = parse_manifest(&path, &manifest_text)?;
        let (workspaces, workspaces_digest) = open_workspaces(&root, &manifest, &mut seen)?;
        let lockfile = LOCKFILES.into_iter().find(|name| root.join(name).exists());
        if lockfile.is_none()
            && let Some(foreign) = FOREIGN.into_iter().find(|name| root.join(name).exists())
        {
            return Err(Failure::new(
                "DX_FOREIGN_LOCKFILE",
                format!("this project is locked by {foreign}, which dx cannot read yet"),
            )
            .with_hint(format!(
                "to start over with a package-lock.json, move {foreign} away and run the command again"
            )));
        }
        let lockfile = lockfile.unwrap_or("package-lock.json");
        let locked = None;
        Ok(Project {
            root,
            manifest_text,
            manifest,
            workspaces,
            lockfile,
            locked,
            unread: None,
            workspaces_digest,
            seen,
        })
    }

    /// Loads the lockfile's text.
    pub fn load_lockfile(&mut self) -> Result<(), Failure> {
        self.unread = read_noting(&self.root.join(self.lockfile), &mut self.seen)?;
        Ok(())
    }

    /// The lockfile's text, if there is one and it was loaded.
    pub fn lockfile_text(&self) -> Option<&str> {
        self.locked.as_ref().map(|(text, _)| text.as_str()).or(self.unread.as_deref())
    }

    /// Takes note of the lockfile's text as it was just written.
    pub fn set_lockfile_text(&mut self, text: String) {
        self.locked = None;
        self.unread = Some(text);
    }

    /// The compiled form of the lockfile whose text was loaded; `None` without one.
    pub fn compiled(&self, store: &Store) -> Result<Option<Compiled>, Failure> {
        let path = self.root.join(self.lockfile);
        self.unread.as_deref().map(|text| Compiled::of(text, &path, store)).transpose()
    }

    /// Reads the lockfile whose text was loaded.
    pub fn read_lockfile(&mut self, store: &Store) -> Result<(), Failure> {
        let path = self.root.join(self.lockfile);
        if let Some(text) = self.unread.take() {
            let compiled = Compiled::of(&text, &path, store)?;
            let lock = DxlView::open(&compiled)?.to_lock();
            self.locked = Some((text, lock));
        }
        Ok(())
    }

    /// What the project asks for.
    pub fn requirements(&self) -> Result<Requirements, Failure> {
        let overrides = match &self.manifest.overrides {
            Some(value) => overrides_of(value)?,
            None => Vec::new(),
        };
        let workspaces = self
            .workspaces
            .iter()
            .map(|(path, manifest)| LockPackage { path: path.clone(), ..record_of(manifest) })
            .chain(self.linked_folders()?)
            .collect();
        Ok(Requirements { root: record_of(&self.manifest), workspaces, overrides })
    }

    /// Whether the project or one of its workspaces has any dependency.
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

    /// What the folders that the lockfile has links to ask for now: their manifests are edited like the project's.
    fn linked_folders(&self) -> Result<Vec<LockPackage>, Failure> {
        let locked = self.locked.iter().flat_map(|(_, lock)| &lock.packages);
        let is_workspace =
            |path: &str| self.workspaces.iter().any(|(workspace, _)| workspace == path);
        let mut found = Vec::new();
        for LockPackage { path, .. } in
            locked.filter(|entry| !entry.link && !entry.path.contains("node_modules/"))
        {
            let file = self.root.join(path).join("package.json");
            if !path.is_empty()
                && !is_workspace(path)
                && let Some(text) = read(&file)?
            {
                found.push(LockPackage {
                    path: path.clone(),
                    ..record_of(&parse_manifest(&file, &text)?)
                });
            }
        }
        Ok(found)
    }

    /// Notes that a file is now what this command made of it.
    pub fn wrote(&mut self, path: &Path) {
        self.seen.retain(|(known, _)| known != path);
        self.seen.push(note(path));
    }
}

/// A file with what it is now.
pub fn note(path: &Path) -> (PathBuf, Option<Identity>) {
    (path.to_owned(), dx_pkg_os::identity(path).ok().flatten())
}

/// A file's text, having noted what the file was before it was read.
pub fn read_noting(path: &Path, seen: &mut Seen) -> Result<Option<String>, Failure> {
    seen.push(note(path));
    read(path)
}

/// The nearest folder upwards that is a project; `from` itself where none is. A workspace belongs to its project.
pub fn find_root(from: &Path) -> PathBuf {
    let nearest = from
        .ancestors()
        .find(|folder| {
            folder.join("package.json").is_file() || folder.join("node_modules").is_dir()
        })
        .unwrap_or(from);
    for outer in nearest.ancestors().skip(1) {
        let Ok(text) = std::fs::read_to_string(outer.join("package.json")) else { continue };
        let Ok(manifest) = Manifest::parse(&text) else { continue };
        let Ok(patterns) = manifest.workspace_patterns() else { continue };
        let Ok(inner) = nearest.strip_prefix(outer) else { continue };
        let inner = inner.to_string_lossy().replace('\\', "/");
        if workspaces::find(outer, &patterns).contains(&inner) {
            return outer.to_owned();
        }
    }
    nearest.to_owned()
}

/// What the compiled form of a lockfile is kept under: its text, and the version of what compiled it.
pub fn digest(text: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(text.as_bytes());
    *hasher.finalize().as_bytes()
}

/// A compiled lockfile, sound and of the text that was asked for.
pub enum Compiled {
    /// As an earlier run left it in the store.
    Kept(Map),
    /// Made just now.
    Made(Vec<u8>),
}

impl Compiled {
    fn of(text: &str, path: &Path, store: &Store) -> Result<Self, Failure> {
        let digest = digest(text);
        let is_sound =
            |map: &Map| DxlView::open(map).is_ok_and(|view| view.source_digest() == digest);
        if let Some(map) = store.compiled_lock(digest).filter(is_sound) {
            return Ok(Compiled::Kept(map));
        }
        let lock = npm::read(text).map_err(|error| in_file(path, Failure::from(error)))?;
        let bytes = dxl::encode(&lock, digest);
        // What cannot be kept is read again.
        let _ = store.put_compiled_lock(digest, &bytes);
        Ok(Compiled::Made(bytes))
    }
}

impl std::ops::Deref for Compiled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Compiled::Kept(map) => map,
            Compiled::Made(bytes) => bytes,
        }
    }
}

/// Compiles the lockfile of the project in `root` for the next command there, where that is not done. What is wrong with
/// it, that command says.
pub fn compile_lockfile(root: &Path, store: &Store) {
    let found = LOCKFILES
        .into_iter()
        .map(|name| root.join(name))
        .find_map(|path| Some((read(&path).ok()??, path)));
    if let Some((text, path)) = found {
        let _ = Compiled::of(&text, &path, store);
    }
}

/// A file's text; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => {
                Err(Failure::new("DX_NOT_TEXT", format!("{} is not UTF-8 text", path.display()))
                    .with_hint("save it as UTF-8"))
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(format!("reading {}", path.display()), &error)),
    }
}

/// The failure, with the file it concerns named first.
pub fn in_file(path: &Path, mut failure: Failure) -> Failure {
    failure.message = format!("{}: {}", path.display(), failure.message);
    failure
}

fn parse_manifest(path: &Path, text: &str) -> Result<Manifest, Failure> {
    Manifest::parse(text).map_err(|error| in_file(path, Failure::from(error)))
}

/// Workspaces by folder, and the digest of folders and manifests.
type Workspaces = (Vec<(String, Manifest)>, [u8; 32]);

fn open_workspaces(
    root: &Path,
    manifest: &Manifest,
    seen: &mut Seen,
) -> Result<Workspaces, Failure> {
    let patterns = manifest.workspace_patterns()?;
    let mut hasher = blake3::Hasher::new();
    let mut found = Vec::new();
    for folder in workspaces::find(root, &patterns) {
        let path = root.join(&folder).join("package.json");
        if let Some(text) = read_noting(&path, seen)? {
            for part in [&folder, &text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            found.push((folder, parse_manifest(&path, &text)?));
        }
    }
    Ok((found, *hasher.finalize().as_bytes()))
}

/// The part of a manifest that resolution and the lockfile want.
pub fn record_of(manifest: &Manifest) -> LockPackage {
    let json =
        |key: &str| manifest.raw.get(key).filter(|value| !is_empty(value)).map(ToString::to_string);
    LockPackage {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        license: manifest.license.clone(),
        engines: json("engines"),
        funding: manifest.funding.as_ref().map(ToString::to_string),
        workspaces: json("workspaces"),
        bin: manifest.bin.clone(),
        os: manifest.os.clone(),
        cpu: manifest.cpu.clone(),
        libc: manifest.libc.clone(),
        has_install_script: manifest.has_install_script,
        dependencies: manifest.dependencies.clone(),
        dev_dependencies: manifest.dev_dependencies.clone(),
        optional_dependencies: manifest.optional_dependencies.clone(),
        peer_dependencies: manifest.peer_dependencies.clone(),
        peer_dependencies_meta: manifest.peer_meta.clone(),
        bundle_dependencies: manifest.bundle_dependencies.clone(),
        ..LockPackage::default()
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(items) => items.is_empty(),
        _ => false,
    }
}

fn overrides_of(value: &Value) -> Result<Vec<Override>, Failure> {
    let bad = |what: &str| {
        Failure::new("DX_BAD_OVERRIDES", format!("package.json: {what}"))
            .with_hint("an override is a name with a version, or with an object of overrides that apply below it")
    };
    let Value::Object(entries) = value else { return Err(bad("\"overrides\" is not an object")) };
    let mut overrides = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| *key != ".") {
        let (value, children) = match value {
            Value::String(text) => (Some(text.clone()), Vec::new()),
            Value::Object(inner) => {
                (inner.get(".").and_then(Value::as_str).map(str::to_owned), overrides_of(value)?)
            }
            _ => return Err(bad(&format!("the override {key:?} is neither text nor an object"))),
        };
        overrides.push(Override { key: key.clone(), value, children });
    }
    Ok(overrides)
}
