//! Older dependents, where a dependency cannot be had or does not run here.
//!
//! A package can pin a sibling that was published a moment too late for `min-release-age`, or that
//! the registry does not have; or, with `engine-strict`, all that it allows of a dependency can be
//! for another Node.js. npm's choice of a version knows nothing of that and stops. Here the
//! versions of the dependent that have such a requirement are left out, and it is resolved again.

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionView};

use super::input::Input;
use super::pinned::Move;
use crate::pick::Picker;
use crate::{Options, Resolution, ResolveError};

/// The most times that versions are left out.
const MOST_ROUNDS: usize = 20;

/// A version that is left out, and why.
pub(crate) struct LeftOut {
    name: String,
    version: Version,
    reason: String,
}

/// What is left of a resolution in which something could not be had, by older dependents.
pub(crate) struct Available {
    /// The resolution, or what is wrong with it besides.
    pub(crate) outcome: Result<Resolution, ResolveError>,
    /// The options that leave the others out.
    pub(crate) options: Options,
    /// What was left out.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Returns a resolution in which everything can be had, by older dependents; `None` where there is
/// none. `error` is that of the resolution by npm's rules.
pub(crate) fn with_available(error: &ResolveError, input: Input<'_>) -> Option<Available> {
    let mut options = input.options.clone();
    let mut left_out: Vec<LeftOut> = Vec::new();
    let mut failure = error.clone();
    for _ in 0..MOST_ROUNDS {
        let (name, spec, required_by, why) = missing(&failure)?;
        let (dependent, version) = labelled(&required_by)?;
        let packument = input.provider.packument(&dependent).ok()?;
        let own = packument.version(packument.find(&version)?);
        requires(&own, &name).filter(|known| *known == spec)?;
        let picker = Picker::new(options.pick.clone());
        let sibling = input.provider.packument(&name).ok();
        let is_lacking = |view: &VersionView<'_>| {
            requires(view, &name).is_some_and(|spec| !can_be_had(&picker, sibling.as_ref(), spec))
        };
        let excluded = versions(&packument, &dependent, is_lacking);
        // A version that was left out is kept where it is locked.
        let is_known = options.pick.excluded.contains(&(dependent.clone(), version.clone()));
        if is_known || !excluded.iter().any(|(_, excluded)| *excluded == version) {
            return None;
        }
        options.pick.excluded.extend(excluded);
        let reason = format!("which needs {name}@{spec}: {why}");
        left_out.push(LeftOut { name: dependent, version, reason });
        match (Input { options: &options, ..input }).resolve() {
            Err(error @ (ResolveError::NoVersion { .. } | ResolveError::Load { .. })) => {
                failure = error;
            }
            outcome => return Some(Available { outcome, options, left_out }),
        }
    }
    None
}

/// Returns a resolution in which all engines fit, by older dependents, with the options that leave
/// the others out; `None` where there is none.
pub(crate) fn with_fitting_engines(
    first: &Resolution,
    input: Input<'_>,
) -> Option<(Resolution, Options)> {
    let mut options = input.options.clone();
    let mut left_out: Vec<LeftOut> = Vec::new();
    let mut resolution = first.clone();
    for _ in 0..MOST_ROUNDS {
        let unfit: Vec<_> = resolution.unfit.iter().filter(|unfit| !unfit.platform).collect();
        let Some(unfit) = unfit.first() else {
            return Some((told(resolution, &left_out, input), options));
        };
        let index = resolution.lock.index();
        let (_, name) = unfit.path.rsplit_once("node_modules/")?;
        let mut is_new = false;
        for entry in &resolution.lock.packages {
            let needs = index.resolve(&entry.path, name).is_some_and(|to| to.path == unfit.path);
            let all = entry.dependencies.iter().chain(&entry.peer_dependencies);
            if !needs || !all.clone().any(|(known, _)| known == name) {
                continue;
            }
            if !entry.path.contains("node_modules/") {
                return None;
            }
            let dependent = entry.package_name();
            let packument = input.provider.packument(dependent).ok()?;
            let picker = Picker::new(options.pick.clone());
            let needed = input.provider.packument(name).ok()?;
            let is_unfit = |view: &VersionView<'_>| {
                let spec = requires(view, name).and_then(|spec| Spec::parse(spec).ok());
                let pick = spec.and_then(|spec| picker.pick(&needed, &spec));
                pick.is_some_and(|pick| !picker.fits(&needed.version(pick)))
            };
            let excluded = versions(&packument, dependent, is_unfit);
            let known = options.pick.excluded.len();
            for one in excluded {
                if !options.pick.excluded.contains(&one) {
                    options.pick.excluded.push(one);
                }
            }
            is_new |= options.pick.excluded.len() > known;
            options.update.push(dependent.to_owned());
            let version = Version::parse(entry.version.as_deref()?).ok()?;
            let reason = format!("which needs {}: it requires {}", unfit.package, unfit.wants);
            left_out.push(LeftOut { name: dependent.to_owned(), version, reason });
        }
        if !is_new {
            return None;
        }
        options.update.push(name.to_owned());
        resolution = Input { options: &options, ..input }.resolve().ok()?;
    }
    None
}

/// Returns what cannot be had: its name, the requirement, the dependent and the reason.
fn missing(error: &ResolveError) -> Option<(String, String, String, String)> {
    match error {
        ResolveError::NoVersion { name, spec, required_by, too_new, .. } => {
            let why = match too_new {
                Some(version) => format!("{version} was published too recently"),
                None => "there is no such version".to_owned(),
            };
            Some((name.clone(), spec.clone(), required_by.clone(), why))
        }
        ResolveError::Load { name, spec, required_by, source }
            if source.code == "DX_PACKAGE_NOT_FOUND" =>
        {
            let why = "there is no such package".to_owned();
            Some((name.clone(), spec.clone(), required_by.clone(), why))
        }
        _ => None,
    }
}

/// Splits `name@version`.
fn labelled(label: &str) -> Option<(String, Version)> {
    let (name, version) = label.rsplit_once('@').filter(|(name, _)| !name.is_empty())?;
    Some((name.to_owned(), Version::parse(version).ok()?))
}

/// Returns the requirement of a version for a package. One for an optional peer counts: what it
/// names is there, or npm would not look for it.
fn requires<'v>(view: &VersionView<'v>, name: &str) -> Option<&'v str> {
    view.dependencies()
        .chain(view.peer_dependencies())
        .find(|(known, _)| *known == name)
        .map(|(_, spec)| spec)
}

fn can_be_had(picker: &Picker, packument: Option<&Packument>, spec: &str) -> bool {
    let (Some(packument), Ok(spec)) = (packument, Spec::parse(spec)) else { return false };
    picker.pick(packument, &spec).is_some()
}

/// Returns the versions of a package that are to be left out.
fn versions(
    packument: &Packument,
    name: &str,
    is_meant: impl Fn(&VersionView<'_>) -> bool,
) -> Vec<(String, Version)> {
    let meant = packument.versions().filter(|view| is_meant(view));
    meant.map(|view| (name.to_owned(), view.version())).collect()
}

/// Returns a resolution with what was left out for it as moves.
pub(crate) fn told(resolution: Resolution, left_out: &[LeftOut], input: Input<'_>) -> Resolution {
    let mut moves: Vec<Move> = Vec::new();
    let importers = std::iter::once(&input.requirements.root).chain(&input.requirements.workspaces);
    let direct: Vec<&str> = importers
        .flat_map(|one| {
            [&one.dependencies, &one.dev_dependencies, &one.optional_dependencies]
                .into_iter()
                .flatten()
        })
        .map(|(name, _)| name.as_str())
        .collect();
    for LeftOut { name, version, reason } in left_out {
        let entry = resolution.lock.get(&format!("node_modules/{name}"));
        let to = entry.and_then(|entry| entry.version.clone());
        let from = version.to_string();
        let Some(to) = to.filter(|to| *to != from) else { continue };
        if moves.iter().all(|known| known.name != *name) {
            moves.push(Move {
                name: name.clone(),
                from: Some(from),
                to,
                is_direct: direct.contains(&name.as_str()),
                reason: Some(reason.clone()),
            });
        }
    }
    let moves = [resolution.moves.clone(), moves].concat();
    Resolution { moves, ..resolution }
}
