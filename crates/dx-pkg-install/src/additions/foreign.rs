//! Arguments of `dx add` with protocols that npm lacks: `a@workspace:*`, `jsr:@s/n`, `link:../a`,
//! `a@patch:a@npm:1.0.0#./a.patch`.

use std::path::Path;

use dx_pkg_compat::homes::{Catalogs, HomeError, Meanings, patched_name};
use dx_pkg_core::spec::Argument;
use dx_pkg_core::{PackageName, Spec};

use super::{folder_name, relative};
use crate::demands::check_jsr;
use crate::{InstallError, OpenProject};

/// An argument that is written into the manifest as the project's manager writes it.
pub(super) struct ForeignArgument {
    pub(super) argument: Argument,
    /// What stands in front of the version of a package of JSR.
    pub(super) jsr: Option<String>,
}

impl ForeignArgument {
    /// Reads an argument; `None` where it has no such protocol.
    ///
    /// # Errors
    /// The name cannot be told, or JSR has no registry.
    pub(super) fn read(
        text: &str,
        open: &OpenProject,
        own_folder: &Path,
    ) -> Result<Option<Self>, InstallError> {
        let text = text.trim();
        let (name, spec) = match protocol(text) {
            Some(_) => (None, text),
            None => {
                let at = text.char_indices().skip(1).find(|(_, character)| *character == '@');
                let Some((at, _)) = at else { return Ok(None) };
                if protocol(&text[at + 1..]).is_none() {
                    return Ok(None);
                }
                (
                    Some(PackageName::parse(&text[..at]).map_err(dx_pkg_core::SpecError::from)?),
                    &text[at + 1..],
                )
            }
        };
        match protocol(spec) {
            Some("jsr:") => Self::of_jsr(name, spec, open).map(Some),
            Some("link:" | "portal:") => Self::of_folder(name, spec, open, own_folder).map(Some),
            _ => {
                let named = || PackageName::parse(&patched_name(spec)?).ok();
                let Some(name) = name.or_else(named) else {
                    return Err(HomeError::NoName { argument: text.to_owned() }.into());
                };
                Ok(Some(Self::plain(name, spec)))
            }
        }
    }

    fn plain(name: PackageName, raw: &str) -> Self {
        // Its version is the manager's to write, so it is saved as given.
        let spec = Spec::Workspace(raw.into());
        let argument = Argument { name: Some(name), raw: raw.into(), spec };
        ForeignArgument { argument, jsr: None }
    }

    fn of_folder(
        name: Option<PackageName>,
        spec: &str,
        open: &OpenProject,
        own_folder: &Path,
    ) -> Result<Self, InstallError> {
        let (protocol, path) = spec.split_once(':').unwrap_or(("link", spec));
        let folder = open.session.environment.folder.join(path);
        let raw = format!("{protocol}:{}", relative(own_folder, &folder));
        let name = match name {
            Some(name) => name,
            None => {
                PackageName::parse(&folder_name(&folder)?).map_err(dx_pkg_core::SpecError::from)?
            }
        };
        Ok(Self::plain(name, &raw))
    }

    /// Reads a package of JSR. Where it is named after itself, the key has its name and the
    /// requirement only the version, as pnpm and Yarn write both.
    fn of_jsr(
        name: Option<PackageName>,
        spec: &str,
        open: &OpenProject,
    ) -> Result<Self, InstallError> {
        let own = spec.split_once(':').map_or(spec, |(_, own)| own);
        let version_at = own.char_indices().skip(1).find(|(_, character)| *character == '@');
        let (full, version) = match version_at {
            Some((at, _)) if own.starts_with('@') => (&own[..at], &own[at + 1..]),
            _ if own.starts_with('@') => (own, ""),
            _ => ("", own),
        };
        let key = match &name {
            Some(name) => name.as_str().to_owned(),
            None => full.to_owned(),
        };
        let full = if full.is_empty() { key.as_str() } else { full };
        let start = if key == full { "jsr:".to_owned() } else { format!("jsr:{full}@") };
        let raw =
            if version.is_empty() { format!("jsr:{full}") } else { format!("{start}{version}") };
        let owner = open.project.home.owner;
        let catalogs = Catalogs::default();
        let meanings = Meanings { owner, catalogs: &catalogs, workspaces: &[] };
        let means = meanings.of("", &key, &raw)?.unwrap_or_else(|| raw.clone());
        check_jsr(&open.session, &key, &raw)?;
        let name = PackageName::parse(&key).map_err(dx_pkg_core::SpecError::from)?;
        let spec = Spec::parse(&means)?;
        let argument = Argument { name: Some(name), raw: raw.into(), spec };
        Ok(ForeignArgument { argument, jsr: Some(start) })
    }
}

/// Returns the protocol that a text begins with, of those that npm lacks and dx has.
fn protocol(text: &str) -> Option<&'static str> {
    ["workspace:", "catalog:", "jsr:", "link:", "portal:", "patch:"].into_iter().find(|protocol| {
        text.get(..protocol.len()).is_some_and(|start| start.eq_ignore_ascii_case(protocol))
    })
}
