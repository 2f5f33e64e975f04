//! `dx remove`: removes packages from the project.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_compat::manifest::ManifestEdit;
use dx_pkg_install::additions::without_orphaned_patches;
use dx_pkg_install::importers::Importers;
use dx_pkg_install::{Change, Environment, Events, OpenProject, Options};
use dx_pkg_lock::Lock;

use super::carry::{carry_out, check_name};
use super::install::offering;
use super::{global, leave};
use crate::error::CommandError;
use crate::flags::{RemoveSettings, SettingFlags};
use crate::options::{IdleSections, TreeArguments};
use crate::report::Report;

/// Remove packages from the project.
#[derive(Args, Debug)]
pub struct RemoveArguments {
    /// Names of the packages.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Remove what dx keeps on this machine: its store and its links from other tools' names.
    #[arg(long = "self", conflicts_with = "packages")]
    pub leaves: bool,
    /// With --self: do not ask.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub sections: IdleSections,
    #[command(flatten)]
    pub flags: SettingFlags<RemoveSettings>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl RemoveArguments {
    /// Removes the packages that are named.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        if self.leaves {
            return leave::run(&self.tree, self.yes, &environment, report);
        }
        if global::is_asked(&self.tree, &environment) {
            return global::remove(&self.tree, &self.packages, environment, report);
        }
        if self.packages.is_empty() {
            return Err(CommandError::NothingNamed { command: "remove" });
        }
        self.packages.iter().try_for_each(|name| check_name("remove", name))?;
        let again = environment.clone();
        let mut open = OpenProject::open(environment, self.tree.session_options(), report)?;
        if open.session.is_global()? {
            drop(open);
            return global::remove(&self.tree, &self.packages, again, report);
        }
        let importers = Importers::of(&open.session, &open.project)?.folders;
        let (mut texts, mut known) = (Vec::new(), Vec::new());
        for importer in &importers {
            let mut edit = ManifestEdit::new(&open.project.manifest_text_of(importer)?)?;
            let is_there = |name: &&String| edit.remove_dependency(None, name);
            known.extend(self.packages.iter().filter(is_there));
            edit.arrange_sections();
            let text = edit.finish();
            open.project.set_manifest_of(importer, &text)?;
            texts.push((importer.clone(), text));
        }
        for name in self.packages.iter().filter(|name| !known.contains(name)) {
            let place = match importers.as_slice() {
                [folder] if folder.is_empty() => "this project".to_owned(),
                [folder] => folder.clone(),
                _ => "these workspaces".to_owned(),
            };
            report.warning(&format!("{name} is not a dependency of {place}"));
        }
        let save = match self.flags.value("save") {
            Some(given) => given == "true",
            None => open.session.config().save()?,
        };
        let removed = self.packages.clone();
        let manifest = |importer: &str, lock: &Lock| {
            let found = texts.iter().find(|(folder, _)| folder == importer);
            let text = found.map_or("{}", |(_, text)| text.as_str());
            without_orphaned_patches(text, &removed, lock)
        };
        let change = Change {
            importers,
            explicit: Vec::new(),
            removed: removed.clone(),
            manifest: &manifest,
            save,
        };
        let options = Options {
            frozen: self.tree.frozen_lockfile,
            change: Some(change),
            ..Options::default()
        };
        let summary = carry_out(&self.tree, open, options, report)?;
        offering(&self.tree, again, report, &summary)
    }
}
