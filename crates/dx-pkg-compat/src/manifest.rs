//! `package.json`: reading with npm's normalisation, and editing without disturbing the rest of the
//! text.
//!
//! Owns the meaning of a manifest; never opens a file and does not know the manifest's folder. The
//! normalisation is the one that npm applies before it builds a tree (its `normalizeSteps`).

use crate::foreign_bytes;
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::Override;
use dx_pkg_resolve::rules::{Extension, Joining};
use serde_json::{Map, Value};

mod allow_scripts;
mod bin;
mod dev_engines;
mod dx;
mod edit;
mod error;
mod extensions;
mod fields;
mod foreign;
mod lock_package;
mod overrides;
mod package_manager;
mod patches;
mod pnpm;
mod read;
mod section;
mod text;

#[cfg(test)]
mod tests;

pub use allow_scripts::AllowScripts;
pub use bin::{base_name, clean_path};
pub use dev_engines::{CurrentEngines, UnmetEngine};
pub use edit::ManifestEdit;
pub use error::ManifestError;
pub use extensions::npm_extension_hash;
pub use foreign::{ForeignFields, ForeignPin, PinStyle};
pub use patches::{AmbiguousPatch, PatchRule, is_inside};
pub use pnpm::Architectures;
pub(crate) use pnpm::CARRIED_OUT;
pub use section::Section;

/// A `package.json` as npm sees it after normalisation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// `name`, not validated: a project may have any name or none; an empty one counts as none.
    pub name: Option<String>,
    /// `version`, not validated.
    pub version: Option<String>,
    /// Whether `private` is truthy.
    pub private: bool,
    /// `type`: `module` or `commonjs`.
    pub module_type: Option<String>,
    /// `dependencies` without the names that `optionalDependencies` lists too.
    pub dependencies: Vec<(String, String)>,
    /// `devDependencies`.
    pub dev_dependencies: Vec<(String, String)>,
    /// `optionalDependencies`.
    pub optional_dependencies: Vec<(String, String)>,
    /// `peerDependencies`.
    pub peer_dependencies: Vec<(String, String)>,
    /// `peerDependenciesMeta`: names, and whether each is `optional`.
    pub peer_meta: Vec<(String, bool)>,
    /// `bundleDependencies` (or `bundledDependencies`); `true` means every name of `dependencies`.
    pub bundle_dependencies: Vec<String>,
    /// `overrides` where it is an object that is not empty; see [`Manifest::override_rules`].
    pub overrides: Option<Value>,
    /// `engines` where it is an object: name and range.
    pub engines: Vec<(String, String)>,
    /// `os`, a single string counting as a list of one.
    pub os: Vec<String>,
    /// `cpu`, a single string counting as a list of one.
    pub cpu: Vec<String>,
    /// `libc`, a single string counting as a list of one.
    pub libc: Vec<String>,
    /// `bin`: command names without folders, each with a path that cannot leave the package.
    pub bin: Vec<(String, String)>,
    /// `directories.bin`, cleaned as a `bin` path is; it counts only where `bin` is empty.
    pub directories_bin: Option<String>,
    /// `scripts` that are strings, in the order of the text.
    pub scripts: Vec<(String, String)>,
    /// `workspaces` as written, where truthy; see [`Manifest::workspace_patterns`].
    pub workspaces: Option<Value>,
    /// `allowScripts`: names, or names with one version, whose scripts may (`true`) or must not
    /// (`false`) run.
    pub allow_scripts: Vec<(String, bool)>,
    /// What of `allowScripts` counts for nothing, with the reason.
    pub allow_scripts_ignored: Vec<String>,
    /// `packageManager`, such as `pnpm@9.1.0`.
    pub package_manager: Option<String>,
    /// `devEngines` as written.
    pub dev_engines: Option<Value>,
    /// `license`, the `type` of it where it is an object.
    pub license: Option<String>,
    /// `funding` as a lockfile stores it: a string becomes `{"url": …}`, an empty value is dropped.
    pub funding: Option<Value>,
    /// Whether there is a `preinstall`, `install` or `postinstall` script, or `hasInstallScript` is
    /// set.
    pub has_install_script: bool,
    /// What the project's package manager, where it is not npm, sets of what npm does not know: of
    /// the project's own manifest only, and none before [`crate::homes::Home::complete`].
    pub manager_settings: Map<String, Value>,
    /// The whole document as it was written.
    pub raw: Value,
}

impl Manifest {
    /// Reads the text of a `package.json`; a byte order mark is tolerated.
    ///
    /// # Errors
    /// Text that is not JSON, that still holds merge-conflict markers or is no object, and
    /// a dependency whose value is not a string (npm refuses those too).
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        Self::from_value(read::document(&foreign_bytes::replaced(text))?)
    }

    /// Reads a manifest that is already parsed, such as one from a registry's answer.
    ///
    /// # Errors
    /// A value that is no object, and a dependency whose value is not a string.
    pub fn from_value(raw: Value) -> Result<Manifest, ManifestError> {
        read::manifest(raw)
    }

    /// Checks that the dependency sections are objects. In manifests of published packages, what is
    /// none is passed over.
    ///
    /// # Errors
    /// One is not, and says something.
    pub fn check_sections(&self) -> Result<(), ManifestError> {
        read::check_sections(&self.raw)
    }

    /// Returns the entries of a dependency section.
    #[must_use]
    pub fn section(&self, section: Section) -> &[(String, String)] {
        match section {
            Section::Dependencies => &self.dependencies,
            Section::Dev => &self.dev_dependencies,
            Section::Optional => &self.optional_dependencies,
            Section::Peer => &self.peer_dependencies,
        }
    }

    /// Returns the names and specifiers of all four kinds of dependencies.
    pub fn requirements(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = Section::ALL.into_iter().flat_map(|section| self.section(section));
        sections.map(|(name, spec)| (name.as_str(), spec.as_str()))
    }

    /// Returns the text of a script.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&str> {
        let found = self.scripts.iter().find(|(key, _)| key == name);
        found.map(|(_, command)| command.as_str())
    }

    /// Returns the patterns of `workspaces`, the list itself or its `packages`; none where it is
    /// absent.
    ///
    /// # Errors
    /// A `workspaces` of another shape, which npm refuses for a project's root and ignores
    /// elsewhere.
    pub fn workspace_patterns(&self) -> Result<Vec<String>, ManifestError> {
        read::workspace_patterns(self.workspaces.as_ref())
    }

    /// Returns the text of an `overrides` object that has exactly these rules; empty without any,
    /// and `None` where no object has.
    #[must_use]
    pub fn overrides_text(rules: &[Override]) -> Option<String> {
        let text = overrides::text(rules);
        let read = |text: &str| overrides::rules(&serde_json::from_str(text).ok()?).ok();
        (text.is_empty() || read(&text).as_deref() == Some(rules)).then_some(text)
    }

    /// Returns the rules of `overrides`; none where it is absent.
    ///
    /// # Errors
    /// An `overrides` that is no object, a key that is not a package, or an override that is
    /// neither text nor an object.
    pub fn override_rules(&self) -> Result<Vec<Override>, ManifestError> {
        let other = || self.raw.get("overrides").filter(|value| foreign::is_filled(value));
        match &self.overrides {
            Some(overrides) => overrides::rules(overrides),
            None if other().is_some() => Err(ManifestError::Overrides),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the rules of `packageExtensions`, and of pnpm's, which count in a project's own
    /// manifest only; none where both are absent.
    ///
    /// # Errors
    /// A rule that npm refuses too.
    pub fn extension_rules(&self) -> Result<Vec<Extension>, ManifestError> {
        let read = |rules: Option<&Value>, joining| {
            rules.map_or(Ok(Vec::new()), |rules| extensions::rules(rules, joining))
        };
        let pnpm = self.manager_settings.get("packageExtensions");
        let mut rules = read(self.raw.get("packageExtensions"), Joining::Strict)?;
        rules.extend(read(pnpm, Joining::Adding)?);
        Ok(rules)
    }

    /// Returns the entries of `patchedDependencies`, and of pnpm's, which count in a project's own
    /// manifest only; none where both are absent.
    ///
    /// # Errors
    /// An entry that names no patch file of the project.
    pub fn patch_rules(&self) -> Result<Vec<PatchRule>, ManifestError> {
        let pnpm = self.manager_settings.get("patchedDependencies");
        let mut rules = Vec::new();
        for value in [self.raw.get("patchedDependencies"), pnpm].into_iter().flatten() {
            rules.extend(patches::rules(value)?);
        }
        Ok(rules)
    }

    /// Returns whether `dependenciesMeta` says of any dependency that it is optional, as Yarn reads
    /// it.
    #[must_use]
    pub fn has_optional_meta(&self) -> bool {
        let meta = self.raw.get("dependenciesMeta").and_then(Value::as_object);
        meta.is_some_and(|meta| meta.keys().any(|name| self.is_optional_by_meta(name)))
    }

    /// Returns whether it says so of this one.
    pub(crate) fn is_optional_by_meta(&self, name: &str) -> bool {
        let meta = self.raw.get("dependenciesMeta").and_then(|meta| meta.get(name));
        meta.and_then(|meta| meta.get("optional")) == Some(&Value::Bool(true))
    }

    /// Returns what `devEngines` demands and the current engines do not meet.
    ///
    /// # Errors
    /// A `devEngines` that cannot be understood; npm stops there too.
    pub fn unmet_dev_engines(
        &self,
        current: &CurrentEngines,
    ) -> Result<Vec<UnmetEngine>, ManifestError> {
        self.dev_engines.as_ref().map_or(Ok(Vec::new()), |value| dev_engines::unmet(value, current))
    }

    /// Returns the parts of the manifest that the resolver and the lockfile use.
    #[must_use]
    pub fn to_lock_package(&self) -> LockPackage {
        lock_package::of(self)
    }

    /// Returns the parts of a project's own manifest that the resolver and the lockfile use.
    #[must_use]
    pub fn to_project_package(&self) -> LockPackage {
        let mut package = lock_package::of(self);
        let pnpm = self.manager_settings.get("packageExtensions");
        let hash = match (self.raw.get("packageExtensions"), pnpm) {
            (None, None) => return package,
            (Some(rules), None) => extensions::hash(rules),
            (own, Some(pnpm)) => {
                extensions::hash(&serde_json::json!({ "packageExtensions": own, "pnpm": pnpm }))
            }
        };
        let hash = Value::from(hash).to_string();
        package.extra.push(("packageExtensionsHash".to_owned(), hash));
        package
    }
}
