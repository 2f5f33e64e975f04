//! What helps against a vulnerability of a direct dependency: another version, if there is one.

use dx_pkg_core::{Spec, Version};
use dx_pkg_format::packument::{Packument, VersionIndex};
use dx_pkg_resolve::pick::{PickOptions, Picker};

use super::advisory::Versions;

/// The rules for choosing another version, without and with the age that versions must have.
pub(super) struct Pickers {
    options: PickOptions,
}

/// A version, and whether it is vulnerable nonetheless.
struct Picked {
    version: String,
    is_avoided: bool,
}

/// Another version than the one that is allowed.
pub(super) struct Other {
    pub(super) version: String,
    pub(super) is_major: bool,
}

impl Pickers {
    pub(super) fn new(options: PickOptions) -> Self {
        Pickers { options }
    }

    /// Returns the version that a requirement would get if it might be another one than it allows.
    pub(super) fn beyond(
        &self,
        versions: &Versions,
        spec: &Spec,
        is_vulnerable: &dyn Fn(&Version) -> bool,
    ) -> Option<Other> {
        let packument = versions.packument.as_ref()?;
        let rules = PickOptions { before: None, ..self.options.clone() };
        let pick = |spec: &Spec| pick(packument, spec, &rules, is_vulnerable);
        let allowed = pick(spec)?;
        if !allowed.is_avoided {
            return Some(Other { version: allowed.version, is_major: false });
        }
        let near = Spec::parse(&format!("^{}", allowed.version)).ok();
        if let Some(near) = near.and_then(|near| pick(&near)).filter(|one| !one.is_avoided) {
            return Some(Other { version: near.version, is_major: false });
        }
        let any = Spec::parse("*").ok().and_then(|any| pick(&any));
        let any = any.filter(|one| !one.is_avoided)?;
        Some(Other { version: any.version, is_major: true })
    }

    /// Returns a version that would help and is too new for the settings, with the time that they
    /// allow.
    pub(super) fn too_new(
        &self,
        versions: &Versions,
        spec: &Spec,
        is_vulnerable: &dyn Fn(&Version) -> bool,
    ) -> Option<(String, u64)> {
        let packument = versions.packument.as_ref()?;
        let before = Picker::new(self.options.clone()).before_for(packument.name())?;
        let rules = PickOptions { before: None, ..self.options.clone() };
        let best = pick(packument, spec, &rules, is_vulnerable)?;
        let now = pick(packument, spec, &self.options, is_vulnerable);
        now.is_none_or(|now| now.is_avoided).then_some((best.version, before))
    }
}

/// Returns the version of a requirement, one that is not vulnerable if any is allowed.
fn pick(
    packument: &Packument,
    spec: &Spec,
    rules: &PickOptions,
    is_vulnerable: &dyn Fn(&Version) -> bool,
) -> Option<Picked> {
    let avoided = packument.versions().map(|view| view.version()).filter(|one| is_vulnerable(one));
    let excluded = avoided.map(|version| (packument.name().to_owned(), version)).collect();
    let strict = Picker::new(PickOptions { excluded, ..rules.clone() });
    let found = strict
        .pick(packument, spec)
        .or_else(|| Picker::new(rules.clone()).pick(packument, spec))?;
    Some(picked(packument, found, is_vulnerable))
}

fn picked(
    packument: &Packument,
    found: VersionIndex,
    is_vulnerable: &dyn Fn(&Version) -> bool,
) -> Picked {
    let view = packument.version(found);
    Picked { version: view.version_str().to_owned(), is_avoided: is_vulnerable(&view.version()) }
}
