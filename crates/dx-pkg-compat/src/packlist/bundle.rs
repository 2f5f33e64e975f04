//! Bundled dependencies: those that the manifest lists, and all that these need, from the
//! `node_modules` of the folder.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::PackError;
use super::walk::{Kind, Package, walk};
use crate::manifest::Manifest;

/// The most bytes of a manifest that is read.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// Adds the files of the bundled dependencies to `found`. With `stays_inside`, one whose folder is
/// outside `root` is left out.
pub(super) fn add(
    root: &Path,
    manifest: &Manifest,
    stays_inside: bool,
    count: &mut usize,
    found: &mut BTreeSet<String>,
) -> Result<(), PackError> {
    let is_wanted = |name: &&String| {
        let has = |list: &[(String, String)]| list.iter().any(|(other, _)| other == *name);
        // Of two requirements with one name the one for development counts.
        (has(&manifest.dependencies) || has(&manifest.optional_dependencies))
            && !has(&manifest.dev_dependencies)
    };
    let names = manifest.bundle_dependencies.iter().filter(is_wanted);
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        return Ok(());
    }
    let real = fs::canonicalize(root).map_err(|error| PackError::io(root, error))?;
    let mut bundler =
        Bundler { root, real, manifest, stays_inside, count, found, seen: HashSet::new() };
    bundler.dependencies(root, &names)
}

struct Bundler<'b> {
    root: &'b Path,
    /// The same without links.
    real: PathBuf,
    manifest: &'b Manifest,
    stays_inside: bool,
    count: &'b mut usize,
    found: &'b mut BTreeSet<String>,
    seen: HashSet<PathBuf>,
}

impl Bundler<'_> {
    /// Adds the dependencies `names` of the package in the folder `at`.
    fn dependencies(&mut self, at: &Path, names: &[&str]) -> Result<(), PackError> {
        for name in names.iter().filter(|name| is_name(name)) {
            let Some(folder) = self.resolve(at, name) else { continue };
            let failed = |error| PackError::io(&folder, error);
            let is_link = fs::symlink_metadata(&folder).map_err(failed)?.is_symlink();
            let real = fs::canonicalize(&folder).map_err(failed)?;
            let is_inside = real.starts_with(&self.real);
            if self.stays_inside && !is_inside {
                continue;
            }
            let Some(prefix) = self.prefix(&folder) else { continue };
            let manifest = manifest(&folder)?;
            if !is_inside && manifest.name.as_deref() != Some(*name) && !self.is_named(name, &real)
            {
                return Err(PackError::BundledOutside { name: (*name).to_owned(), folder: real });
            }
            let kind = if is_link { Kind::BundledLink } else { Kind::Bundled };
            let package = Package { manifest: &manifest, kind, outer: "" };
            walk(&folder, &package, &prefix, self.count, self.found)?;
            let target = if is_link { real.clone() } else { folder };
            if self.seen.insert(real) {
                let needed = [&manifest.dependencies, &manifest.optional_dependencies];
                let needed = needed.into_iter().flatten().map(|(name, _)| name.as_str());
                self.dependencies(&target, &needed.collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    /// Returns whether the package that is packed requires a folder by its path.
    fn is_named(&self, name: &str, real: &Path) -> bool {
        let sections = [&self.manifest.dependencies, &self.manifest.optional_dependencies];
        let mut specs = sections.into_iter().flatten().filter(|(known, _)| known == name);
        specs.any(|(_, spec)| {
            let path = spec.strip_prefix("file:").or_else(|| spec.strip_prefix("link:"));
            let place = self.root.join(path.unwrap_or(spec));
            fs::canonicalize(place).is_ok_and(|place| place == real)
        })
    }

    /// Returns the folder of a dependency of the package in `at`, as Node.js finds it.
    fn resolve(&self, at: &Path, name: &str) -> Option<PathBuf> {
        let inside = at.starts_with(self.root);
        let mut above = at.ancestors().take_while(|above| !inside || above.starts_with(self.root));
        above.find_map(|above| {
            let is_modules = above.file_name().is_some_and(|name| name == "node_modules");
            let folder = above.join("node_modules").join(name);
            (!is_modules && folder.is_dir()).then_some(folder)
        })
    }

    fn prefix(&self, folder: &Path) -> Option<String> {
        let relative = folder.strip_prefix(self.root).ok()?.to_str()?;
        Some(format!("{}/", relative.replace('\\', "/")))
    }
}

/// Returns whether a name is that of a folder in `node_modules`, and leads nowhere else.
fn is_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let is_part = |part: &&str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
    parts.iter().all(is_part) && (parts.len() == 1 || parts.len() == 2 && name.starts_with('@'))
}

fn manifest(folder: &Path) -> Result<Manifest, PackError> {
    let file = folder.join("package.json");
    match dx_pkg_os::files::read_bounded(&file, MAX_MANIFEST) {
        Ok(bytes) => Ok(Manifest::parse(&String::from_utf8_lossy(&bytes)).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Manifest::default()),
        Err(error) => Err(PackError::io(&file, error)),
    }
}
