//! `dx remove <package>…`: takes packages out of the project.

use dx_pkg_compat::manifest::{Manifest, ManifestEdit};

use crate::arguments::RemoveArguments;
use crate::failure::Failure;
use crate::ops::add::refuse_workspace;
use crate::ops::install::{Asked, Change, Mode, Work, carry_out};
use crate::report::Report;
use crate::surroundings::Surroundings;

/// Removes the packages that `arguments` names.
pub fn remove(
    surroundings: &Surroundings,
    arguments: &RemoveArguments,
    report: &Report,
) -> Result<(), Failure> {
    let mut work = Work::begin(surroundings, &arguments.tree, report)?;
    refuse_workspace(surroundings, &work)?;
    let mut edit = ManifestEdit::new(&work.project.manifest_text)?;
    for name in &arguments.packages {
        if !edit.remove_dependency(None, name) {
            report.warning(&format!("{name} is not a dependency of this project"));
        }
    }
    let text = edit.finish();
    work.project.manifest = Manifest::parse(&text)?;
    let change = Change {
        explicit: Vec::new(),
        manifest: &|_| Ok(Some(text.clone())),
        save: !arguments.no_save && work.session.config.save()?,
        own_scripts: false,
        asked: Asked::Otherwise,
    };
    carry_out(surroundings, work, &arguments.tree, Mode::Install, &change, report)
}
