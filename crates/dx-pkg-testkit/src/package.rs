//! Builds one version of a package and publishes it to a test registry.

use crate::packument::{Published, tarball_path};
use crate::registry::Registry;
use crate::tarball::{Entry, EntryKind, integrity_sha512, shasum, tgz};
use serde_json::{Map, Value, json};

/// One version of a package, published by [`PackageBuilder::publish`].
///
/// Unless it is given an `index.js`, the package gets one that exports `"name@version"`.
#[must_use = "nothing is published before `publish`"]
pub struct PackageBuilder<'a> {
    registry: &'a Registry,
    manifest: Map<String, Value>,
    /// Manifest fields of the packument that differ from those of the tarball's `package.json`.
    registry_only: Map<String, Value>,
    files: Vec<Entry>,
    raw: Vec<Entry>,
    prefix: String,
    time: Option<String>,
    integrity: bool,
    shasum: bool,
    dist: Map<String, Value>,
}

impl Registry {
    /// Begins a version of a package.
    pub fn package(&self, name: &str, version: &str) -> PackageBuilder<'_> {
        PackageBuilder::new(self, name, version)
    }
}

impl<'a> PackageBuilder<'a> {
    fn new(registry: &'a Registry, name: &str, version: &str) -> PackageBuilder<'a> {
        let mut manifest = Map::new();
        manifest.insert("name".to_owned(), name.into());
        manifest.insert("version".to_owned(), version.into());
        PackageBuilder {
            registry,
            manifest,
            registry_only: Map::new(),
            files: Vec::new(),
            raw: Vec::new(),
            prefix: "package/".to_owned(),
            time: None,
            integrity: true,
            shasum: true,
            dist: Map::new(),
        }
    }

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

    /// Adds to `peerDependencies` and marks the peer optional.
    pub fn peer_optional(self, name: &str, spec: &str) -> Self {
        self.peer(name, spec).entry("peerDependenciesMeta", name, json!({ "optional": true }))
    }

    /// Adds a dependency whose files are inside the tarball, below `node_modules/`, with this
    /// version.
    pub fn bundle(mut self, name: &str, version: &str) -> Self {
        let bundled = self.manifest.entry("bundleDependencies").or_insert_with(|| json!([]));
        bundled.as_array_mut().expect("bundleDependencies is a list").push(name.into());
        let manifest = json!({ "name": name, "version": version }).to_string();
        let index = format!("module.exports = \"{name}@{version} bundled\";\n");
        self.dep(name, version)
            .file(&format!("node_modules/{name}/package.json"), manifest)
            .file(&format!("node_modules/{name}/index.js"), index)
    }

    /// Adds a command; the file must be added apart, with [`Self::file`] or [`Self::executable`].
    pub fn bin(self, command: &str, path: &str) -> Self {
        self.entry("bin", command, path)
    }

    /// Adds a script.
    pub fn script(self, event: &str, command: &str) -> Self {
        self.entry("scripts", event, command)
    }

    /// Adds to `engines`.
    pub fn engines(self, engine: &str, range: &str) -> Self {
        self.entry("engines", engine, range)
    }

    /// Sets `os`.
    pub fn os<const N: usize>(self, names: [&str; N]) -> Self {
        self.field("os", json!(names.as_slice()))
    }

    /// Sets `cpu`.
    pub fn cpu<const N: usize>(self, names: [&str; N]) -> Self {
        self.field("cpu", json!(names.as_slice()))
    }

    /// Sets `libc`.
    pub fn libc<const N: usize>(self, names: [&str; N]) -> Self {
        self.field("libc", json!(names.as_slice()))
    }

    /// Sets any field of the manifest.
    pub fn field(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.manifest.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a field in the packument only, so that it differs from the tarball's `package.json`.
    pub fn registry_field(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.registry_only.insert(key.to_owned(), value.into());
        self
    }

    /// Marks the version deprecated.
    pub fn deprecated(self, message: &str) -> Self {
        self.registry_field("deprecated", message)
    }

    /// Sets the time of publishing, RFC 3339 such as `2026-01-31T12:00:00.000Z`.
    pub fn published_at(mut self, time: &str) -> Self {
        self.time = Some(time.to_owned());
        self
    }

    /// Adds a file with mode 0644.
    pub fn file(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.push(Entry::file(path, contents));
        self
    }

    /// Adds a file with mode 0755.
    pub fn executable(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.push(Entry { mode: 0o755, ..Entry::file(path, contents) });
        self
    }

    /// Appends an entry whose path is written as it is, without the archive's prefix.
    pub fn raw_entry(mut self, entry: Entry) -> Self {
        self.raw.push(entry);
        self
    }

    /// Names the archive's top folder; npm's own is `package`.
    pub fn top_folder(mut self, name: &str) -> Self {
        self.prefix = format!("{name}/");
        self
    }

    /// Leaves `dist.integrity` out, as for packages published before 2017.
    pub fn without_integrity(mut self) -> Self {
        self.integrity = false;
        self
    }

    /// Leaves `dist.integrity` and `dist.shasum` out.
    pub fn without_digests(mut self) -> Self {
        self.shasum = false;
        self.without_integrity()
    }

    /// Sets fields of `dist`, which may be of any kind.
    pub fn dist_fields(mut self, fields: Value) -> Self {
        self.dist = fields.as_object().cloned().unwrap_or_default();
        self
    }

    /// The tarball this package would be published with.
    pub fn tarball(&self) -> Vec<u8> {
        tgz(&self.entries())
    }

    /// Publishes the version and points the tag `latest` at it.
    pub fn publish(self) {
        let tarball = self.tarball();
        let name = self.manifest["name"].as_str().expect("a name").to_owned();
        let version = self.manifest["version"].as_str().expect("a version").to_owned();
        let size: usize = self.entries().iter().map(|entry| entry.data.len()).sum();
        let files = self.entries().iter().filter(|entry| entry.kind == EntryKind::File).count();
        let mut dist = Map::new();
        if self.integrity {
            dist.insert("integrity".to_owned(), integrity_sha512(&tarball).into());
        }
        if self.shasum {
            dist.insert("shasum".to_owned(), shasum(&tarball).into());
        }
        dist.insert("tarball".to_owned(), tarball_path(&name, &version).into());
        dist.insert("fileCount".to_owned(), files.into());
        dist.insert("unpackedSize".to_owned(), size.into());
        dist.extend(self.dist);
        let mut manifest = self.manifest;
        manifest.insert("dist".to_owned(), dist.into());
        manifest.extend(self.registry_only);
        let time = self.time.unwrap_or_else(|| "2020-01-01T00:00:00.000Z".to_owned());
        self.registry.add(&name, Published { version, manifest, time, tarball });
    }

    fn entry(mut self, section: &str, key: &str, value: impl Into<Value>) -> Self {
        let section = self.manifest.entry(section).or_insert_with(|| json!({}));
        section
            .as_object_mut()
            .expect("a section is an object")
            .insert(key.to_owned(), value.into());
        self
    }

    /// The archive's entries: `package.json`, the files, then the raw ones.
    fn entries(&self) -> Vec<Entry> {
        let manifest = serde_json::to_string_pretty(&self.manifest).expect("a map is JSON");
        let mut files = vec![Entry::file("package.json", manifest)];
        if !self.files.iter().any(|entry| entry.path == "index.js") {
            let (name, version) = (&self.manifest["name"], &self.manifest["version"]);
            let id = format!("{}@{}", name.as_str().unwrap(), version.as_str().unwrap());
            files.push(Entry::file("index.js", format!("module.exports = \"{id}\";\n")));
        }
        files.extend(self.files.iter().cloned());
        for entry in &mut files {
            entry.path.insert_str(0, &self.prefix);
        }
        files.extend(self.raw.iter().cloned());
        files
    }
}
