//! Installed packages about whose scripts can be decided.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::{LockPackage, name_of_path};

use crate::InstallError;
use crate::plan::Plan;
use crate::project::Project;
use crate::scripts::{Lifecycle, Policy, implied_install};

/// An installed package or linked folder about whose scripts can be decided.
pub(super) struct Candidate<'p> {
    /// Its path: of a linked folder that of the folder.
    pub(super) path: &'p str,
    /// Its name for people.
    pub(super) name: String,
    /// Its version, if it has one.
    pub(super) version: Option<String>,
    /// The key of `allowScripts` for all its versions; `None` where no key can name it.
    pub(super) key: Option<String>,
    /// The key for this version; `None` where none can tell it from others.
    pub(super) pin: Option<String>,
    /// Its install scripts by their events.
    pub(super) scripts: Vec<(String, String)>,
    entry: &'p LockPackage,
    /// The links that lead there, if it is a linked folder.
    links: Option<Vec<&'p str>>,
}

impl Candidate<'_> {
    /// Returns whether a rule is about it.
    pub(super) fn is_named_by(&self, rule: &Policy) -> bool {
        match &self.links {
            Some(links) => rule.of_folder(self.path, links.iter().copied()).is_some(),
            None => rule.names_package(self.entry),
        }
    }
}

/// Returns the packages and linked folders of a plan, without workspaces and what is in the
/// tarball of another.
///
/// # Errors
/// A manifest that cannot be read.
pub(super) fn candidates<'p>(
    project: &Project,
    plan: &'p Plan,
    lifecycle: &Lifecycle,
) -> Result<Vec<Candidate<'p>>, InstallError> {
    let mut found = Vec::new();
    let entries = plan.installed.packages.iter();
    for entry in entries.filter(|entry| !entry.link && !entry.in_bundle) {
        let path = entry.path.as_str();
        let links: Vec<&str> = plan.links_to(path).collect();
        if links.is_empty() && path.contains("node_modules/") {
            found.push(package(project, entry, lifecycle)?);
        } else if !links.is_empty() && !lifecycle.is_workspace(path) {
            found.push(folder(project, entry, links)?);
        }
    }
    Ok(found)
}

fn package<'p>(
    project: &Project,
    entry: &'p LockPackage,
    lifecycle: &Lifecycle,
) -> Result<Candidate<'p>, InstallError> {
    let key = lifecycle.key(entry);
    let scripts = match entry.has_install_script {
        true => scripts_in(&project.root.join(&entry.path), key.is_elsewhere)?,
        false => Vec::new(),
    };
    Ok(Candidate {
        path: &entry.path,
        name: key.label,
        version: key.version,
        key: Some(key.name),
        pin: key.pin,
        scripts,
        entry,
        links: None,
    })
}

fn folder<'p>(
    project: &Project,
    entry: &'p LockPackage,
    links: Vec<&'p str>,
) -> Result<Candidate<'p>, InstallError> {
    let link = links.first().copied().unwrap_or_default();
    // As npm writes it: from the folder of the link.
    let levels = Path::new(link).components().count().saturating_sub(1);
    let key = format!("file:{}{}", "../".repeat(levels), entry.path);
    Ok(Candidate {
        path: &entry.path,
        name: name_of_path(link).to_owned(),
        version: entry.version.clone(),
        key: Some(key.clone()),
        pin: Some(key),
        scripts: scripts_in(&project.root.join(&entry.path), true)?,
        entry,
        links: Some(links),
    })
}

/// Returns the install scripts of the package in a folder; one that is not from a registry also
/// has `prepare`.
fn scripts_in(folder: &Path, is_elsewhere: bool) -> Result<Vec<(String, String)>, InstallError> {
    let path = folder.join("package.json");
    let manifest = match read_text(&path)? {
        Some(text) => parse_manifest(&path, &text)?,
        None => Manifest::default(),
    };
    let events = ["preinstall", "install", "postinstall", "prepare"];
    let events = &events[..if is_elsewhere { 4 } else { 3 }];
    let own = |event: &&str| {
        let script = manifest.script(event).filter(|script| !script.is_empty())?;
        Some(((*event).to_owned(), script.to_owned()))
    };
    let mut scripts: Vec<(String, String)> = events.iter().filter_map(own).collect();
    let gyp = implied_install(&manifest, folder.join("binding.gyp").is_file());
    scripts.extend(gyp.map(|script| ("install".to_owned(), script.to_owned())));
    Ok(scripts)
}
