//! What a requirement with another manager's protocol means in npm's words.

use dx_pkg_core::{PackageName, Range, Spec, Version};

use super::patching::{Patching, RequiredPatches};
use super::requirement::{after, manifest_of, resolved};
use super::{Catalogs, HomeError, Manager, Owner};

/// A workspace that `workspace:` may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceName<'p> {
    /// Its folder, relative to the project.
    pub folder: &'p str,
    /// Its name.
    pub name: &'p str,
    /// Its version, if it has one.
    pub version: Option<&'p str>,
}

/// What the requirements of a project's manifests are read with.
#[derive(Clone, Copy, Debug)]
pub struct Meanings<'p> {
    /// The manager that the project belongs to.
    pub owner: Owner,
    /// The project's catalogs.
    pub catalogs: &'p Catalogs,
    /// The project's workspaces.
    pub workspaces: &'p [WorkspaceName<'p>],
}

impl Meanings<'_> {
    /// Returns what the requirement `spec` for `name` in the manifest of the folder `from` means;
    /// `None` where it is one of npm's, or one that nobody carries out.
    ///
    /// # Errors
    /// It names a workspace or a catalog's entry that is not there, or a protocol that the project
    /// may not use.
    pub fn of(&self, from: &str, name: &str, spec: &str) -> Result<Option<String>, HomeError> {
        let Some(value) = self.of_catalog(from, name, spec)? else {
            return self.without_catalogs(from, name, spec);
        };
        Ok(Some(self.without_catalogs(from, name, &value)?.unwrap_or(value)))
    }

    /// Returns the path of a `link:`, whose folder is linked to and not installed.
    ///
    /// # Errors
    /// A catalog does not have what the requirement names.
    pub fn link(&self, from: &str, name: &str, spec: &str) -> Result<Option<String>, HomeError> {
        let value = self.of_catalog(from, name, spec)?;
        Ok(after(value.as_deref().unwrap_or(spec), "link:").map(str::to_owned))
    }

    /// Adds the patches that the requirement `spec` for `name` in the manifest of the folder `from`
    /// asks for.
    ///
    /// # Errors
    /// A catalog does not have what it names, or a `patch:` cannot be read.
    pub fn add_patches(
        &self,
        from: &str,
        name: &str,
        spec: &str,
        patches: &mut RequiredPatches,
    ) -> Result<(), HomeError> {
        let value = self.of_catalog(from, name, spec)?;
        // Paths in a catalog are relative to the project.
        let from = if value.is_some() { "" } else { from };
        let spec = value.as_deref().unwrap_or(spec);
        if let Some(patching) = Patching::read(from, name, spec)? {
            patching.add_to(patches, name, spec.trim());
        }
        Ok(())
    }

    /// Returns what a catalog has for a requirement; `None` where it names none.
    fn of_catalog(&self, from: &str, name: &str, spec: &str) -> Result<Option<String>, HomeError> {
        let Some(catalog) = after(spec, "catalog:") else { return Ok(None) };
        let value = self.catalogs.get(name, catalog)?;
        let may_stand_there = after(value, "catalog:").is_none()
            && (self.owner.manager != Manager::Pnpm || after(value, "workspace:").is_none());
        if !may_stand_there {
            let (package, value) = (name.to_owned(), value.to_owned());
            return Err(HomeError::CatalogValue { package, value });
        }
        // A path in a catalog is relative to the project, where the catalog is.
        let based = match path_of(value).filter(|_| !from.is_empty()) {
            Some((protocol, path)) if !is_rooted(path) => {
                Some(format!("{protocol}{}", relative(from, path)))
            }
            _ => None,
        };
        Ok(Some(based.unwrap_or_else(|| value.to_owned())))
    }

    fn without_catalogs(
        &self,
        from: &str,
        name: &str,
        spec: &str,
    ) -> Result<Option<String>, HomeError> {
        if let Some(wanted) = after(spec, "workspace:") {
            return self.workspace(from, name, spec, wanted).map(Some);
        }
        if let Some(package) = after(spec, "jsr:") {
            return jsr(name, spec, package).map(Some);
        }
        if let Some(path) = after(spec, "link:") {
            return Ok(Some(format!("file:{path}")));
        }
        if let Some(path) = after(spec, "portal:") {
            if self.owner.manager != Manager::Yarn {
                return Err(HomeError::Portal {
                    required_by: manifest_of(from),
                    package: name.to_owned(),
                    spec: spec.to_owned(),
                });
            }
            return Ok(Some(format!("file:{path}")));
        }
        if let Some(Patching { plain, .. }) = Patching::read(from, name, spec)? {
            return Ok(Some(self.without_catalogs(from, name, &plain)?.unwrap_or(plain)));
        }
        // Yarn and Bun write a range of the registry like this too.
        // An alias may read as a range too: of `a@^1 || ^2` the second half is one.
        let is_range = |text: &&str| !text.contains('@') && Range::parse(text).is_ok();
        let range = after(spec, "npm:").filter(is_range);
        Ok(range.map(str::to_owned))
    }

    /// Returns the folder of the workspace that a requirement means, as a requirement of the folder
    /// `from`.
    fn workspace(
        &self,
        from: &str,
        name: &str,
        spec: &str,
        wanted: &str,
    ) -> Result<String, HomeError> {
        let found = match Wanted::read(wanted) {
            Wanted::Folder(path) => {
                let near = resolved(from, path);
                let at = |folder: &str| {
                    self.workspaces.iter().find(|workspace| workspace.folder == folder)
                };
                at(&near).or_else(|| at(&resolved("", path))).ok_or(format!("is in {near}"))
            }
            Wanted::Name(other, range) => {
                let name = other.unwrap_or(name);
                match self.workspaces.iter().find(|workspace| workspace.name == name) {
                    None => Err(format!("is called {name}")),
                    Some(workspace) if workspace.meets(range) => Ok(workspace),
                    Some(workspace) => Err(format!(
                        "is {name}@{range}: it is {}",
                        workspace.version.unwrap_or("without a version")
                    )),
                }
            }
        };
        match found {
            Ok(workspace) => Ok(format!("file:{}", relative(from, workspace.folder))),
            Err(wanted) => Err(HomeError::NoWorkspace {
                required_by: manifest_of(from),
                package: name.to_owned(),
                spec: spec.to_owned(),
                wanted,
                known: self.workspaces.iter().map(|workspace| workspace.in_words()).collect(),
            }),
        }
    }
}

impl WorkspaceName<'_> {
    /// Returns whether its version is in a range; one of pnpm's `*`, `^` and `~` takes any.
    fn meets(&self, range: &str) -> bool {
        if matches!(range.trim(), "" | "*" | "^" | "~") {
            return true;
        }
        let version = self.version.unwrap_or("0.0.0");
        let Ok(version) = Version::parse_loose(version) else { return false };
        Range::parse(range).is_ok_and(|range| range.satisfies_including_prerelease(&version))
    }

    fn in_words(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// What follows `workspace:`.
enum Wanted<'w> {
    Folder(&'w str),
    /// A name, where it is not the dependency's own, and a range.
    Name(Option<&'w str>, &'w str),
}

impl<'w> Wanted<'w> {
    fn read(text: &'w str) -> Self {
        let text = text.trim();
        if text.starts_with(['.', '/']) {
            return Self::Folder(text);
        }
        let at = text.char_indices().skip(1).find(|(_, character)| *character == '@');
        if let Some((at, _)) = at
            && PackageName::parse(&text[..at]).is_ok()
        {
            return Self::Name(Some(&text[..at]), &text[at + 1..]);
        }
        let is_range = matches!(text, "" | "*" | "^" | "~") || Range::parse(text).is_ok();
        if is_range { Self::Name(None, text) } else { Self::Folder(text) }
    }
}

/// Returns the package of JSR's npm registry that a requirement means.
fn jsr(name: &str, spec: &str, package: &str) -> Result<String, HomeError> {
    let bad = || HomeError::BadJsr { package: name.to_owned(), spec: spec.to_owned() };
    let (full, range) = match package.strip_prefix('@') {
        Some(rest) => match rest.split_once('@') {
            Some((_, range)) => (&package[..package.len() - range.len() - 1], range),
            None => (package, ""),
        },
        None => (name, package),
    };
    let (scope, own) =
        full.strip_prefix('@').and_then(|full| full.split_once('/')).ok_or_else(bad)?;
    let alias = format!("npm:@jsr/{scope}__{own}");
    let alias = if range.is_empty() { alias } else { format!("{alias}@{range}") };
    Spec::parse(&alias).map_err(|_| bad())?;
    Ok(alias)
}

/// Returns the protocol and the path of a requirement for a folder or a file.
fn path_of(spec: &str) -> Option<(&'static str, &str)> {
    ["link:", "portal:", "file:"]
        .into_iter()
        .find_map(|protocol| Some((protocol, after(spec, protocol)?)))
}

fn is_rooted(path: &str) -> bool {
    path.starts_with(['/', '~']) || path.as_bytes().get(1) == Some(&b':')
}

/// Returns the path from the folder `from` to `folder`, both relative to the project.
fn relative(from: &str, folder: &str) -> String {
    let folder = resolved("", folder);
    let (from, to): (Vec<&str>, Vec<&str>) = (parts(from), parts(&folder));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - shared);
    let path = up.chain(to[shared..].iter().copied()).collect::<Vec<_>>().join("/");
    if path.is_empty() { ".".to_owned() } else { path }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}
