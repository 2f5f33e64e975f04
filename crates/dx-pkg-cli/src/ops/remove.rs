//! `dx remove <package>…`: takes packages out of the project.

use dx_pkg_compat::manifest::{Manifest, ManifestEdit};

use crate::arguments::RemoveArguments;
use crate::failure::Failure;
use crate::ops::install::{Change, Mode, carry_out};
use crate::project::Project;
use crate::report::Report;
use crate::session::Session;
use crate::surroundings::Surroundings;

/// Removes the packages that `arguments` names.
pub fn remove(surroundings: &Surroundings, arguments: &RemoveArguments, report: &Report) -> Result<(), Failure> {
    let mut project = Project::open(surroundings)?;
    let session = Session::open(surroundings, &project.root, &arguments.tree.settings())?;
    let mut edit = ManifestEdit::new(&project.manifest_text)?;
    for name in &arguments.packages {
        if !edit.remove_dependency(None, name) {
            report.warning(&format!("{name} is not a dependency of this project"));
        }
    }
    let text = edit.finish();
    project.manifest = Manifest::parse(&text)?;
    let change = Change { explicit: Vec::new(), manifest: &|_| Ok(Some(text.clone())), save: session.config.save()? };
    carry_out(surroundings, project, session, &arguments.tree, Mode::Install, &change, report)
}
