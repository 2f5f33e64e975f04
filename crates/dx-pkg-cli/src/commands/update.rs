//! `dx update`: newer versions within the ranges of the manifests, or beyond them.

mod interactive;
mod picker;

use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::importers::Importers;
use dx_pkg_install::summary::Summary;
use dx_pkg_install::upkeep::updates;
use dx_pkg_install::{Change, Environment, Events, Mode, OpenProject, Options};
use dx_pkg_lock::Lock;

use super::carry::{carry_out, check_name, distinct};
use super::global;
use super::install::{offering, save_prefix};
use crate::error::CommandError;
use crate::flags::{AddSettings, SettingFlags};
use crate::options::{IdleSections, TreeArguments};
use crate::report::Report;
use interactive::Chosen;

/// Update packages to the newest versions that package.json allows.
///
/// Without names all packages are updated. The lockfile is written, and package.json only where
/// --save or --latest is given.
#[derive(Args, Debug)]
pub struct UpdateArguments {
    /// Names of packages, wherever in the tree they are; patterns such as '@types/*' for direct
    /// dependencies.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Take the latest versions of direct dependencies, whatever package.json allows, and write
    /// them there.
    #[arg(short = 'L', long)]
    pub latest: bool,
    /// Choose the packages in a list on the terminal.
    #[arg(short = 'i', long)]
    pub interactive: bool,
    #[command(flatten)]
    pub sections: IdleSections,
    #[command(flatten)]
    pub flags: SettingFlags<AddSettings>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl UpdateArguments {
    /// Updates the packages that are named, or all.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        for name in self.packages.iter().filter(|name| !updates::is_pattern(name)) {
            check_name("update", name)?;
        }
        if global::is_asked(&self.tree, &environment) {
            if self.interactive {
                let reason = "globally installed packages are updated by their names".to_owned();
                return Err(CommandError::NotInteractive { reason });
            }
            return global::update(&self.tree, &self.packages, environment, report);
        }
        // Nothing is locked while somebody chooses.
        let chosen = match self.interactive {
            true => match interactive::choose(self, &environment, report)? {
                Some(chosen) => Some(chosen),
                None => return Ok(ExitCode::SUCCESS),
            },
            false => None,
        };
        let again = environment.clone();
        let open = OpenProject::open_or_new(environment, self.tree.session_options(), report)?;
        if open.session.is_global()? {
            drop(open);
            return global::update(&self.tree, &self.packages, again, report);
        }
        let names = updates::names(&open.project, &self.packages);
        if names.is_empty() && !self.packages.is_empty() {
            let patterns = self.packages.join(", ");
            report.warning(&format!("no direct dependency matches {patterns}"));
            return Ok(ExitCode::SUCCESS);
        }
        if self.latest && chosen.is_none() {
            let folders = Importers::of(&open.session, &open.project)?;
            let folders = if folders.is_part { folders.folders } else { all(&open) };
            let latest = folders.into_iter().map(|folder| (folder, names.clone())).collect();
            let summary = self.take_latest(open, latest, names, report)?;
            return offering(&self.tree, again, report, &summary);
        }
        let config = open.session.config();
        let is_given = config.raw("save").is_some();
        let saves = match self.flags.value("save") {
            Some(given) => given == "true",
            None => is_given && config.save()?,
        };
        let prefix = save_prefix(&self.flags, config)?;
        let prefix = saves.then_some(prefix);
        let summary = match chosen {
            None => self.within_ranges(open, names, prefix, report),
            Some(Chosen { within, latest }) if latest.is_empty() => {
                self.within_ranges(open, within, prefix, report)
            }
            Some(Chosen { within, latest }) => {
                let all = latest.iter().flat_map(|(_, names)| names.iter().cloned());
                let all = distinct(all.chain(within));
                self.take_latest(open, latest, all, report)
            }
        };
        offering(&self.tree, again, report, &summary?)
    }

    /// Updates within the ranges; with a `prefix` the manifests get the versions.
    fn within_ranges(
        &self,
        mut open: OpenProject,
        names: Vec<String>,
        prefix: Option<String>,
        report: &Report,
    ) -> Result<Summary, CommandError> {
        let mut texts = Vec::new();
        for importer in all(&open) {
            let text = open.project.manifest_text_of(&importer)?;
            texts.push((importer, text));
        }
        let manifest = |importer: &str, lock: &Lock| {
            let found = texts.iter().find(|(folder, _)| folder == importer);
            let text = found.map_or("{}", |(_, text)| text.as_str());
            updates::saved(text, importer, lock, &names, prefix.as_deref().unwrap_or("^"))
        };
        let change = prefix.is_some().then(|| Change {
            importers: texts.iter().map(|(importer, _)| importer.clone()).collect(),
            explicit: Vec::new(),
            removed: Vec::new(),
            manifest: &manifest,
            save: true,
        });
        let update = names.clone();
        let options = Options { mode: Mode::Update, update, change, ..self.options() };
        carry_out(&self.tree, open, options, report)
    }

    /// Takes the latest versions of direct dependencies: of those that are named for an importer,
    /// or all of it. `update` are the packages that are chosen anew; all where none is named.
    fn take_latest(
        &self,
        mut open: OpenProject,
        latest: Vec<(String, Vec<String>)>,
        update: Vec<String>,
        report: &Report,
    ) -> Result<Summary, CommandError> {
        open.project.read_lockfile(open.session.store())?;
        let usual = save_prefix(&self.flags, open.session.config())?;
        let is_exact = usual.is_empty();
        let mut edits = Vec::new();
        for (importer, names) in latest {
            let original = open.project.manifest_text_of(&importer)?;
            let additions = updates::latest(&open, &importer, &names)?;
            let wanted = updates::edited(&original, &additions, |one, _| one.raw.clone())?;
            open.project.set_manifest_of(&importer, &wanted)?;
            edits.push((importer, original, additions));
        }
        let manifest = |importer: &str, lock: &Lock| {
            let edit = edits.iter().find(|(folder, ..)| folder == importer);
            let Some((_, original, additions)) = edit else { return Ok("{}".to_owned()) };
            updates::edited(original, additions, |one, own| {
                one.saved(lock, own.filter(|_| !is_exact).unwrap_or(&usual))
            })
        };
        let added = edits.iter().flat_map(|(.., additions)| additions);
        let change = Change {
            importers: edits.iter().map(|(importer, ..)| importer.clone()).collect(),
            explicit: distinct(added.map(|(addition, _)| addition.name.clone())),
            removed: Vec::new(),
            manifest: &manifest,
            save: !self.flags.sets("save", "false"),
        };
        let options =
            Options { mode: Mode::Update, update, change: Some(change), ..self.options() };
        carry_out(&self.tree, open, options, report)
    }

    fn options(&self) -> Options<'_> {
        Options { frozen: self.tree.frozen_lockfile, ..Options::default() }
    }
}

/// Returns the folders of all importers, the project's own first.
fn all(open: &OpenProject) -> Vec<String> {
    let workspaces = open.project.workspaces.iter().map(|(folder, _)| folder.clone());
    std::iter::once(String::new()).chain(workspaces).collect()
}
