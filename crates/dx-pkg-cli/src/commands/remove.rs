//! `dx remove`: removes packages from the project.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_compat::manifest::ManifestEdit;
use dx_pkg_core::Spec;
use dx_pkg_install::additions::without_orphaned_patches;
use dx_pkg_install::{Change, Environment, Events, OpenProject, Options};
use dx_pkg_lock::Lock;

use super::install::{carry_out, refuse_workspace};
use crate::error::CommandError;
use crate::flags::{RemoveSettings, SettingFlags};
use crate::options::TreeArguments;
use crate::report::Report;

/// Remove packages from the project.
#[derive(Args, Debug)]
pub struct RemoveArguments {
    /// Names of the packages.
    #[arg(value_name = "PACKAGE", required = true)]
    pub packages: Vec<String>,
    /// Accepted for npm compatibility: a package is removed from every section it is in.
    #[arg(short = 'D', long, hide = true)]
    pub save_dev: bool,
    /// Accepted for npm compatibility, as the other sections.
    #[arg(short = 'O', long, hide = true)]
    pub save_optional: bool,
    /// Accepted for npm compatibility, as the other sections.
    #[arg(short = 'P', long, hide = true)]
    pub save_prod: bool,
    #[command(flatten)]
    pub flags: SettingFlags<RemoveSettings>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl RemoveArguments {
    /// Removes the packages that are named.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let mut open = OpenProject::open(environment, self.tree.session_options(), report)?;
        refuse_workspace(&open)?;
        let mut edit = ManifestEdit::new(&open.project.manifest_text)?;
        for name in &self.packages {
            let given = Spec::parse_argument(name).ok();
            if given.is_none_or(|given| given.name.is_none() || &*given.raw != "*") {
                return Err(CommandError::NotAName { argument: name.clone() });
            }
            if !edit.remove_dependency(None, name) {
                report.warning(&format!("{name} is not a dependency of this project"));
            }
        }
        edit.arrange_sections();
        let text = edit.finish();
        open.project.set_manifest(&text)?;
        let save = !self.flags.sets("save", "false") && open.session.config().save()?;
        let removed = self.packages.clone();
        let manifest = |lock: &Lock| without_orphaned_patches(&text, &removed, lock);
        let change =
            Change { explicit: Vec::new(), removed: removed.clone(), manifest: &manifest, save };
        let options = Options {
            frozen: self.tree.frozen_lockfile,
            change: Some(change),
            ..Options::default()
        };
        carry_out(&self.tree, open, options, report)?;
        Ok(ExitCode::SUCCESS)
    }
}
