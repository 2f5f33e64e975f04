//! A store and a project in a temporary folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_link::{
    LinkOptions, LinkReport, NoProgress, Placement, PlacementSource, Tree, materialise,
};
use dx_pkg_store::Store;
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
    pub(crate) project: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_store_in(TempDir::new().unwrap(), None)
    }

    /// Creates a world in memory if there is such a file system; files in it cannot be executed.
    pub(crate) fn in_memory() -> Self {
        Self::with_store_in(TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap(), None)
    }

    pub(crate) fn with_store_in(folder: TempDir, store: Option<&Path>) -> Self {
        let project = folder.path().join("project");
        fs::create_dir_all(&project).unwrap();
        let store = Store::open(store.unwrap_or(&folder.path().join("store"))).unwrap();
        Self { folder, store, project }
    }

    /// Puts a package into the store; names that end in `*` are executable files.
    pub(crate) fn publish(&self, label: &str, files: &[(&str, &str)]) -> PackageId {
        self.put(label, files, |id, entries| self.store.insert(id, None, entries).unwrap())
    }

    fn put(
        &self,
        label: &str,
        files: &[(&str, &str)],
        insert: impl Fn(PackageId, &[FileEntry<'_>]),
    ) -> PackageId {
        let mut bytes = [0; 32];
        for (index, byte) in label.bytes().enumerate() {
            bytes[index % 32] ^= byte.rotate_left(index as u32 / 32);
        }
        let id = PackageId::from_bytes(bytes);
        let mut entries: Vec<FileEntry<'_>> = files
            .iter()
            .map(|(path, data)| FileEntry {
                path: path.trim_end_matches('*'),
                mode: if path.ends_with('*') { FileMode::EXECUTABLE } else { FileMode::PLAIN },
                data: data.as_bytes(),
            })
            .collect();
        entries.sort_by_key(|entry| entry.path);
        insert(id, &entries);
        id
    }

    /// Inserts a package whose module exports `label`.
    pub(crate) fn module(&self, label: &str) -> PackageId {
        self.put_module(label, |id, entries| self.store.insert(id, None, entries).unwrap())
    }

    /// Inserts the same as a pending package.
    pub(crate) fn own_module(&self, label: &str) -> PackageId {
        self.put_module(label, |id, entries| self.store.insert_deferred(id, None, entries).unwrap())
    }

    fn put_module(&self, label: &str, insert: impl Fn(PackageId, &[FileEntry<'_>])) -> PackageId {
        let files = [
            ("package.json", r#"{"main":"lib/index.js"}"#),
            ("lib/index.js", &format!("module.exports = '{label}'\n")),
            ("lib/deep/er/data.txt", label),
            ("cli.js*", &format!("#!/usr/bin/env node\nconsole.log('{label}')\n")),
        ];
        self.put(label, &files, insert)
    }

    pub(crate) fn link(
        &self,
        tree: &Tree,
        previous: Option<&Tree>,
        options: &LinkOptions<'_>,
    ) -> LinkReport {
        materialise(&self.project, &self.store, tree, previous, options, &NoProgress).unwrap()
    }

    pub(crate) fn install(&self, tree: &Tree) -> LinkReport {
        self.link(tree, None, &LinkOptions::default())
    }

    pub(crate) fn write(&self, path: &str, contents: &str) {
        let path = self.project.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.project.join(path)).unwrap()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.project.join(path).symlink_metadata().is_ok()
    }

    /// Runs `node -e` in a folder of the project and returns its output.
    pub(crate) fn node(&self, folder: &str, script: &str) -> String {
        let output = Command::new("node")
            .arg("-e")
            .arg(script)
            .current_dir(self.project.join(folder))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a program and returns its output.
    pub(crate) fn execute(&self, path: &str) -> String {
        let output = Command::new(self.project.join(path)).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Returns every entry of the project with its kind, permission and contents.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, String> {
        snapshot(&self.project)
    }
}

pub(crate) fn snapshot(root: &Path) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let text = if metadata.is_symlink() {
                format!("link {}", fs::read_link(&path).unwrap().display())
            } else if metadata.is_dir() {
                folders.push(path.clone());
                "folder".to_owned()
            } else {
                format!(
                    "{:o} {}",
                    metadata.permissions().mode() & 0o777,
                    fs::read_to_string(&path).unwrap()
                )
            };
            entries.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), text);
        }
    }
    entries
}

pub(crate) fn package(path: &str, id: PackageId) -> Placement {
    Placement {
        path: path.into(),
        source: PlacementSource::Package(id),
        bins: Vec::new(),
        private_copy: false,
    }
}

pub(crate) fn link(path: &str, target: &str) -> Placement {
    let source = PlacementSource::Symlink { target: target.into() };
    Placement { path: path.into(), source, bins: Vec::new(), private_copy: false }
}

pub(crate) trait WithBins {
    fn bins(self, bins: &[(&str, &str)]) -> Self;
}

impl WithBins for Placement {
    fn bins(mut self, bins: &[(&str, &str)]) -> Self {
        self.bins =
            bins.iter().map(|(name, file)| ((*name).to_owned(), (*file).to_owned())).collect();
        self
    }
}
