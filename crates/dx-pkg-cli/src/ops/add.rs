//! `dx install <package>…`: adds packages to the project, or changes what is asked for of them.

use dx_pkg_compat::manifest::{Manifest, ManifestEdit, Section};
use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::Lock;

use crate::arguments::InstallArguments;
use crate::failure::Failure;
use crate::ops::install::{Change, Mode, carry_out};
use crate::project::Project;
use crate::report::Report;
use crate::session::Session;
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
pub fn add(surroundings: &Surroundings, arguments: &InstallArguments, report: &Report) -> Result<(), Failure> {
    let mut project = Project::open(surroundings)?;
    let session = Session::open(surroundings, &project.root, &arguments.tree.settings())?;
    let additions: Vec<Addition> = arguments
        .packages
        .iter()
        .map(|text| Addition::parse(text, &project.manifest, arguments))
        .collect::<Result<_, _>>()?;
    let prefix = if arguments.exact { String::new() } else { session.config.save_prefix()? };
    let original = project.manifest_text.clone();
    project.manifest = Manifest::parse(&edited(&original, &additions, |addition| Ok(addition.raw.clone()))?)?;
    let save = |lock: &Lock| edited(&original, &additions, |addition| Ok(addition.saved(lock, &prefix))).map(Some);
    let change = Change {
        explicit: additions.iter().map(|addition| addition.name.clone()).collect(),
        manifest: &save,
        save: !arguments.no_save && session.config.save()?,
    };
    carry_out(surroundings, project, session, &arguments.tree, Mode::Install, &change, report)
}

impl Addition {
    fn parse(text: &str, manifest: &Manifest, arguments: &InstallArguments) -> Result<Self, Failure> {
        let parsed = Spec::parse_argument(text)?;
        let name = match (&parsed.name, &parsed.spec) {
            (Some(name), _) => name.as_str().to_owned(),
            (None, Spec::Directory(path)) => folder_name(path)?,
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
        let current =
            Section::ALL.into_iter().find(|section| manifest.section(*section).iter().any(|(known, _)| *known == name));
        let raw = match &parsed.spec {
            Spec::Directory(path) => format!("file:{path}"),
            _ => parsed.raw.to_string(),
        };
        Ok(Addition { name, raw, spec: parsed.spec, section: asked.or(current).unwrap_or(Section::Dependencies) })
    }

    /// What is written into the manifest, as npm does: the version with the prefix, where every version that allows was
    /// asked for; else what was asked for.
    fn saved(&self, lock: &Lock, prefix: &str) -> String {
        let entry = lock.get(&format!("node_modules/{}", self.name));
        let Some(version) = entry.and_then(|entry| entry.version.as_deref()) else { return self.raw.clone() };
        let with_prefix = format!("{prefix}{version}");
        match &self.spec {
            Spec::Version(_) | Spec::Tag(_) => with_prefix,
            Spec::Range(range) if range.is_any() => with_prefix,
            Spec::Range(range) => {
                let covered = Version::parse(version).is_ok_and(|version| range.satisfies(&last_of_caret(&version)));
                if covered { with_prefix } else { self.raw.clone() }
            }
            Spec::Alias { name, spec } => match &**spec {
                Spec::Range(range) if !range.is_any() => self.raw.clone(),
                _ => format!("npm:{name}@{with_prefix}"),
            },
            _ => self.raw.clone(),
        }
    }
}

/// The name the folder's manifest gives, else the folder's own.
fn folder_name(path: &str) -> Result<String, Failure> {
    let file = std::path::Path::new(path).join("package.json");
    let manifest = crate::project::read(&file)?.and_then(|text| Manifest::parse(&text).ok());
    let own = manifest.and_then(|manifest| manifest.name);
    own.or_else(|| path.trim_end_matches('/').rsplit('/').next().map(str::to_owned))
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Failure::new("DX_NO_FOLDER", format!("{path:?} is not a folder with a package")))
}

/// A version that `^version` just still allows: whoever allows it and the version allows all between.
fn last_of_caret(version: &Version) -> Version {
    const LAST: u64 = 999_999_999;
    let (major, minor, patch) = (version.major(), version.minor(), version.patch());
    let text = match (major, minor) {
        (0, 0) => format!("0.0.{patch}"),
        (0, minor) => format!("0.{minor}.{LAST}"),
        (major, _) => format!("{major}.{LAST}.{LAST}"),
    };
    Version::parse(&text).unwrap_or_else(|_| version.clone())
}

fn edited(
    text: &str,
    additions: &[Addition],
    spec: impl Fn(&Addition) -> Result<String, Failure>,
) -> Result<String, Failure> {
    let mut edit = ManifestEdit::new(text)?;
    for addition in additions {
        edit.set_dependency(addition.section, &addition.name, &spec(addition)?);
    }
    Ok(edit.finish())
}
