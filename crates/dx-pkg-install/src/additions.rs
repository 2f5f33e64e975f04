//! Packages to be added to a project: what is resolved, and what is written into the manifest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_acquire::external::Externals;
use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::{Counters, local};
use dx_pkg_compat::manifest::{Manifest, ManifestEdit, Section};
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::{PackageName, Range, Spec, Version};
use dx_pkg_lock::Lock;
use dx_pkg_os::files::normal_path;

use crate::install::build_for;
pub use crate::project::alterations::without_orphaned_patches;
use crate::{InstallError, OpenProject};

mod foreign;
mod tags;

use foreign::ForeignArgument;

/// A package to be added.
#[derive(Debug)]
pub struct Addition {
    /// The name under which it is installed.
    pub name: String,
    /// The requirement as given, which is resolved.
    pub raw: String,
    spec: Spec,
    /// What stands in front of the version of a package of JSR: `jsr:` or `jsr:@scope/name@`.
    jsr: Option<String>,
    /// Whether a workspace was named by its folder.
    is_workspace: bool,
    place: SavePlace,
    /// The folder of the importer that it is added to; the project's own is empty.
    importer: String,
}

/// The place in the manifest that a package is saved in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SavePlace {
    /// The section; `None` for that which the package is in, or `dependencies`.
    pub section: Option<Section>,
    /// Whether a package in `peerDependencies` is an optional one; `None` leaves that as it is.
    pub optional_peer: Option<bool>,
    /// Whether it is bundled with the project.
    pub bundled: bool,
}

impl Addition {
    /// Parses an argument such as `a@^1` that is to be added to the importer in a folder of the
    /// project, whose own is empty. Without a section in `place` a package stays in the
    /// section it is in, and a new one goes into `dependencies`. Without a version the requirement
    /// that stands there already holds: newer majors only where they are asked for.
    ///
    /// # Errors
    /// The argument cannot be read, names a source that is not supported, or a package that cannot
    /// be loaded.
    pub fn parse(
        text: &str,
        open: &OpenProject,
        importer: &str,
        place: SavePlace,
    ) -> Result<Self, InstallError> {
        let project = &open.project;
        let own_folder = project.folder_of(importer);
        let foreign = ForeignArgument::read(text, open, &own_folder)?;
        let jsr = foreign.as_ref().and_then(|foreign| foreign.jsr.clone());
        let parsed = match foreign {
            Some(foreign) => foreign.argument,
            None => Spec::parse_argument(text)?,
        };
        let mut is_workspace = false;
        let mut raw = match &parsed.spec {
            // As npm saves it: `github:user/repository` for `user/repository`.
            Spec::Git(git) => git.to_string(),
            _ => parsed.raw.to_string(),
        };
        let name = match (parsed.name, &parsed.spec) {
            (name, Spec::Directory(path)) => {
                let folder = on_disk(open, path);
                let path = relative(&project.root, &folder);
                // As npm, only where the project itself requires it.
                is_workspace = importer.is_empty()
                    && project.workspaces.iter().any(|(folder, _)| *folder == path);
                raw = format!("file:{}", relative(&own_folder, &folder));
                name.map_or_else(|| folder_name(&folder), |name| Ok(name.as_str().to_owned()))?
            }
            (name, Spec::Tarball(path)) => {
                let file = on_disk(open, path);
                let from_project = format!("file:{}", relative(&project.root, &file));
                raw = format!("file:{}", relative(&own_folder, &file));
                name.map_or_else(
                    || own_name(open, &from_project),
                    |name| Ok(name.as_str().to_owned()),
                )?
            }
            (Some(name), _) => name.as_str().to_owned(),
            (None, Spec::Remote(_) | Spec::Git(_)) => own_name(open, &raw)?,
            (None, _) => {
                return Err(InstallError::UnsupportedArgument { argument: text.to_owned() });
            }
        };
        // As it is written: dependenciesMeta may make a dependency optional.
        let own = project.manifest_of(importer).unwrap_or(&project.manifest);
        let written = importer.is_empty() && own.has_optional_meta();
        let written = written.then(|| Manifest::parse(&project.manifest_text)).transpose()?;
        let manifest = written.as_ref().unwrap_or(own);
        let present = |section: Section| {
            let mut entries = manifest.section(section).iter();
            entries.find(|(known, _)| *known == name).map(|(_, spec)| spec)
        };
        let has = |section: &Section| present(*section).is_some();
        // npm's order for a name that stands in several.
        let sections = [Section::Dev, Section::Optional, Section::Dependencies, Section::Peer];
        let section = place.section;
        let section =
            section.or_else(|| sections.into_iter().find(has)).unwrap_or(Section::Dependencies);
        let mut spec = parsed.spec;
        if raw == "*"
            && let Some(known) = present(section)
        {
            raw.clone_from(known);
            // What has a meaning of its own stays as it is written.
            let is_foreign = Spec::foreign_protocol(known).is_some();
            spec = if is_foreign {
                Spec::Workspace(known.as_str().into())
            } else {
                Spec::parse(known)?
            };
        }
        let place = SavePlace { section: Some(section), ..place };
        let importer = importer.to_owned();
        Ok(Addition { name, raw, spec, jsr, is_workspace, place, importer })
    }

    /// Parses arguments as [`Self::parse`] does, and replaces tags with the versions that they
    /// name: otherwise any version of the package would do for them, as the one in place does.
    ///
    /// # Errors
    /// As [`Self::parse`], or a registry does not answer.
    pub fn parse_all<'t>(
        texts: impl IntoIterator<Item = &'t str>,
        open: &OpenProject,
        importer: &str,
        place: SavePlace,
    ) -> Result<Vec<Self>, InstallError> {
        let parse = |text| Self::parse(text, open, importer, place);
        let mut additions: Vec<Self> =
            texts.into_iter().map(parse).collect::<Result<_, InstallError>>()?;
        let wanted: Vec<(&str, &Spec)> =
            additions.iter().map(|one| (one.name.as_str(), &one.spec)).collect();
        let versions = tags::versions(open, &wanted)?;
        for (addition, version) in additions.iter_mut().zip(versions) {
            let Some(version) = version else { continue };
            addition.raw = match &addition.spec {
                Spec::Alias { name, .. } => format!("npm:{name}@{version}"),
                _ => version.to_string(),
            };
            addition.spec = Spec::parse(&addition.raw)?;
        }
        Ok(additions)
    }

    /// Returns the addition that renews a requirement of an importer's manifest.
    pub(crate) fn renewing(
        importer: &str,
        section: Section,
        name: &str,
        raw: String,
    ) -> Result<Self, InstallError> {
        Ok(Addition {
            name: name.to_owned(),
            spec: Spec::parse(&raw)?,
            raw,
            jsr: None,
            is_workspace: false,
            place: SavePlace { section: Some(section), ..SavePlace::default() },
            importer: importer.to_owned(),
        })
    }

    /// Returns the path of a folder or tarball as npm writes it: relative, without a dot before it.
    pub(crate) fn local_path(&self) -> Option<String> {
        let (Spec::Directory(path) | Spec::Tarball(path)) = &self.spec else { return None };
        let is_relative =
            !path.starts_with(['/', '~', '\\']) && path.as_bytes().get(1) != Some(&b':');
        is_relative.then(|| relative(Path::new("/x/x"), &Path::new("/x/x").join(&**path)))
    }

    /// Returns the section that it is saved in.
    pub(crate) fn section(&self) -> Section {
        self.place.section.unwrap_or(Section::Dependencies)
    }

    /// Returns the requirement that is written into the manifest, as npm does: the version with the
    /// prefix if the given requirement allows all that this allows, else the requirement as given.
    /// Of a workspace it is always its version with the prefix.
    #[must_use]
    pub fn saved(&self, lock: &Lock, prefix: &str) -> String {
        let entry = lock.resolve(&self.importer, &self.name);
        let is_workspace = self.is_workspace || self.spec.is_registry();
        if let Some(link) = entry.filter(|entry| entry.link && is_workspace) {
            // A registry's package that is a link is the workspace of that name.
            let folder = link.resolved.as_deref().and_then(|folder| lock.get(folder));
            let version = folder.and_then(|folder| folder.version.as_deref());
            return version.map_or_else(|| "*".to_owned(), |version| format!("{prefix}{version}"));
        }
        let Some(version) = entry.and_then(|entry| entry.version.as_deref()) else {
            return self.raw.clone();
        };
        let with_prefix = format!("{prefix}{version}");
        let is_covered = |range: &Range| {
            let covers = |version: Version| range.satisfies(&last_allowed(prefix, &version));
            range.is_any() || Version::parse(version).is_ok_and(covers)
        };
        match &self.spec {
            Spec::Version(_) | Spec::Tag(_) => with_prefix,
            Spec::Range(range) if is_covered(range) => with_prefix,
            Spec::Alias { name, spec } => match &**spec {
                Spec::Range(range) if !is_covered(range) => self.raw.clone(),
                _ => match &self.jsr {
                    Some(start) => format!("{start}{with_prefix}"),
                    None => format!("npm:{name}@{with_prefix}"),
                },
            },
            _ => self.raw.clone(),
        }
    }
}

/// Returns the place that the path of an argument means.
fn on_disk(open: &OpenProject, path: &str) -> PathBuf {
    let below_home = path.strip_prefix("~/").zip(open.session.config().home());
    match below_home {
        Some((rest, home)) => home.join(rest),
        None => open.session.environment.folder.join(path),
    }
}

/// Returns the name in the manifest of a package outside the registries, which is fetched for it.
fn own_name(open: &OpenProject, raw: &str) -> Result<String, InstallError> {
    let (context, config) = (&open.session.context, open.session.config());
    build_for(&open.session, &open.project);
    let places = local::places(&open.project.root, config);
    let counters = Arc::new(Counters::default());
    let is_project = |folder: &str| folder.is_empty();
    let sources = Externals::new(context, &places, None, &counters, &is_project, &|_, _, _| None);
    let name = sources.load_nameless(raw)?.package.name;
    let name = name.ok_or_else(|| InstallError::Nameless { argument: redact_urls(raw) })?;
    Ok(PackageName::parse(&name)?.as_str().to_owned())
}

/// Returns the name in the folder's manifest, which there has to be, else the folder's own.
fn folder_name(folder: &Path) -> Result<String, InstallError> {
    let no_package = || InstallError::NoPackage { folder: normal_path(folder) };
    let path = folder.join("package.json");
    let text = read_text(&path)?.ok_or_else(no_package)?;
    let own = Manifest::parse(&text).map_err(|error| InstallError::in_file(&path, error))?.name;
    let name = || Some(normal_path(folder).file_name()?.to_string_lossy().into_owned());
    own.or_else(name).ok_or_else(no_package)
}

/// Returns the path from `root` to `folder`, with `/` between segments; both are absolute.
pub(crate) fn relative(root: &Path, folder: &Path) -> String {
    let (root, folder) = (normal_path(root), normal_path(folder));
    let shared = root.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| "..".to_owned());
    let down = folder
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Returns the highest version that the prefix with this version allows.
fn last_allowed(prefix: &str, version: &Version) -> Version {
    const LAST: u64 = 999_999_999;
    match (prefix, version.major(), version.minor()) {
        ("^", 0, 0) => version.clone(),
        ("^", 0, minor) => Version::new(0, minor, LAST),
        ("^", major, _) => Version::new(major, LAST, LAST),
        ("~", major, minor) => Version::new(major, minor, LAST),
        ("" | "=", ..) => version.clone(),
        _ => Version::new(LAST, LAST, LAST),
    }
}

/// Returns the text of a manifest with the additions, each with the requirement that `spec` gives.
///
/// # Errors
/// The text is no manifest.
pub fn edit_manifest(
    text: &str,
    additions: &[Addition],
    spec: impl Fn(&Addition) -> String,
) -> Result<String, InstallError> {
    let mut edit = ManifestEdit::new(text)?;
    for addition in additions {
        let SavePlace { section, optional_peer, bundled } = addition.place;
        let section = section.unwrap_or(Section::Dependencies);
        edit.set_dependency(section, &addition.name, &spec(addition));
        if section == Section::Peer {
            if let Some(optional) = optional_peer {
                edit.set_peer_optional(&addition.name, optional);
            }
        } else if bundled {
            edit.bundle(&addition.name);
        }
    }
    edit.arrange_sections();
    Ok(edit.finish())
}
