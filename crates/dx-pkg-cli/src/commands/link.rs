//! `dx link` and `dx unlink`: folders of the user's own packages, linked into projects.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::members::{Members, Selection};
use dx_pkg_compat::manifest::Section;
use dx_pkg_install::additions::{Addition, SavePlace, edit_manifest};
use dx_pkg_install::importers::Importers;
use dx_pkg_install::project::find_root;
use dx_pkg_install::upkeep::linking::{Registered, Registration, package_in};
use dx_pkg_install::{Change, Environment, OpenProject, Options};
use dx_pkg_lock::Lock;
use serde_json::{Value, json};

use super::install::carry_out;
use super::list::MemberArguments;
use super::remove::RemoveArguments;
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Link the folder of a package into the project, or register the project's own for that.
///
/// Without names the package in this folder is registered. With names, registered packages or
/// folders are linked into the project's node_modules, until the next install.
#[derive(Args, Debug)]
pub struct LinkArguments {
    /// Registered packages, or folders, which are registered first.
    #[arg(value_name = "PACKAGE|FOLDER")]
    pub packages: Vec<String>,
    /// Also save the links in package.json.
    #[arg(short = 'S', long, overrides_with = "no_save")]
    pub save: bool,
    /// Leave package.json and the lockfile as they are (the default).
    #[arg(long, overrides_with = "save")]
    pub no_save: bool,
    /// Save the links into dependencies.
    #[arg(short = 'P', long)]
    pub save_prod: bool,
    /// Save the links into devDependencies.
    #[arg(short = 'D', long)]
    pub save_dev: bool,
    /// Save the links into optionalDependencies.
    #[arg(short = 'O', long)]
    pub save_optional: bool,
    /// Save the links into peerDependencies.
    #[arg(long)]
    pub save_peer: bool,
    /// Accepted for npm compatibility: a link has no range.
    #[arg(short = 'E', long, hide = true)]
    pub save_exact: bool,
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// Remove packages from the project, or the registration of the package in this folder.
#[derive(Args, Debug)]
#[command(mut_arg("packages", |argument| argument.required(false)))]
pub struct UnlinkArguments {
    #[command(flatten)]
    pub remove: RemoveArguments,
}

impl LinkArguments {
    /// Registers the package here, or links the packages that are named.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = own_package(&environment);
        let is_other = |name: &&String| {
            let place = environment.folder.join(name).canonicalize();
            place.is_err() || place.ok() != root.canonicalize().ok()
        };
        let wanted: Vec<&String> = self.packages.iter().filter(is_other).collect();
        let registered = Registered::find(&environment, self.tree.flags.settings())?;
        let force = self.tree.flags.sets("force", "true");
        let is_dry = self.tree.flags.sets("dry-run", "true");
        if wanted.is_empty() {
            let folders = self.registered_folders(&environment, root)?;
            let mut told = Vec::new();
            for folder in folders {
                told.push(match is_dry {
                    true => {
                        let (name, _) = package_in(&folder)?;
                        (format!("Dry run: would register {name}"), json!({ "name": name }))
                    }
                    false => said(&registered.add(&folder, force)?, "registered"),
                });
            }
            tell(told, report);
            return Ok(ExitCode::SUCCESS);
        }
        let mut found = Vec::new();
        for argument in wanted {
            let (name, folder, is_folder) = registered.to_link(&environment, argument)?;
            if is_folder && !is_dry {
                registered.add(&folder, force)?;
            }
            found.push((name, folder));
        }
        let session = self.tree.session_options();
        let mut open = OpenProject::open_or_new(environment, session, report)?;
        let place = self.place();
        let mut edits = Vec::new();
        for importer in Importers::of(&open.session, &open.project)?.folders {
            let parse = |(name, folder): &(String, PathBuf)| {
                let argument = format!("{name}@file:{}", folder.display());
                Addition::parse(&argument, &open, &importer, place)
            };
            let additions: Vec<Addition> = found.iter().map(parse).collect::<Result<_, _>>()?;
            let original = open.project.manifest_text_of(&importer)?;
            let text = edit_manifest(&original, &additions, |addition| addition.raw.clone())?;
            edits.push((importer, text));
        }
        for (importer, text) in &edits {
            open.project.set_manifest_of(importer, text)?;
        }
        let manifest = |importer: &str, _: &Lock| {
            let edit = edits.iter().find(|(folder, _)| folder == importer);
            Ok(edit.map_or_else(|| "{}".to_owned(), |(_, text)| text.clone()))
        };
        let change = Change {
            importers: edits.iter().map(|(importer, _)| importer.clone()).collect(),
            explicit: found.iter().map(|(name, _)| name.clone()).collect(),
            removed: Vec::new(),
            manifest: &manifest,
            save: self.saves(),
        };
        let options = Options {
            frozen: self.tree.frozen_lockfile,
            change: Some(change),
            command: Some("link"),
            ..Options::default()
        };
        carry_out(&self.tree, open, options, report)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Returns the folders of the packages to register: of the workspaces that are named, else of
    /// the package here.
    fn registered_folders(
        &self,
        environment: &Environment,
        own: PathBuf,
    ) -> Result<Vec<PathBuf>, CommandError> {
        let given = MemberArguments::given(&self.tree.flags);
        if given.workspace.is_empty() && !given.workspaces {
            return Ok(vec![own]);
        }
        let selection = Selection {
            names: given.workspace,
            all: given.workspaces,
            none: given.no_workspaces,
            with_root: given.include_workspace_root,
        };
        let members = Members::find(environment, &selection)?;
        Ok(members.each().into_iter().map(|(_, folder)| folder.to_owned()).collect())
    }

    /// Returns whether `package.json` names the links. As with npm, the name of a section says so.
    fn saves(&self) -> bool {
        self.save || self.save_prod || self.save_dev || self.save_optional || self.save_peer
    }

    /// Returns the section that the flags name; of several, npm's choice.
    fn place(&self) -> SavePlace {
        let given = [
            (self.save_prod, Section::Dependencies),
            (self.save_peer, Section::Peer),
            (self.save_optional, Section::Optional),
            (self.save_dev, Section::Dev),
        ];
        let section = given.into_iter().find(|(on, _)| *on).map(|(_, section)| section);
        SavePlace { section, ..SavePlace::default() }
    }
}

impl UnlinkArguments {
    /// Removes the packages that are named, from the project or, with `--global`, from those that
    /// are registered; without names, the registration of the package in this folder.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let flags = &self.remove.tree.flags;
        let is_global = flags.sets("global", "true") || flags.sets("location", "global");
        if !self.remove.packages.is_empty() && !is_global {
            return self.remove.run(environment, report);
        }
        let registered = Registered::find(&environment, flags.settings())?;
        let names = match self.remove.packages.as_slice() {
            [] => vec![package_in(&own_package(&environment))?.0],
            names => names.to_vec(),
        };
        let mut told = Vec::new();
        for name in names {
            told.push(said(&registered.remove(&name)?, "removed"));
        }
        tell(told, report);
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns the folder of the package that the command was started in: a workspace, or the project.
fn own_package(environment: &Environment) -> PathBuf {
    let root = find_root(&environment.folder).folder;
    let within = environment.folder.ancestors().take_while(|folder| folder.starts_with(&root));
    let mut packages = within.filter(|folder| folder.join("package.json").is_file());
    packages.next().map_or_else(|| root.clone(), PathBuf::from)
}

/// Prints what became of registrations: a list where there are several.
fn tell(told: Vec<(String, Value)>, report: &Report) {
    let (texts, mut fields): (Vec<String>, Vec<Value>) = told.into_iter().unzip();
    let fields = match fields.len() {
        1 => fields.remove(0),
        _ => fields.into(),
    };
    report.result(&texts.join("\n"), &fields);
}

/// Returns what became of a registration, for people and for programs.
fn said(done: &Registration, what: &str) -> (String, Value) {
    let Registration { name, version, place, folder, is_changed } = done;
    let label = match version {
        Some(version) => format!("{name}@{version}"),
        None => name.clone(),
    };
    let text = match what {
        "removed" => format!("Removed the link to {label} from {}", place.display()),
        _ if *is_changed => format!(
            "Linked {label}: {} leads here. In another project, run dx link {name}",
            place.display()
        ),
        _ => format!("{label} is linked already: {}", place.display()),
    };
    let fields = json!({
        "name": name, "version": version, "path": place, "folder": folder, "done": what,
        "changed": is_changed,
    });
    (text, fields)
}
