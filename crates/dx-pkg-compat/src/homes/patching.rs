//! Yarn's `patch:`: which package is patched, and with which file.
//!
//! `patch:a@npm:^1#./a.patch` is what `npm:^1` is, with a patch that the project has. Where it
//! stands within another one it is encoded as part of an address. The patches that Yarn itself
//! brings, `builtin<…>`, are for Plug'n'Play only, and are named.

use dx_pkg_core::spec::percent_decoded;
use dx_pkg_core::{PackageName, Spec};

use super::HomeError;
use super::requirement::{after, manifest_of, resolved};
use crate::manifest::{PatchRule, is_inside};

#[cfg(test)]
mod tests;

/// The patches that requirements ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredPatches {
    /// Those of the project, each for the versions that its requirement allows.
    pub rules: Vec<PatchRule>,
    /// The packages that Yarn has patches of its own for, each with the patch.
    pub builtin: Vec<(String, String)>,
}

impl RequiredPatches {
    /// Adds others, each once.
    pub fn extend(&mut self, others: RequiredPatches) {
        for rule in others.rules {
            if !self.rules.iter().any(|known| known.is_same(&rule)) {
                self.rules.push(rule);
            }
        }
        for builtin in others.builtin {
            if !self.builtin.contains(&builtin) {
                self.builtin.push(builtin);
            }
        }
    }
}

/// A `patch:` requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Patching {
    /// The requirement for the package without its patches.
    pub(super) plain: String,
    /// The patch file, relative to the project, and whether it may fail.
    file: Option<(String, bool)>,
    builtin: Vec<String>,
}

/// The deepest that one may be within another.
const MAX_DEPTH: usize = 8;

impl Patching {
    /// Reads the requirement `spec` for `name` in the manifest of the folder `from`; `None` where
    /// it has no patch.
    ///
    /// # Errors
    /// It has another form, several patch files, or one that is outside of the project.
    pub(super) fn read(from: &str, name: &str, spec: &str) -> Result<Option<Self>, HomeError> {
        let Some(text) = after(spec, "patch:") else { return Ok(None) };
        let mut read = Patching::default();
        let added = read.add(from, name, text, MAX_DEPTH);
        added.map(|()| Some(read)).map_err(|problem| HomeError::Patch {
            required_by: manifest_of(from),
            package: name.to_owned(),
            spec: spec.trim().to_owned(),
            problem,
        })
    }

    fn add(
        &mut self,
        from: &str,
        name: &str,
        text: &str,
        depth: usize,
    ) -> Result<(), &'static str> {
        let (source, patches) = text.split_once('#').unwrap_or((text, ""));
        let source = percent_decoded(source);
        let (package, wanted) = parts(&source).ok_or("it names no package")?;
        match after(wanted, "patch:") {
            Some(_) if depth == 0 => return Err("it is nested too deep"),
            Some(inner) => self.add(from, name, inner, depth - 1)?,
            None => self.plain = plain(name, package, wanted),
        }
        // What follows `::` is Yarn's own.
        let patches = patches.split("::").next().unwrap_or_default();
        for patch in patches.split('&').filter(|patch| !patch.is_empty()) {
            self.add_patch(from, patch)?;
        }
        Ok(())
    }

    fn add_patch(&mut self, from: &str, patch: &str) -> Result<(), &'static str> {
        let (flags, path) = patch.rsplit_once('!').unwrap_or(("", patch));
        let builtin = path.trim_start_matches('~').strip_prefix("builtin<");
        if let Some(builtin) = builtin.and_then(|rest| rest.strip_suffix('>')) {
            self.builtin.push(builtin.to_owned());
            return Ok(());
        }
        let path = percent_decoded(path);
        let file = match path.strip_prefix("~/") {
            Some(path) => resolved("", path),
            None if path.starts_with('/') => path,
            None => resolved(from, &path),
        };
        if !is_inside(&file) {
            return Err("its patch file is outside of the project");
        }
        if self.file.is_some() {
            return Err("it has several patch files, of which dx applies one: join them");
        }
        self.file = Some((file, flags.split('!').any(|flag| flag == "optional")));
        Ok(())
    }

    /// Adds its patches for the package that is installed as `name`.
    pub(super) fn add_to(self, patches: &mut RequiredPatches, name: &str, spec: &str) {
        let Patching { plain, file, builtin } = self;
        let range = match Spec::parse(&plain) {
            Ok(Spec::Alias { spec, .. }) => wanted_text(&spec),
            Ok(spec) => wanted_text(&spec),
            Err(_) => None,
        };
        let rule = |(file, is_optional): (String, bool)| {
            PatchRule::required(name, range.as_deref(), spec, &file, is_optional)
        };
        let builtin = builtin.into_iter().map(|patch| (name.to_owned(), patch)).collect();
        patches.extend(RequiredPatches { rules: file.map(rule).into_iter().collect(), builtin });
    }
}

/// Returns the name of the package that a `patch:` requirement patches.
#[must_use]
pub fn patched_name(spec: &str) -> Option<String> {
    let source = after(spec, "patch:")?.split('#').next()?;
    Some(parts(&percent_decoded(source))?.0.to_owned())
}

/// Returns the range or version of a requirement; `None` where any may be meant.
fn wanted_text(spec: &Spec) -> Option<String> {
    match spec {
        Spec::Range(range) => Some(range.to_string()),
        Spec::Version(version) => Some(version.to_string()),
        _ => None,
    }
}

/// Returns the name and the requirement of `name@requirement`.
fn parts(text: &str) -> Option<(&str, &str)> {
    let at = text.char_indices().skip(1).find(|(_, character)| *character == '@');
    let (name, wanted) = at.map(|(at, _)| (&text[..at], &text[at + 1..]))?;
    PackageName::parse(name).ok()?;
    (!wanted.trim().is_empty()).then_some((name, wanted.trim()))
}

/// Returns the requirement without its patch, as it would be written for a dependency of this name.
fn plain(name: &str, package: &str, wanted: &str) -> String {
    match after(wanted, "npm:") {
        Some(range) if name == package && parts(range).is_none() => range.to_owned(),
        Some(range) if parts(range).is_none() => format!("npm:{package}@{range}"),
        None if name != package && Spec::parse(wanted).is_ok_and(|spec| spec.is_registry()) => {
            format!("npm:{package}@{wanted}")
        }
        _ => wanted.to_owned(),
    }
}
