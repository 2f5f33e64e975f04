//! Builds the packuments a registry answers with from the manifests published to it.

use serde_json::{Map, Value, json};

/// The manifest fields an abbreviated packument keeps (npm registry documentation, "package
/// metadata").
const ABBREVIATED: [&str; 20] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "os",
    "cpu",
    "libc",
    "funding",
    "_hasShrinkwrap",
];

/// A version as it was published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) version: String,
    /// The manifest with `dist`, in which the tarball URL is a path such as `/a/-/a-1.0.0.tgz`.
    pub(crate) manifest: Map<String, Value>,
    /// The time of publishing, RFC 3339.
    pub(crate) time: String,
    pub(crate) tarball: Vec<u8>,
}

/// A package with its versions in the order of publishing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    pub(crate) versions: Vec<Published>,
    pub(crate) tags: Map<String, Value>,
}

impl Package {
    /// The whole packument.
    pub(crate) fn full(&self, name: &str, tarball_base: &str) -> Value {
        let mut time = Map::new();
        time.insert("created".to_owned(), self.first_time().into());
        time.insert("modified".to_owned(), self.modified().into());
        for published in &self.versions {
            time.insert(published.version.clone(), published.time.clone().into());
        }
        let versions = self.manifests(tarball_base, |manifest| {
            let mut manifest = manifest.clone();
            let id = format!("{}@{}", name, manifest["version"].as_str().unwrap_or_default());
            manifest.insert("_id".to_owned(), id.into());
            manifest
        });
        json!({
            "_id": name,
            "_rev": format!("{}-0", self.versions.len()),
            "name": name,
            "dist-tags": self.tags,
            "versions": versions,
            "time": time,
            "readme": format!("# {name}\n"),
        })
    }

    /// The answer to `Accept: application/vnd.npm.install-v1+json`.
    pub(crate) fn abbreviated(&self, name: &str, tarball_base: &str) -> Value {
        let versions = self.manifests(tarball_base, abbreviated);
        json!({
            "name": name,
            "modified": self.modified(),
            "dist-tags": self.tags,
            "versions": versions,
        })
    }

    /// The time of the last publishing, RFC 3339.
    pub(crate) fn modified(&self) -> String {
        self.versions.iter().map(|published| published.time.clone()).max().unwrap_or_default()
    }

    fn first_time(&self) -> String {
        self.versions.iter().map(|published| published.time.clone()).min().unwrap_or_default()
    }

    fn manifests(
        &self,
        tarball_base: &str,
        shape: impl Fn(&Map<String, Value>) -> Map<String, Value>,
    ) -> Map<String, Value> {
        self.versions
            .iter()
            .map(|published| {
                let mut manifest = shape(&published.manifest);
                if let Some(Value::String(url)) =
                    manifest.get_mut("dist").and_then(|dist| dist.get_mut("tarball"))
                    && url.starts_with('/')
                {
                    url.insert_str(0, tarball_base.trim_end_matches('/'));
                }
                (published.version.clone(), Value::Object(manifest))
            })
            .collect()
    }
}

/// Returns the part of an abbreviated packument for the version with this manifest.
pub(crate) fn abbreviated(manifest: &Map<String, Value>) -> Map<String, Value> {
    let kept = manifest.iter().filter(|(key, _)| ABBREVIATED.contains(&key.as_str()));
    let mut kept: Map<String, Value> =
        kept.map(|(key, value)| (key.clone(), value.clone())).collect();
    if has_install_script(manifest) {
        kept.insert("hasInstallScript".to_owned(), true.into());
    }
    kept
}

fn has_install_script(manifest: &Map<String, Value>) -> bool {
    manifest.get("scripts").and_then(Value::as_object).is_some_and(|scripts| {
        ["preinstall", "install", "postinstall"].iter().any(|name| scripts.contains_key(*name))
    })
}

/// The path of a version's tarball: `/@scope/name/-/name-1.0.0.tgz`.
pub(crate) fn tarball_path(name: &str, version: &str) -> String {
    let bare = name.rsplit('/').next().unwrap_or(name);
    format!("/{name}/-/{bare}-{version}.tgz")
}
