//! `dx install <package>…`: adds packages to the project, or changes what is asked for of them.

use std::path::{Component, Path, PathBuf};

use dx_pkg_compat::manifest::{Manifest, ManifestEdit, Section};
use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_lock::Lock;

use crate::arguments::InstallArguments;
use crate::failure::Failure;
use crate::ops::install::{Asked, Change, Mode, Work, carry_out};
use crate::project::Project;
use crate::report::Report;
use crate::surroundings::Surroundings;

/// A package to be added.
struct Addition {
    name: String,
    /// What to resolve: the requirement as given.
    raw: String,
    spec: Spec,
    section: Section,
}

/// Adds the packages that `arguments` names.
pub fn add(
    surroundings: &Surroundings,
    arguments: &InstallArguments,
    report: &Report,
) -> Result<(), Failure> {
    let mut work = Work::begin_new(surroundings, &arguments.tree, report)?;
    refuse_workspace(surroundings, &work)?;
    let additions: Vec<Addition> = arguments
        .packages
        .iter()
        .map(|text| Addition::parse(text, surroundings, &work.project, arguments))
        .collect::<Result<_, _>>()?;
    let prefix = if arguments.exact { String::new() } else { work.session.config.save_prefix()? };
    let original = work.project.manifest_text.clone();
    work.project.manifest =
        Manifest::parse(&edited(&original, &additions, |addition| addition.raw.clone())?)?;
    let save = |lock: &Lock| {
        edited(&original, &additions, |addition| addition.saved(lock, &prefix)).map(Some)
    };
    let change = Change {
        explicit: additions.iter().map(|addition| addition.name.clone()).collect(),
        manifest: &save,
        save: !arguments.no_save && work.session.config.save()?,
        own_scripts: false,
        asked: Asked::Otherwise,
    };
    carry_out(surroundings, work, &arguments.tree, Mode::Install, &change, report)
}

/// Changing what a single workspace asks for is not supported; changing the project's requirements instead would
/// surprise whoever asks in a workspace's folder.
pub fn refuse_workspace(surroundings: &Surroundings, work: &Work) -> Result<(), Failure> {
    let inside = |(path, _): &&(String, Manifest)| {
        surroundings.folder.starts_with(work.project.root.join(path.as_str()))
    };
    match work.project.workspaces.iter().find(inside) {
        None => Ok(()),
        Some((path, _)) => Err(Failure::new(
            "DX_UNSUPPORTED_WORKSPACE",
            format!("this is the workspace {path}; adding to or removing from a workspace is not supported yet"),
        )
        .with_hint(format!("edit {path}/package.json and run dx install, or run the command in the project's folder"))),
    }
}

impl Addition {
    fn parse(
        text: &str,
        surroundings: &Surroundings,
        project: &Project,
        arguments: &InstallArguments,
    ) -> Result<Self, Failure> {
        let parsed = Spec::parse_argument(text)?;
        let mut raw = parsed.raw.to_string();
        let name = match (parsed.name, &parsed.spec) {
            (name, Spec::Directory(path)) => {
                let folder = surroundings.folder.join(&**path);
                raw = format!("file:{}", relative(&project.root, &folder));
                name.map_or_else(|| folder_name(&folder), |name| Ok(name.as_str().to_owned()))?
            }
            (Some(name), _) => name.as_str().to_owned(),
            (None, _) => {
                return Err(Failure::new(
                    "DX_UNSUPPORTED_SOURCE",
                    format!("{text:?}: packages from git, from a URL and from a local tarball are not supported yet"),
                )
                .with_hint("name a package of the registry, or a folder"));
            }
        };
        let given = [
            (arguments.dev, Section::Dev),
            (arguments.optional, Section::Optional),
            (arguments.peer, Section::Peer),
            (arguments.prod, Section::Dependencies),
        ];
        let asked = given.into_iter().find(|(on, _)| *on).map(|(_, section)| section);
        let has = |section: &Section| {
            project.manifest.section(*section).iter().any(|(known, _)| *known == name)
        };
        let section =
            asked.or_else(|| Section::ALL.into_iter().find(has)).unwrap_or(Section::Dependencies);
        Ok(Addition { name, raw, spec: parsed.spec, section })
    }

    /// What is written into the manifest, as npm does: the version with the prefix, where every version that allows was
    /// asked for; else what was asked for.
    fn saved(&self, lock: &Lock, prefix: &str) -> String {
        let entry = lock.get(&format!("node_modules/{}", self.name));
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
                _ => format!("npm:{name}@{with_prefix}"),
            },
            _ => self.raw.clone(),
        }
    }
}

/// The name the folder's manifest gives, else the folder's own.
fn folder_name(folder: &Path) -> Result<String, Failure> {
    let manifest = crate::project::read(&folder.join("package.json"))?
        .and_then(|text| Manifest::parse(&text).ok());
    let own = manifest.and_then(|manifest| manifest.name);
    own.or_else(|| normal(folder).file_name().map(|name| name.to_string_lossy().into_owned()))
        .ok_or_else(|| {
            Failure::new(
                "DX_NO_FOLDER",
                format!("{} is not a folder with a package", folder.display()),
            )
        })
}

/// The path from `root` to `folder`, with `/` between segments; both are absolute.
fn relative(root: &Path, folder: &Path) -> String {
    let folder = normal(folder);
    let shared = root.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| "..".to_owned());
    let down = folder
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// The last version that the prefix with this version allows: whoever allows it and the version allows all between.
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

fn edited(
    text: &str,
    additions: &[Addition],
    spec: impl Fn(&Addition) -> String,
) -> Result<String, Failure> {
    let mut edit = ManifestEdit::new(text)?;
    for addition in additions {
        edit.set_dependency(addition.section, &addition.name, &spec(addition));
    }
    Ok(edit.finish())
}
