//! `dx install`: installs the project, or adds packages to it.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::manifest::Section;
use dx_pkg_compat::npmrc::Config;
use dx_pkg_install::additions::{Addition, SavePlace, edit_manifest};
use dx_pkg_install::importers::Importers;
use dx_pkg_install::project::find_root;
use dx_pkg_install::summary::Summary;
use dx_pkg_install::summary::conflicts::ExplainedConflict;
use dx_pkg_install::{Change, Environment, InstallError, OpenProject, Options};
use dx_pkg_lock::Lock;
use dx_pkg_os::process::is_cancelled;

pub(super) use super::carry::carry_out;
use super::carry::distinct;
use super::global;
use crate::error::CommandError;
use crate::flags::{AddSettings, SettingFlags};
use crate::options::TreeArguments;
use crate::report::Report;

/// Install the project's dependencies, or add packages to it.
#[derive(Args, Debug, Default)]
pub struct InstallArguments {
    /// Packages to add: name, name@version, name@tag, name@npm:other, a folder, or a tarball.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Save into dependencies, even if the package is in another section now.
    #[arg(short = 'P', long, conflicts_with_all = ["save_dev", "save_optional", "save_peer"])]
    pub save_prod: bool,
    /// Save into devDependencies.
    #[arg(short = 'D', long, conflicts_with_all = ["save_optional", "save_peer"])]
    pub save_dev: bool,
    /// Save into optionalDependencies.
    #[arg(short = 'O', long, conflicts_with = "save_peer")]
    pub save_optional: bool,
    /// Save into peerDependencies.
    #[arg(long, alias = "peer")]
    pub save_peer: bool,
    /// Also name them in bundleDependencies.
    #[arg(short = 'B', long)]
    pub save_bundle: bool,
    #[command(flatten)]
    pub flags: SettingFlags<AddSettings>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl InstallArguments {
    /// Installs the project, or adds the packages that are named.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        if global::is_asked(&self.tree, &environment) {
            return global::add(&self.tree, &self.packages, environment, report);
        }
        let session = self.tree.session_options();
        let again = environment.clone();
        // As npm: the project is not installed into itself.
        let is_own = |argument: &&String| {
            argument.starts_with(['.', '/'])
                && find_root(&environment.folder)
                    .folder
                    .components()
                    .eq(environment.folder.join(argument).components())
        };
        let packages: Vec<&String> = self.packages.iter().filter(|one| !is_own(one)).collect();
        if !packages.is_empty() {
            let open = OpenProject::open_or_new(environment, session, report)?;
            if open.session.is_global()? {
                drop(open);
                return global::add(&self.tree, &self.packages, again, report);
            }
            let summary = self.add(open, &packages, report)?;
            return offering(&self.tree, again, report, &summary);
        }
        let open = OpenProject::open(environment, session, report)?;
        if open.session.is_global()? {
            drop(open);
            return global::add(&self.tree, &self.packages, again, report);
        }
        let options = Options {
            frozen: self.tree.frozen_lockfile,
            no_save: !saves(&self.flags, open.session.config())?,
            ..Options::default()
        };
        let summary = carry_out(&self.tree, open, options, report)?;
        offering(&self.tree, again, report, &summary)
    }

    fn add(
        &self,
        mut open: OpenProject,
        packages: &[&String],
        report: &Report,
    ) -> Result<Summary, CommandError> {
        let mut edits = Vec::new();
        for importer in Importers::of(&open.session, &open.project)?.folders {
            let original = open.project.manifest_text_of(&importer)?;
            let texts = packages.iter().map(|text| text.as_str());
            let additions = Addition::parse_all(texts, &open, &importer, self.place())?;
            edits.push((importer, original, additions));
        }
        // These flags stay out of the session: the tree is the same with them and without.
        let prefix = save_prefix(&self.flags, open.session.config())?;
        let saves = saves(&self.flags, open.session.config())?;
        for (importer, original, additions) in &edits {
            let wanted = edit_manifest(original, additions, |addition| addition.raw.clone())?;
            open.project.set_manifest_of(importer, &wanted)?;
        }
        let manifest = |importer: &str, lock: &Lock| {
            let edit = edits.iter().find(|(folder, ..)| folder == importer);
            let Some((_, original, additions)) = edit else { return Ok("{}".to_owned()) };
            edit_manifest(original, additions, |addition| addition.saved(lock, &prefix))
        };
        let names = edits.iter().flat_map(|(.., additions)| additions);
        let change = Change {
            importers: edits.iter().map(|(importer, ..)| importer.clone()).collect(),
            explicit: distinct(names.map(|addition| addition.name.clone())),
            removed: Vec::new(),
            manifest: &manifest,
            save: saves,
        };
        let options = Options {
            frozen: self.tree.frozen_lockfile,
            change: Some(change),
            ..Options::default()
        };
        carry_out(&self.tree, open, options, report)
    }

    /// Returns the place that the flags name.
    fn place(&self) -> SavePlace {
        let given = [
            (self.save_prod, Section::Dependencies),
            (self.save_peer, Section::Peer),
            (self.save_optional, Section::Optional),
            (self.save_dev, Section::Dev),
        ];
        SavePlace {
            section: given.into_iter().find(|(on, _)| *on).map(|(_, section)| section),
            optional_peer: self.save_peer.then_some(false),
            bundled: self.save_bundle,
        }
    }
}

/// Asks, after an install, whether a change that ends a conflict is to be made, and makes it.
pub(super) fn offering(
    tree: &TreeArguments,
    environment: Environment,
    report: &Report,
    summary: &Summary,
) -> Result<ExitCode, CommandError> {
    let change = summary.explained.first().and_then(ExplainedConflict::command);
    let can_ask = !environment.in_ci() && summary.would_write.is_none();
    let Some(change) = change.filter(|_| can_ask) else { return Ok(ExitCode::SUCCESS) };
    if !report.asks(&format!("Run {} now?", change.in_words())) {
        if is_cancelled() {
            return Err(InstallError::from(AcquireError::Cancelled).into());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = &change.requirements;
    let mut adding = InstallArguments { tree: tree.clone(), ..InstallArguments::default() };
    adding.save_dev = change.is_dev();
    adding.packages = wanted.iter().map(|one| format!("{}@{}", one.name, one.range)).collect();
    if wanted.iter().all(|one| one.is_exact) {
        adding.flags.extend(vec![("save-exact".to_owned(), "true".to_owned())]);
    }
    adding.run(environment, report)
}

/// Returns whether manifest and lockfile are written.
fn saves(flags: &SettingFlags<AddSettings>, config: &Config) -> Result<bool, CommandError> {
    Ok(match flags.value("save") {
        Some(given) => given == "true",
        None => config.save()?,
    })
}

/// Returns what stands before the version of an added package in its manifest.
pub(super) fn save_prefix(
    flags: &SettingFlags<AddSettings>,
    config: &Config,
) -> Result<String, CommandError> {
    let is_exact = flags.sets("save-exact", "true") || config.save_exact()?;
    Ok(match flags.value("save-prefix") {
        _ if is_exact => String::new(),
        Some(prefix) => prefix.to_owned(),
        None => config.save_prefix()?,
    })
}
