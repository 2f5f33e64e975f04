//! What is in a tarball, found out once: its files, scripts that run on installation, binaries, and
//! whether its `package.json` says the same as the manifest beside it.

mod confusion;
mod difference;

pub(crate) use confusion::differences;
pub(crate) use difference::{Difference, text_difference};

use dx_pkg_compat::tarball::{Entries, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::BufRead;

/// The longest `package.json` and readme that are kept, in bytes.
const LONGEST_TEXT: usize = 4 << 20;
/// The scripts that run when a package is installed.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// What is in a tarball.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// The files by path.
    pub(crate) files: BTreeMap<String, FileRecord>,
    /// The scripts that run on installation, by name.
    #[serde(default)]
    pub(crate) install_scripts: BTreeMap<String, String>,
    /// The files that are programs or libraries of some processor.
    #[serde(default)]
    pub(crate) binaries: Vec<String>,
    /// Whether a `binding.gyp` is compiled on installation.
    #[serde(default)]
    pub(crate) gyp: bool,
    /// Where `package.json` and the manifest differ, in sentences.
    #[serde(default)]
    pub(crate) confusion: Vec<String>,
    /// The path of the readme.
    #[serde(default)]
    pub(crate) readme: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// In bytes.
    pub(crate) size: u64,
    /// The SHA-256 in hexadecimal.
    pub(crate) sha256: String,
}

/// A tarball that was read once.
#[derive(Debug, Default)]
pub(crate) struct Inspected {
    pub(crate) contents: Contents,
    /// Its `package.json`.
    pub(crate) package_json: Option<Value>,
    /// The text of its readme, if that is UTF-8.
    pub(crate) readme: Option<String>,
}

/// Reads a tarball; `manifest` is what the registry has about the version, if it has anything yet.
///
/// # Errors
/// What is wrong with the tarball.
pub(crate) fn inspect(tgz: impl BufRead, manifest: Option<&Value>) -> Result<Inspected, String> {
    let mut entries = Entries::new(tgz, Limits::default());
    let mut found = Inspected::default();
    let fault = |error: &dyn std::fmt::Display| format!("the tarball cannot be read: {error}");
    while let Some(file) = entries.next_file().map_err(|error| fault(&error))? {
        let is_manifest = file.path == "package.json";
        let is_readme = is_readme(&file.path);
        let (mut digest, mut start, mut text) = (Sha256::new(), Vec::new(), Vec::new());
        while let Some(chunk) = entries.chunk().map_err(|error| fault(&error))? {
            digest.update(chunk);
            if start.len() < 8 {
                start.extend_from_slice(&chunk[..chunk.len().min(8)]);
            }
            if (is_manifest || is_readme) && text.len() + chunk.len() <= LONGEST_TEXT {
                text.extend_from_slice(chunk);
            }
        }
        let sha256 = crate::accounts::secret::hex(&digest.finalize());
        if is_binary(&file.path, &start) {
            found.contents.binaries.push(file.path.clone());
        }
        found.contents.gyp |= file.path == "binding.gyp";
        if is_manifest {
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
            let parsed = serde_json::from_slice(text)
                .map_err(|error| format!("the tarball's package.json cannot be read: {error}"))?;
            found.package_json = Some(parsed);
        }
        if is_readme && found.contents.readme.is_none() {
            found.readme = String::from_utf8(text).ok();
            found.contents.readme = Some(file.path.clone());
        }
        let record = FileRecord { size: file.size, sha256 };
        found.contents.files.insert(file.path, record);
    }
    entries.finish().map_err(|error| fault(&error))?;
    found.contents.install_scripts = install_scripts(&found);
    if let (Some(manifest), Some(package_json)) = (manifest, &found.package_json) {
        found.contents.confusion = differences(manifest, package_json, &found.contents);
    } else if manifest.is_some() {
        found.contents.confusion = vec!["the tarball has no package.json".to_owned()];
    }
    Ok(found)
}

fn install_scripts(found: &Inspected) -> BTreeMap<String, String> {
    let scripts = found.package_json.as_ref().and_then(|manifest| manifest.get("scripts"));
    let text = |name: &str| scripts.and_then(|scripts| scripts.get(name)).and_then(Value::as_str);
    let mut own: BTreeMap<String, String> = INSTALL_SCRIPTS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(name)?.to_owned())))
        .collect();
    if runs_gyp(&found.contents, found.package_json.as_ref()) {
        own.insert("install".to_owned(), GYP.to_owned());
    }
    own
}

/// The script that npm runs for a `binding.gyp`.
const GYP: &str = "node-gyp rebuild";

/// Whether npm compiles a `binding.gyp` of the package, as no script of its own does.
fn runs_gyp(contents: &Contents, manifest: Option<&Value>) -> bool {
    let has = |name: &str| {
        manifest.and_then(|manifest| manifest.get("scripts")?.get(name)?.as_str()).is_some()
    };
    let declined =
        manifest.and_then(|manifest| manifest.get("gypfile")) == Some(&Value::Bool(false));
    contents.gyp && !declined && !has("install") && !has("preinstall")
}

/// Whether a path is that of the package's readme.
fn is_readme(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    matches!(lower.as_str(), "readme" | "readme.md" | "readme.markdown" | "readme.txt")
}

/// Whether a file is a program or a library, by its first bytes or its name.
fn is_binary(path: &str, start: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"\x7fELF",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\0asm",
    ];
    let is_windows = start.starts_with(b"MZ") && start.contains(&0);
    let is_known = MAGIC.iter().any(|magic| start.starts_with(magic));
    is_known || is_windows || path.ends_with(".node")
}

#[cfg(test)]
mod tests;
