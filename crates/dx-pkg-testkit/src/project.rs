//! A project in a temporary folder, with a home and a store of its own.

use crate::command::{Command, Replacement};
use crate::registry::Registry;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Describes a [`Project`] before its files are written.
#[must_use = "no file is written before `create`"]
pub struct ProjectBuilder {
    registry: Option<String>,
    manifest: Map<String, Value>,
    manifest_text: Option<String>,
    npmrc: String,
    user_npmrc: String,
    files: Vec<(String, Vec<u8>)>,
    store: Option<PathBuf>,
}

impl ProjectBuilder {
    /// Adds to `dependencies`.
    pub fn dep(self, name: &str, spec: &str) -> Self {
        self.entry("dependencies", name, spec)
    }

    /// Adds to `devDependencies`.
    pub fn dev(self, name: &str, spec: &str) -> Self {
        self.entry("devDependencies", name, spec)
    }

    /// Adds to `optionalDependencies`.
    pub fn optional(self, name: &str, spec: &str) -> Self {
        self.entry("optionalDependencies", name, spec)
    }

    /// Adds to `peerDependencies`.
    pub fn peer(self, name: &str, spec: &str) -> Self {
        self.entry("peerDependencies", name, spec)
    }

    /// Adds a script.
    pub fn script(self, event: &str, command: &str) -> Self {
        self.entry("scripts", event, command)
    }

    /// Sets any field of the manifest.
    pub fn field(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.manifest.insert(key.to_owned(), value.into());
        self
    }

    /// Writes this text as `package.json` instead of the one described.
    pub fn package_json(mut self, text: &str) -> Self {
        self.manifest_text = Some(text.to_owned());
        self
    }

    /// Adds a line to the project's `.npmrc`; `[HOST]` stands for the registry's `//host:port/`.
    pub fn npmrc(mut self, line: &str) -> Self {
        self.npmrc.push_str(line);
        self.npmrc.push('\n');
        self
    }

    /// Adds a line to the user's `.npmrc`, in the home folder; `[HOST]` as above.
    pub fn user_npmrc(mut self, line: &str) -> Self {
        self.user_npmrc.push_str(line);
        self.user_npmrc.push('\n');
        self
    }

    /// Adds a file.
    pub fn file(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), contents.into()));
        self
    }

    /// Uses another project's store.
    pub fn store(mut self, store: &Path) -> Self {
        self.store = Some(store.to_owned());
        self
    }

    /// Writes the project.
    pub fn create(self) -> Project {
        let temporary = TempDir::with_prefix("dx-test-").expect("make a temporary folder");
        // The canonical path is what programs report, also where the temporary folder is a link.
        let root = fs::canonicalize(temporary.path()).expect("a folder just made");
        // Windows' verbatim prefix, which Node and npm do not take.
        let root = match root.to_str().and_then(|path| path.strip_prefix(r"\\?\")) {
            Some(path) => PathBuf::from(path),
            None => root,
        };
        let store = self.store.unwrap_or_else(|| root.join("store"));
        let project = Project { store, root, registry: self.registry, _temporary: temporary };
        fs::create_dir_all(project.path()).expect("make the project folder");
        fs::create_dir_all(project.home()).expect("make the home folder");
        let manifest = self.manifest_text.unwrap_or_else(|| {
            format!("{}\n", serde_json::to_string_pretty(&self.manifest).expect("a map is JSON"))
        });
        project.write("package.json", manifest);
        let mut npmrc = String::new();
        if let Some(registry) = &project.registry {
            npmrc = format!("registry={registry}\n");
            npmrc.push_str(&self.npmrc.replace("[HOST]", registry.trim_start_matches("http:")));
        } else {
            npmrc.push_str(&self.npmrc);
        }
        if !npmrc.is_empty() {
            project.write(".npmrc", npmrc);
        }
        if !self.user_npmrc.is_empty() {
            let host = project.registry.as_deref().unwrap_or_default();
            let text = self.user_npmrc.replace("[HOST]", host.trim_start_matches("http:"));
            fs::write(project.home().join(".npmrc"), text).expect("write the user's .npmrc");
        }
        for (path, contents) in self.files {
            project.write(&path, contents);
        }
        project
    }

    fn entry(mut self, section: &str, key: &str, value: &str) -> Self {
        let section = self.manifest.entry(section).or_insert_with(|| json!({}));
        section
            .as_object_mut()
            .expect("a section is an object")
            .insert(key.to_owned(), value.into());
        self
    }
}

/// A project in a temporary folder, removed when it is dropped.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    store: PathBuf,
    registry: Option<String>,
    _temporary: TempDir,
}

impl Project {
    /// Begins a project whose `.npmrc` names this registry.
    #[expect(clippy::new_ret_no_self, reason = "a project begins with its builder")]
    pub fn new(registry: &Registry) -> ProjectBuilder {
        ProjectBuilder { registry: Some(registry.url().to_owned()), ..Project::offline() }
    }

    /// Begins a project that names no registry.
    pub fn offline() -> ProjectBuilder {
        let mut manifest = Map::new();
        manifest.insert("name".to_owned(), "project".into());
        manifest.insert("version".to_owned(), "1.0.0".into());
        ProjectBuilder {
            registry: None,
            manifest,
            manifest_text: None,
            npmrc: String::new(),
            user_npmrc: String::new(),
            files: Vec::new(),
            store: None,
        }
    }

    /// The project's folder.
    pub fn path(&self) -> PathBuf {
        self.root.join("project")
    }

    /// The home folder its commands see.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The store its commands see as `DX_STORE`.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The text of a file of the project.
    pub fn read(&self, path: &str) -> String {
        let full = self.path().join(path);
        fs::read_to_string(&full).unwrap_or_else(|error| panic!("read {}: {error}", full.display()))
    }

    /// A JSON file of the project.
    pub fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path))
            .unwrap_or_else(|error| panic!("{path} is not JSON: {error}"))
    }

    /// Writes a file of the project, its folders included.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        let full = self.path().join(path);
        fs::create_dir_all(full.parent().expect("a file has a folder")).expect("make folders");
        fs::write(&full, contents)
            .unwrap_or_else(|error| panic!("write {}: {error}", full.display()));
    }

    /// Returns whether the project has this file, folder or link (also one that leads nowhere).
    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path().join(path)).is_ok()
    }

    /// Removes a file, link or folder of the project with all that is in it.
    pub fn remove(&self, path: &str) {
        let full = self.path().join(path);
        let metadata =
            fs::symlink_metadata(&full).unwrap_or_else(|error| panic!("{path}: {error}"));
        let removed =
            if metadata.is_dir() { fs::remove_dir_all(&full) } else { fs::remove_file(&full) };
        removed.unwrap_or_else(|error| panic!("remove {path}: {error}"));
    }

    /// Every installed package: its folder below the project, such as
    /// `node_modules/a/node_modules/b`, and `name@version` from its `package.json`; links to
    /// folders are listed and not followed.
    pub fn installed(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        self.list_modules("node_modules", &mut found);
        found
    }

    /// A `dx` command in the project; tests pass `env!("CARGO_BIN_EXE_dx")`.
    pub fn dx(&self, binary: impl AsRef<Path>) -> Command {
        self.command(binary.as_ref())
    }

    /// Runs JavaScript with Node in the project.
    pub fn node(&self, code: &str) -> crate::Run {
        self.command(Path::new("node")).args(["-e", code]).run()
    }

    /// Any program, run in the project with its home and store.
    pub fn command(&self, program: &Path) -> Command {
        let home = self.home();
        let command = Command::new(program, &self.path())
            .env("HOME", &home)
            .env("USERPROFILE", &home)
            .env("APPDATA", home.join("AppData"))
            .env("LOCALAPPDATA", home.join("AppData"))
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("DX_STORE", &self.store);
        let mut replacements = vec![
            Replacement::path(&self.path(), "[PROJECT]"),
            Replacement::path(&self.store, "[STORE]"),
            Replacement::path(&home, "[HOME]"),
            Replacement::path(&self.root, "[TEMPORARY]"),
        ];
        if let Some(registry) = &self.registry {
            let address = registry.trim_start_matches("http://").trim_end_matches('/');
            replacements.push(Replacement::new(registry, "[REGISTRY]/"));
            replacements.push(Replacement::new(address, "[HOST]"));
        }
        command.replacing(replacements)
    }

    fn list_modules(&self, folder: &str, found: &mut BTreeMap<String, String>) {
        let Ok(entries) = fs::read_dir(self.path().join(folder)) else {
            return;
        };
        for entry in entries {
            let entry = entry.expect("read a folder entry");
            let name = entry.file_name().into_string().expect("a UTF-8 name");
            let path = format!("{folder}/{name}");
            if name.starts_with('.') {
                continue;
            }
            if name.starts_with('@') {
                self.list_modules(&path, found);
                continue;
            }
            let manifest = self.path().join(&path).join("package.json");
            let id = fs::read_to_string(&manifest)
                .ok()
                .and_then(|text| serde_json::from_str::<Value>(&text).ok())
                .map(|manifest| {
                    let field = |key: &str| manifest[key].as_str().unwrap_or("?").to_owned();
                    format!("{}@{}", field("name"), field("version"))
                });
            found.insert(path.clone(), id.unwrap_or_else(|| "no package.json".to_owned()));
            if entry.file_type().expect("a file type").is_dir() {
                self.list_modules(&format!("{path}/node_modules"), found);
            }
        }
    }
}
