//! The rules for the least age of a version that is chosen.
//!
//! Where a setting names an age, npm's rule holds: it counts for every version of every package
//! that is not excluded. Where none does, dx has versions a day old, with exemptions: versions that
//! the project names exactly, and registries other than the built-in one.

use dx_pkg_compat::npmrc::{Config, ReleaseCutoff};
use dx_pkg_core::{Spec, Version};
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{Override, Requirements};

use super::requirements_of;
use crate::AcquireError;
use crate::clock::now_ms;

/// The least age where nothing is configured, in milliseconds: a day.
const USUAL_AGE: u64 = 24 * 60 * 60 * 1000;

/// Returns the options for choosing versions, as far as they are about age.
pub(super) fn rules(
    config: &Config,
    requirements: &Requirements,
) -> Result<PickOptions, AcquireError> {
    let before_excluded = config.release_age_exclude()?;
    let cutoffs = config.release_cutoffs()?;
    let allows_missing_times = config.min_release_age_ignore_missing_time()?;
    if cutoffs.is_empty() {
        let usual = usual(config, requirements, before_excluded)?;
        return Ok(PickOptions { allows_missing_times, ..usual });
    }
    let moments = cutoffs.into_iter().filter_map(|cutoff| match cutoff {
        ReleaseCutoff::Before(moment) => Some(moment),
        ReleaseCutoff::MinimumAge(age) if age.is_zero() => None,
        ReleaseCutoff::MinimumAge(age) => {
            Some(now_ms().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))
        }
    });
    let before = moments.min();
    Ok(PickOptions { before, before_excluded, allows_missing_times, ..PickOptions::default() })
}

/// Returns the rules where no age is configured.
fn usual(
    config: &Config,
    requirements: &Requirements,
    mut before_excluded: Vec<String>,
) -> Result<PickOptions, AcquireError> {
    let mut covered = Vec::new();
    let applies = config.usual_age_applies(config.registry())?;
    for (scope, registry) in config.scoped_registries() {
        let scoped =
            if config.usual_age_applies(registry)? { &mut covered } else { &mut before_excluded };
        scoped.push(format!("@{scope}/*"));
    }
    let is_of_no_use = !applies && covered.is_empty();
    Ok(PickOptions {
        before: (!is_of_no_use).then(|| now_ms().saturating_sub(USUAL_AGE)),
        before_excluded,
        before_only: (!applies).then_some(covered),
        before_exempt: exact_versions(requirements),
        ..PickOptions::default()
    })
}

/// Returns the versions that the project, its workspaces and its overrides name exactly.
fn exact_versions(requirements: &Requirements) -> Vec<(String, Version)> {
    let importers: Vec<&LockPackage> =
        std::iter::once(&requirements.root).chain(&requirements.workspaces).collect();
    let pins = &requirements.pins;
    let named = importers
        .into_iter()
        .flat_map(|record| requirements_of(record).map(move |asked| (&record.path, asked)));
    let mut exact: Vec<(String, Version)> = named
        .filter_map(|(from, (name, spec))| exact_version(name, pins.meaning(from, name, spec)))
        .collect();
    let values = pins.pins.iter().filter_map(|pin| Some((&pin.name, pin.value.as_ref()?)));
    exact.extend(values.filter_map(|(name, spec)| exact_version(name, spec)));
    let mut rules: Vec<&Override> = requirements.overrides.iter().collect();
    while let Some(rule) = rules.pop() {
        let key = Spec::parse_argument(&rule.key).ok().and_then(|argument| argument.name);
        if let (Some(name), Some(spec)) = (key, &rule.value) {
            exact.extend(exact_version(name.as_str(), spec));
        }
        rules.extend(&rule.children);
    }
    exact
}

/// Returns the package and version that a requirement for one version means.
fn exact_version(name: &str, spec: &str) -> Option<(String, Version)> {
    if spec.starts_with(['^', '~', '>', '<', '*']) {
        // A range, as most are.
        return None;
    }
    match Spec::parse(spec).ok()? {
        Spec::Version(version) => Some((name.to_owned(), version)),
        Spec::Alias { name, spec } => match *spec {
            Spec::Version(version) => Some((name.as_str().to_owned(), version)),
            _ => None,
        },
        _ => None,
    }
}
