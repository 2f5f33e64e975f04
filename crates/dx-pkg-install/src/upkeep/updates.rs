//! Updates: the requirements that `dx update` writes into manifests, and the packages that its
//! arguments name.

use dx_pkg_acquire::ResolverInput;
use dx_pkg_acquire::metadata::offers::offers;
use dx_pkg_compat::glob::Segment;
use dx_pkg_compat::manifest::{Manifest, ManifestEdit, Section};
use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_resolve::Requirements;

use crate::additions::Addition;
use crate::project::Project;
use crate::{InstallError, OpenProject};

/// Returns whether an argument is a pattern of names, as pnpm takes them.
#[must_use]
pub fn is_pattern(argument: &str) -> bool {
    argument.contains('*') || argument.starts_with('!')
}

/// Returns the names of packages that arguments mean: a pattern means the direct dependencies that
/// it matches, of all importers. Those that begin with `!` take names away.
#[must_use]
pub fn names(project: &Project, arguments: &[String]) -> Vec<String> {
    let direct = std::iter::once(&project.manifest)
        .chain(project.workspaces.iter().map(|(_, manifest)| manifest))
        .flat_map(|manifest| Section::ALL.map(|section| manifest.section(section)))
        .flatten()
        .map(|(name, _)| name.as_str());
    matching(direct, arguments)
}

/// Returns the names that arguments mean, where `direct` are those that patterns look at.
#[must_use]
pub fn matching<'d>(direct: impl Iterator<Item = &'d str>, arguments: &[String]) -> Vec<String> {
    let (excluding, including): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| argument.starts_with('!'));
    let all = including.is_empty() && !excluding.is_empty();
    let mut names: Vec<String> =
        including.iter().filter(|name| !is_pattern(name)).map(|name| (*name).clone()).collect();
    let is_matched = |name: &str| {
        all || including.iter().any(|pattern| is_pattern(pattern) && matches(pattern, name))
    };
    names.extend(direct.filter(|name| is_matched(name)).map(str::to_owned));
    names.retain(|name| !excluding.iter().any(|pattern| matches(&pattern[1..], name)));
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns whether a pattern matches a name; its `*` also stands for scopes.
fn matches(pattern: &str, name: &str) -> bool {
    let one_word = |text: &str| text.replace('/', "\u{1}");
    Segment::parse(&one_word(pattern)).matches(&one_word(name), true)
}

/// Returns the text of an importer's manifest with the requirements that an update leaves, as npm
/// saves them: of each direct dependency at the top of the tree the version there with the prefix,
/// where the requirement allows what that allows. Exact requirements, of whatever package, hold it.
///
/// # Errors
/// The text is no manifest.
pub fn saved(
    text: &str,
    importer: &str,
    lock: &Lock,
    names: &[String],
    prefix: &str,
) -> Result<String, InstallError> {
    let manifest = Manifest::parse(text)?;
    let mut edit = ManifestEdit::new(text)?;
    for section in Section::ALL {
        for (name, written) in manifest.section(section) {
            let path = format!("node_modules/{name}");
            let Some(entry) = lock.resolve(importer, name).filter(|entry| entry.path == path)
            else {
                continue;
            };
            let is_meant = names.is_empty() || names.contains(name);
            if !is_meant || is_held(lock, entry, name) {
                continue;
            }
            let Ok(addition) = Addition::renewing(importer, section, name, written.clone()) else {
                continue;
            };
            let saved = match addition.local_path() {
                Some(path) => format!("file:{path}"),
                None => addition.saved(lock, prefix),
            };
            edit.update_dependency(section, name, &saved);
        }
    }
    edit.arrange_sections();
    Ok(edit.finish())
}

/// Returns whether a dependent requires exactly the version that a package has.
fn is_held(lock: &Lock, entry: &LockPackage, name: &str) -> bool {
    let Some(version) = entry.version.as_deref().and_then(|text| Version::parse(text).ok()) else {
        return false;
    };
    let is_exact = |spec: &str| match Spec::parse(spec) {
        Ok(Spec::Version(exact)) => exact == version,
        Ok(Spec::Range(range)) => range.exact() == Some(&version),
        _ => false,
    };
    let index = lock.index();
    let mut holders = lock.packages.iter().filter_map(|dependent| {
        let spec = dependent.requirement_for(name)?;
        is_exact(spec).then(|| index.resolve(&dependent.path, name))?
    });
    holders.any(|found| found.path == entry.path)
}

/// Returns the additions that bring the registry's direct dependencies of an importer to their
/// latest versions, with the prefixes that they have. One whose prerelease is above the latest
/// version is left alone.
///
/// # Errors
/// The manifest has a requirement that cannot be read, or a registry does not answer.
pub fn latest(
    open: &OpenProject,
    importer: &str,
    names: &[String],
) -> Result<Vec<(Addition, Option<String>)>, InstallError> {
    let Some(manifest) = open.project.manifest_of(importer) else { return Ok(Vec::new()) };
    let locked = open.project.locked.as_ref().map(|(_, lock)| lock);
    let is_ahead =
        |name: &str, spec: &Spec| match locked.and_then(|lock| lock.resolve(importer, name)) {
            Some(entry) => is_ahead(open, entry, spec),
            None => Ok(false),
        };
    let mut found = Vec::new();
    for section in [Section::Dependencies, Section::Dev, Section::Optional] {
        for (name, written) in manifest.section(section) {
            let is_meant = names.is_empty() || names.contains(name);
            let is_workspace = open
                .project
                .workspaces
                .iter()
                .any(|(_, manifest)| manifest.name.as_ref() == Some(name));
            if !is_meant || is_workspace || Spec::foreign_protocol(written).is_some() {
                continue;
            }
            let Ok(spec) = Spec::parse(written) else { continue };
            let Some(raw) = latest_of(&spec) else { continue };
            if is_ahead(name, &spec)? {
                continue;
            }
            let addition = Addition::renewing(importer, section, name, raw)?;
            found.push((addition, prefix_of(written)));
        }
    }
    Ok(found)
}

/// Returns whether a package is a prerelease above the latest version.
fn is_ahead(open: &OpenProject, entry: &LockPackage, spec: &Spec) -> Result<bool, InstallError> {
    let version = entry.version.as_deref().and_then(|text| Version::parse(text).ok());
    let Some(version) = version.filter(Version::is_prerelease) else { return Ok(false) };
    let name = match spec {
        Spec::Alias { name, .. } => name.as_str(),
        _ => name_of_path(&entry.path),
    };
    let session = &open.session;
    let input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    let wanted = [(name.to_owned(), Spec::parse("*")?)];
    let offers = offers(&session.context, (input.policy, &input.options.pick), &wanted)?;
    let latest = offers.into_iter().flatten().next();
    let latest = latest.and_then(|offer| Version::parse(&offer.latest).ok());
    Ok(latest.is_some_and(|latest| version > latest))
}

/// Returns what to ask for instead of a requirement; `None` of one that is no registry's.
fn latest_of(spec: &Spec) -> Option<String> {
    match spec {
        Spec::Range(_) | Spec::Version(_) => Some("latest".to_owned()),
        Spec::Alias { name, spec } if matches!(**spec, Spec::Range(_) | Spec::Version(_)) => {
            Some(format!("npm:{name}@latest"))
        }
        _ => None,
    }
}

/// Returns the prefix of a requirement that has one of a plain form: `^`, `~`, or none before one
/// version.
fn prefix_of(written: &str) -> Option<String> {
    let own = match written.strip_prefix("npm:") {
        Some(alias) => alias.get(1..)?.split_once('@').map_or("*", |(_, version)| version),
        None => written,
    };
    let own = own.trim();
    if Version::parse(own).is_ok() {
        return Some(String::new());
    }
    let first = own.chars().next().filter(|first| matches!(first, '^' | '~'))?;
    Some(first.to_string())
}

/// Returns the text of a manifest with these additions, each in the section it stands in.
///
/// # Errors
/// The text is no manifest.
pub fn edited(
    text: &str,
    additions: &[(Addition, Option<String>)],
    spec: impl Fn(&Addition, Option<&str>) -> String,
) -> Result<String, InstallError> {
    let mut edit = ManifestEdit::new(text)?;
    for (addition, prefix) in additions {
        let saved = spec(addition, prefix.as_deref());
        edit.update_dependency(addition.section(), &addition.name, &saved);
    }
    edit.arrange_sections();
    Ok(edit.finish())
}
