//! The requirements of a project that other managers' protocols and pins change.

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::homes::{Meanings, ReadPins, RequiredPatches, WorkspaceName, pins};
use dx_pkg_compat::manifest::{Manifest, Section};
use dx_pkg_lock::{LockPackage, name_of_path};
use dx_pkg_resolve::rules::{Meaning, Pins};
use dx_pkg_resolve::{Override, Places};

use super::alterations::Alterations;
use super::{Project, folders};
use crate::InstallError;

/// What a project says about requirements.
#[derive(Debug, Default)]
pub(crate) struct ProjectPins {
    /// The meanings and pins.
    pub(crate) pins: Pins,
    /// npm's rules: the project's `overrides`, and pins of the same kind.
    pub(crate) overrides: Vec<Override>,
    /// The folders of `link:` requirements, relative to the project, but for those that another
    /// requirement installs.
    pub(crate) links: Vec<String>,
    /// The patches that requirements and pins ask for.
    pub(crate) patches: RequiredPatches,
    /// The pins as they were read.
    pub(crate) read: ReadPins,
}

impl Project {
    /// Reads the meanings of the project's requirements, and its pins.
    ///
    /// # Errors
    /// One of them names what is not there, or two contradict each other.
    pub(crate) fn pins(&self) -> Result<ProjectPins, InstallError> {
        let catalogs = self.home.catalogs(&self.manifest)?;
        let workspaces: Vec<WorkspaceName<'_>> = self
            .workspaces
            .iter()
            .map(|(folder, manifest)| WorkspaceName {
                folder,
                name: manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder)),
                version: manifest.version.as_deref(),
            })
            .collect();
        let owner = self.home.owner;
        let meanings = Meanings { owner, catalogs: &catalogs, workspaces: &workspaces };
        let mut found = ProjectPins::default();
        let mut installed: Vec<String> = Vec::new();
        let places = self.places();
        let all = std::iter::once(("", &self.manifest))
            .chain(self.workspaces.iter().map(|(folder, manifest)| (folder.as_str(), manifest)));
        for (folder, manifest) in all {
            let entries = Section::ALL.into_iter().flat_map(|section| manifest.section(section));
            for (name, written) in entries.filter(|(_, spec)| spec.contains(':')) {
                let Some(means) = meanings.of(folder, name, written)? else { continue };
                if let Some(path) = meanings.link(folder, name, written)? {
                    found.links.push(places.relative(folder, &path));
                } else {
                    installed.extend(folders::folder(&places, folder, &means));
                }
                meanings.add_patches(folder, name, written, &mut found.patches)?;
                let (from, name, written) = (folder.to_owned(), name.clone(), written.clone());
                found.pins.meanings.push(Meaning { from, name, written, means });
            }
        }
        if !self.ignores_pins {
            found.read = pins(&self.home, &self.manifest, &meanings)?;
            found.patches.extend(std::mem::take(&mut found.read.patches));
        }
        if !found.read.has_overrides {
            found.overrides = self.manifest.override_rules()?;
            give_meanings(&mut found.overrides, &meanings, &mut found.patches)?;
        }
        found.overrides.extend(found.read.below.iter().cloned());
        found.pins.pins.clone_from(&found.read.pins);
        found.links.extend(found.read.links.iter().map(|path| places.relative("", path)));
        if !found.links.is_empty() {
            installed.extend(folders::overrides(&places, &found.overrides));
            let installed = folders::required(self, &places, installed)?;
            found.links.retain(|folder| !installed.contains(folder));
        }
        Ok(found)
    }

    /// Reads the project's manifest from a text that a command is going to write.
    ///
    /// # Errors
    /// The text is no manifest, or has a requirement that cannot be carried out.
    pub fn set_manifest(&mut self, text: &str) -> Result<(), InstallError> {
        self.manifest = Manifest::parse(text)?;
        self.home.complete(&mut self.manifest);
        if text.contains("patch:") {
            let patches = self.pins()?.patches;
            self.require_patches(patches)?;
        }
        Ok(())
    }

    /// Reads anew what the project alters of packages, after a command changed its patches.
    ///
    /// # Errors
    /// A patch file that cannot be read.
    pub(crate) fn read_alterations(&mut self) -> Result<(), InstallError> {
        let (root, manifest) = (&self.root, &self.manifest);
        self.alterations = Alterations::read(root, manifest, &self.workspaces, &mut self.seen)?;
        let patches = self.pins()?.patches;
        self.require_patches(patches)
    }

    /// Takes the patches that the project's requirements ask for.
    ///
    /// # Errors
    /// A patch file that cannot be read.
    pub(crate) fn require_patches(&mut self, patches: RequiredPatches) -> Result<(), InstallError> {
        self.alterations.require(&self.root, patches.rules, &mut self.seen)
    }

    /// Returns npm's rules, with pins as such, for what concerns the places they name.
    pub(crate) fn rules(&self) -> Result<Vec<Override>, InstallError> {
        let ProjectPins { pins, mut overrides, .. } = self.pins()?;
        overrides.extend(pins.pins.into_iter().filter_map(|pin| {
            Some(Override { key: pin.name, value: Some(pin.value?), children: Vec::new() })
        }));
        Ok(overrides)
    }

    /// Returns the folders of `link:` requirements as packages without dependencies: of such a
    /// folder nothing is installed, and it need not exist.
    pub(super) fn linked_without_dependencies(
        &self,
        links: &[String],
    ) -> Result<Vec<LockPackage>, InstallError> {
        let mut found: Vec<LockPackage> = Vec::new();
        for path in links {
            let is_workspace = self.workspaces.iter().any(|(folder, _)| folder == path);
            if is_workspace || path.is_empty() || found.iter().any(|known| known.path == *path) {
                continue;
            }
            let file = self.root.join(path).join("package.json");
            let package = match read_text(&file)? {
                Some(text) => parse_manifest(&file, &text)?.to_lock_package(),
                None => LockPackage::default(),
            };
            found.push(LockPackage {
                path: path.clone(),
                name: package.name,
                version: package.version,
                bin: package.bin,
                license: package.license,
                ..LockPackage::default()
            });
        }
        Ok(found)
    }

    pub(super) fn places(&self) -> Places {
        let project = self.root.to_str().map(|root| root.replace('\\', "/"));
        Places { project, home: None }
    }
}

/// Gives values of npm's `overrides` that have another manager's protocol their meanings; folders
/// are relative to the project.
fn give_meanings(
    rules: &mut [Override],
    meanings: &Meanings<'_>,
    patches: &mut RequiredPatches,
) -> Result<(), InstallError> {
    for rule in rules {
        // The name in front of a range; that of a scope begins with `@`.
        let end = rule.key.get(1..).and_then(|rest| rest.find('@')).map(|end| end + 1);
        let name = &rule.key[..end.unwrap_or(rule.key.len())];
        if let Some(value) = rule.value.as_deref().filter(|value| value.contains(':'))
            && let Some(means) = meanings.of("", name, value)?
        {
            meanings.add_patches("", name, value, patches)?;
            rule.value = Some(means);
        }
        give_meanings(&mut rule.children, meanings, patches)?;
    }
    Ok(())
}
