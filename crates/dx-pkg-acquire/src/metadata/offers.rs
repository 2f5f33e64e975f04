//! What registries offer for requirements: the version that would be installed, and the newest.

use std::collections::HashMap;
use std::sync::Arc;

use dx_pkg_core::{Coded, Spec};
use dx_pkg_format::packument::Packument;
use dx_pkg_resolve::pick::{PickOptions, Picker};
use dx_pkg_resolve::{External, Places, Provider};

use super::{LocalSources, MetadataPolicy, MetadataProvider};
use crate::{AcquireError, Context, Counters};

/// No folder is asked about.
const NOWHERE: Places = Places { project: None, home: None };

/// What a registry offers for a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version that would be installed for it.
    pub wanted: String,
    /// The version that would be installed for `*`.
    pub latest: String,
}

/// Returns what registries offer for each of `wanted`: names of packages with their specs. `None`
/// where no version fits, and where there is no such package for this user. What is cached is used
/// while it is fresh, as by an install.
///
/// # Errors
/// A registry that cannot be reached, or an answer that cannot be read.
pub fn offers(
    context: &Context,
    (policy, pick): (MetadataPolicy, &PickOptions),
    wanted: &[(String, Spec)],
) -> Result<Vec<Option<Offer>>, AcquireError> {
    let picker = Picker::new(pick.clone());
    let mut names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    let found: HashMap<&String, Option<Packument>> =
        names.iter().zip(packuments(context, (policy, pick), &names)?).collect();
    let any = Spec::parse("*").map_err(AcquireError::from)?;
    let offer = |(name, spec): &(String, Spec)| {
        let packument = found.get(name)?.as_ref()?;
        let version = |spec| {
            let found = picker.pick(packument, spec)?;
            Some(packument.version(found).version().to_string())
        };
        let (wanted, latest) = version(spec).zip(version(&any))?;
        Some(Offer { wanted, latest })
    };
    Ok(wanted.iter().map(offer).collect())
}

/// Returns what registries say of each package. `None` where there is no such package for this
/// user. What is cached is used while it is fresh, as by an install.
///
/// # Errors
/// A registry that cannot be reached, or an answer that cannot be read.
pub fn packuments(
    context: &Context,
    (policy, pick): (MetadataPolicy, &PickOptions),
    names: &[String],
) -> Result<Vec<Option<Packument>>, AcquireError> {
    let policy = MetadataPolicy { speculative: false, ..policy };
    let counters = Arc::new(Counters::default());
    let provider = registries(context, pick.clone(), policy, &counters);
    // Only these: what they require is not asked for.
    provider.wanted(names);
    let load = |name: &String| match provider.load(name) {
        Ok(packument) => Ok(Some(packument)),
        Err(error) if error.is_not_found() || error.code() == "DX_UNAUTHORIZED" => Ok(None),
        Err(error) => Err(error),
    };
    let found = names.iter().map(load).collect();
    // Answers that are still being cached: the next command is to find them.
    let _ = provider.basis();
    found
}

/// Returns a provider of what registries say, and of nothing else.
pub(crate) fn registries<'a>(
    context: &'a Context,
    pick: PickOptions,
    policy: MetadataPolicy,
    counters: &Arc<Counters>,
) -> MetadataProvider<'a> {
    let local = LocalSources {
        downloads: None,
        externals: &no_external,
        bundles: &|_| Ok(Vec::new()),
        likely: &Vec::new,
        places: &NOWHERE,
    };
    MetadataProvider::new(context, policy, pick, Vec::new(), local, counters.clone())
}

fn no_external(name: &str, spec: &str, _from: &str) -> Result<External, AcquireError> {
    Err(AcquireError::UnsupportedSource { name: name.to_owned(), spec: spec.to_owned() })
}
