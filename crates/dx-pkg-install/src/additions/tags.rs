//! Tags of arguments: an explicit tag means the version that it names now, whatever is installed.

use dx_pkg_acquire::ResolverInput;
use dx_pkg_acquire::metadata::offers::packuments;
use dx_pkg_core::{Spec, Version};
use dx_pkg_resolve::Requirements;
use dx_pkg_resolve::pick::Picker;

use crate::{InstallError, OpenProject};

/// Returns the version that each requirement with a tag names; `None` of one without, of a
/// workspace, and where a registry has no such package or tag.
///
/// # Errors
/// A registry does not answer.
pub(super) fn versions(
    open: &OpenProject,
    wanted: &[(&str, &Spec)],
) -> Result<Vec<Option<Version>>, InstallError> {
    let tagged: Vec<Option<(&str, &Spec)>> =
        wanted.iter().map(|(name, spec)| tagged(open, name, spec)).collect();
    let mut names: Vec<String> =
        tagged.iter().flatten().map(|(name, _)| (*name).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(vec![None; wanted.len()]);
    }
    let session = &open.session;
    let mut input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    input.options.pick.node = session.node_version()?;
    let found = packuments(&session.context, (input.policy, &input.options.pick), &names)?;
    let picker = Picker::new(input.options.pick);
    let version = |(name, spec): (&str, &Spec)| {
        let at = names.iter().position(|known| known == name)?;
        let packument = found[at].as_ref()?;
        Some(packument.version(picker.pick(packument, spec)?).version())
    };
    Ok(tagged.into_iter().map(|one| one.and_then(version)).collect())
}

/// Returns the package of a registry that a requirement with a tag is for, with the requirement.
fn tagged<'s>(open: &OpenProject, name: &'s str, spec: &'s Spec) -> Option<(&'s str, &'s Spec)> {
    match spec {
        Spec::Alias { name, spec } if matches!(**spec, Spec::Tag(_)) => Some((name.as_str(), spec)),
        Spec::Tag(_) => {
            let mut workspaces = open.project.workspaces.iter();
            let is_workspace = workspaces.any(|(_, own)| own.name.as_deref() == Some(name));
            (!is_workspace).then_some((name, spec))
        }
        _ => None,
    }
}
