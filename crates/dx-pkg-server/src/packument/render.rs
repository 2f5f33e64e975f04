//! Writes the forms of a packument that clients are sent.

use super::outline::{Outline, fields, text};
use dx_pkg_core::PackageName;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

/// The form of a packument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// Everything.
    Full,
    /// What an install needs, and `time`.
    Abbreviated,
}

/// The fields of a version that installs decide by.
const ABBREVIATED: [&str; 21] = [
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
    "cpu",
    "os",
    "libc",
    "funding",
    "_hasShrinkwrap",
    "hasInstallScript",
];
/// The scripts that run when a package is installed.
const INSTALL_SCRIPTS: [&str; 3] = ["preinstall", "install", "postinstall"];
/// The fields of other registries' documents that are not passed on.
const DROPPED: [&str; 6] =
    ["_attachments", "_revisions", "_rev", "_deleted_conflicts", "_conflicts", "dist-tags"];

/// What a client may see of a packument.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// The versions that are left out.
    pub(crate) hidden: HashSet<String>,
    /// The tags, where they are not those of the packument.
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// npm's `policyRestrictions`.
    pub(crate) restrictions: Option<Value>,
}

/// What a form is written for.
pub(crate) struct Options<'a> {
    pub(crate) form: Form,
    /// The registry's address as clients see it, with a slash at the end.
    pub(crate) base: &'a str,
    pub(crate) name: &'a PackageName,
    /// The revision, for documents that can be changed here.
    pub(crate) revision: Option<String>,
    pub(crate) view: &'a View,
}

/// Writes a packument in a form.
///
/// # Errors
/// `InvalidData` for a source that is no packument.
pub(crate) fn render(
    outline: &Outline<'_>,
    options: &Options<'_>,
    out: impl Write,
) -> io::Result<()> {
    let mut object = Object::begin(out)?;
    let tags = match &options.view.tags {
        Some(tags) => tags.clone(),
        None => outline.tags(),
    };
    match options.form {
        Form::Full => {
            for (name, raw) in &outline.fields {
                if !DROPPED.contains(&name.as_str()) {
                    object.raw(name, raw.get())?;
                }
            }
            if let Some(revision) = &options.revision {
                object.value("_rev", revision)?;
            }
        }
        Form::Abbreviated => {
            object.value("name", options.name.as_str())?;
            let times = outline.times();
            let modified = times.get("modified").cloned();
            let modified = modified.or_else(|| outline.read("modified").ok().flatten());
            if let Some(modified) = modified {
                object.value("modified", &modified)?;
            }
            if let Some(times) = outline.field("time") {
                object.raw("time", times.get())?;
            }
        }
    }
    object.value("dist-tags", &tags)?;
    if let Some(restrictions) = &options.view.restrictions {
        object.value("policyRestrictions", restrictions)?;
    }
    object.name("versions")?;
    let mut versions = Object::begin(&mut object.out)?;
    for (version, raw) in &outline.versions {
        if options.view.hidden.contains(version) {
            continue;
        }
        versions.name(version)?;
        write_version(version, raw, options, &mut versions.out)?;
    }
    versions.end()?;
    object.end()
}

/// Writes the manifest of one version, as it is in the full form.
pub(crate) fn render_version(
    version: &str,
    raw: &RawValue,
    options: &Options<'_>,
) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_version(version, raw, options, &mut out)?;
    Ok(out)
}

/// Returns the name of a version's tarball here.
fn tarball_file(name: &PackageName, version: &str) -> String {
    format!("{}-{version}.tgz", name.bare())
}

fn write_version(
    version: &str,
    raw: &RawValue,
    options: &Options<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let fields = fields(raw).map_err(io::Error::other)?;
    let mut object = Object::begin(out)?;
    let mut has_install_script = false;
    for (name, raw) in fields {
        if options.form == Form::Abbreviated {
            if name == "scripts" {
                has_install_script |= names_install_script(raw);
            }
            if !ABBREVIATED.contains(&name.as_str()) {
                continue;
            }
            // Written below: the scripts may be further on.
            if name == "hasInstallScript" {
                has_install_script |= raw.get() == "true";
                continue;
            }
        }
        match name.as_str() {
            "dist" => object.value("dist", &dist(version, raw, options)?)?,
            // An empty message takes a deprecation back.
            "deprecated" if matches!(raw.get(), "\"\"" | "false" | "null") => {}
            _ => object.raw(&name, raw.get())?,
        }
    }
    if has_install_script {
        object.raw("hasInstallScript", "true")?;
    }
    object.end()
}

fn dist(version: &str, raw: &RawValue, options: &Options<'_>) -> io::Result<Value> {
    let mut dist: Map<String, Value> =
        serde_json::from_str(raw.get()).map_err(|error| io::Error::other(text(error)))?;
    let (base, name) = (options.base, options.name);
    let url = format!("{base}{name}/-/{}", tarball_file(name, version));
    dist.insert("tarball".to_owned(), Value::String(url));
    Ok(Value::Object(dist))
}

fn names_install_script(scripts: &RawValue) -> bool {
    let scripts: Map<String, Value> = serde_json::from_str(scripts.get()).unwrap_or_default();
    INSTALL_SCRIPTS.iter().any(|name| scripts.get(*name).is_some_and(|script| script != ""))
}

/// A JSON object being written.
struct Object<W: Write> {
    out: W,
    is_empty: bool,
}

impl<W: Write> Object<W> {
    fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(b"{")?;
        Ok(Self { out, is_empty: true })
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        if !self.is_empty {
            self.out.write_all(b",")?;
        }
        self.is_empty = false;
        serde_json::to_writer(&mut self.out, name)?;
        self.out.write_all(b":")
    }

    fn raw(&mut self, name: &str, raw: &str) -> io::Result<()> {
        self.name(name)?;
        self.out.write_all(raw.as_bytes())
    }

    fn value(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) -> io::Result<()> {
        self.name(name)?;
        serde_json::to_writer(&mut self.out, value)?;
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"}")
    }
}
