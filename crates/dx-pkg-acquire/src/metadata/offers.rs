//! What registries offer for requirements: the version that would be installed, and the newest.

use std::sync::Arc;

use dx_pkg_core::{Coded, Spec};
use dx_pkg_resolve::Provider;
use dx_pkg_resolve::pick::Picker;

use crate::exact::provider_with;
use super::MetadataPolicy;
use crate::{AcquireError, Context, Counters, ResolverInput};

/// What a registry offers for a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The version that would be installed for it.
    pub wanted: String,
    /// The version that would be installed for `*`.
    pub latest: String,
}

/// Returns what registries offer for each of `wanted`: names of packages with their specs. `None`
/// where no version fits, and where there is no such package for this user. Registries are asked
/// whether what is cached is still true, unless the settings forbid that.
///
/// # Errors
/// A registry that cannot be reached, or an answer that cannot be read.
pub fn offers(
    context: &Context,
    input: &ResolverInput,
    wanted: &[(String, Spec)],
) -> Result<Vec<Option<Offer>>, AcquireError> {
    let policy = MetadataPolicy {
        prefer_online: !input.policy.prefer_offline,
        speculative: false,
        ..input.policy
    };
    let counters = Arc::new(Counters::default());
    let provider = provider_with(context, input.options.pick.clone(), policy, &counters);
    let picker = Picker::new(input.options.pick.clone());
    let mut names: Vec<(String, String)> =
        wanted.iter().map(|(name, _)| (name.clone(), "*".to_owned())).collect();
    names.sort();
    names.dedup();
    provider.expected(&names);
    let any = Spec::parse("*").map_err(AcquireError::from)?;
    let offer = |(name, spec): &(String, Spec)| {
        let packument = match provider.load(name) {
            Ok(packument) => packument,
            Err(error) if error.is_not_found() || error.code() == "DX_UNAUTHORIZED" => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let version = |spec| {
            let found = picker.pick(&packument, spec)?;
            Some(packument.version(found).version().to_string())
        };
        Ok(version(spec).zip(version(&any)).map(|(wanted, latest)| Offer { wanted, latest }))
    };
    wanted.iter().map(offer).collect()
}
