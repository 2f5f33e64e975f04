//! `dx patch`: changes to files of installed packages, kept as patches; `dx patch-commit` and
//! `dx patch-remove`, as pnpm calls parts of it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::upkeep::patching::{self, Committed, EditFolder, EditOptions, Updated};
use dx_pkg_install::{Environment, OpenProject};
use serde_json::json;

use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Change files of an installed package, and keep the change as a patch.
///
/// dx patch <package> makes a copy to edit, dx patch commit <folder> makes a patch of it. Also:
/// dx patch update <package>, dx patch ls, dx patch rm <package>.
#[derive(Args, Debug)]
pub struct PatchArguments {
    /// A package, or add, commit, update, ls or rm with what it is for.
    #[arg(value_name = "PACKAGE", required = true)]
    pub words: Vec<String>,
    /// Make the copy in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub edit_dir: Option<PathBuf>,
    /// Remove what that folder has.
    #[arg(long)]
    pub ignore_existing: bool,
    /// Keep the folder once its patch is made.
    #[arg(long)]
    pub keep_edit_dir: bool,
    /// With update: the version to carry the patch over to.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// The folder of the project for patches.
    #[arg(long, value_name = "FOLDER")]
    pub patches_dir: Option<String>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// Make a patch of the changes in a folder that dx patch made.
#[derive(Args, Debug)]
pub struct PatchCommitArguments {
    /// The folder.
    #[arg(value_name = "FOLDER")]
    pub edited: PathBuf,
    /// Keep the folder once its patch is made.
    #[arg(long)]
    pub keep_edit_dir: bool,
    /// The folder of the project for patches.
    #[arg(long, value_name = "FOLDER")]
    pub patches_dir: Option<String>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// Remove patches, and install the packages as they are published.
#[derive(Args, Debug)]
pub struct PatchRemoveArguments {
    /// Packages: names, or names with the version of the entry.
    #[arg(value_name = "PACKAGE", required = true)]
    pub packages: Vec<String>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl PatchArguments {
    /// Carries out what the words say.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let mut tree = self.tree.clone();
        tree.flags.extend(folder_setting(self.patches_dir.as_deref()));
        match words.as_slice() {
            ["ls" | "list"] => list(environment, &tree, report),
            ["commit", folder] => {
                commit(environment, &tree, Path::new(folder), self.keep_edit_dir, report)
            }
            ["update", package] => self.update(environment, &tree, package, report),
            ["rm" | "remove", packages @ ..] if !packages.is_empty() => {
                let packages: Vec<String> = packages.iter().map(|one| (*one).to_owned()).collect();
                remove(environment, &tree, &packages, report)
            }
            ["add", package] => self.begin(environment, &tree, package, report),
            [package] if !matches!(*package, "add" | "commit" | "update" | "rm" | "remove") => {
                self.begin(environment, &tree, package, report)
            }
            _ => Err(CommandError::PatchUsage),
        }
    }

    fn begin(
        &self,
        environment: Environment,
        tree: &TreeArguments,
        package: &str,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let open = OpenProject::open(environment, tree.session_options(), report)?;
        let made = patching::begin(&open, package, &self.edit_options())?;
        tell_folder(&made, report, |folder| {
            format!("You can now edit the following directory: {folder}")
        });
        Ok(ExitCode::SUCCESS)
    }

    fn update(
        &self,
        environment: Environment,
        tree: &TreeArguments,
        package: &str,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let mut session = tree.session_options();
        let fixed = [("package-lock-only", "true"), ("allow-unused-patches", "true")];
        session.flags.extend(fixed.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let open = OpenProject::open(environment, session, report)?;
        let to = self.to.as_deref();
        match patching::update(open, package, to, &self.edit_options(), report)? {
            Updated::Clean(before, done) => {
                let text = format!("Updated {before} -> {} ({})", done.key, done.file);
                report.result(
                    &text,
                    &json!({ "from": before, "patch": done.key, "file": done.file }),
                );
            }
            Updated::Conflict(made) => {
                report.line(&format!("Patch did not apply cleanly to {}.", made.package));
                tell_folder(&made, report, |folder| format!("Resolve the conflicts in: {folder}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn edit_options(&self) -> EditOptions {
        EditOptions { folder: self.edit_dir.clone(), ignore_existing: self.ignore_existing }
    }
}

impl PatchCommitArguments {
    /// Makes the patch and installs it.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let mut tree = self.tree.clone();
        tree.flags.extend(folder_setting(self.patches_dir.as_deref()));
        commit(environment, &tree, &self.edited, self.keep_edit_dir, report)
    }
}

impl PatchRemoveArguments {
    /// Removes the patches.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        remove(environment, &self.tree, &self.packages, report)
    }
}

/// Returns the setting of the folder for patches, where it is given.
fn folder_setting(folder: Option<&str>) -> Vec<(String, String)> {
    folder.map(|folder| ("patches-dir".to_owned(), folder.to_owned())).into_iter().collect()
}

/// Prints where a copy is, and how to go on.
fn tell_folder(made: &EditFolder, report: &Report, sentence: impl Fn(&str) -> String) {
    let folder = made.folder.display().to_string();
    let text = format!("{}\nWhen done, run: dx patch commit {folder}", sentence(&folder));
    report.result(&text, &json!({ "package": made.package, "folder": folder }));
}

fn commit(
    environment: Environment,
    tree: &TreeArguments,
    folder: &Path,
    keeps_folder: bool,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    dx_pkg_os::process::install_signal_handlers();
    let options = tree.session_options();
    let done = patching::commit(environment, options, folder, keeps_folder, report)?;
    match done {
        Some(Committed { key, file, summary }) => {
            if !report.wants_json() {
                report.summary(&summary);
            }
            let text = format!("Patched {key} -> {file}");
            report.result(&text, &json!({ "patch": key, "file": file }));
        }
        None if report.wants_json() => report.result("", &json!({ "patch": null, "file": null })),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(
    environment: Environment,
    tree: &TreeArguments,
    packages: &[String],
    report: &Report,
) -> Result<ExitCode, CommandError> {
    dx_pkg_os::process::install_signal_handlers();
    let open = OpenProject::open(environment, tree.session_options(), report)?;
    let (keys, summary) = patching::remove(open, packages, report)?;
    if !report.wants_json() {
        report.summary(&summary);
    }
    let patches = if keys.len() == 1 { "patch" } else { "patches" };
    report.result(&format!("Removed {patches}: {}", keys.join(", ")), &json!({ "removed": keys }));
    Ok(ExitCode::SUCCESS)
}

fn list(
    environment: Environment,
    tree: &TreeArguments,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let open = OpenProject::open_or_new(environment, tree.session_options(), report)?;
    let entries = patching::list(&open)?;
    if report.wants_json() {
        let entries = entries.iter().map(
            |entry| json!({ "patch": entry.key, "file": entry.file, "packages": entry.packages }),
        );
        report.pretty(&json!(entries.collect::<Vec<_>>()));
        return Ok(ExitCode::SUCCESS);
    }
    for entry in entries {
        let nodes = if entry.packages == 1 { "node" } else { "nodes" };
        let counted = format!("({} {nodes})", entry.packages);
        report.text(&format!("{}\t{}\t{counted}", entry.file, entry.key));
    }
    Ok(ExitCode::SUCCESS)
}
