//! `dx cache`: npm's words for dx's store.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use dx_pkg_acquire::AcquireError;
use dx_pkg_author::questions::caching::add;
use dx_pkg_install::maintenance::{self, commands};
use dx_pkg_install::project::find_root;
use dx_pkg_install::summary::count;
use dx_pkg_install::{Environment, Events as _, Session};
use dx_pkg_store::prune::Pruned;
use serde_json::{Value, json};

use super::store::size;
use crate::error::CommandError;
use crate::flags::{QuestionSettings, SettingFlags};
use crate::report::Report;

/// How long what `verify` leaves was not used.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Manage the store in npm's words.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
#[command(after_help = "dx has no cache but its store; `dx store` has more.")]
pub struct CacheArguments {
    #[command(subcommand)]
    pub action: CacheAction,
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

#[derive(Subcommand, Debug)]
pub enum CacheAction {
    /// Fetch packages into the store.
    Add {
        /// Packages, with a version, range or tag behind @.
        #[arg(value_name = "PACKAGE", required = true)]
        packages: Vec<String>,
    },
    /// Remove what no project shares from the store.
    #[command(visible_aliases = ["clear", "rm"])]
    Clean {
        /// Do it: what is removed is fetched again when it is needed.
        #[arg(long, short)]
        force: bool,
    },
    /// List the packages whose packuments are in the store.
    Ls {
        /// The beginnings of names.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Check every package, mend or remove what is damaged, and remove what was not used for long.
    #[command(visible_alias = "check")]
    Verify,
    /// Manage the packages that "dx exec" and "dx dlx" have installed for their commands.
    #[command(subcommand)]
    Npx(NpxAction),
}

#[derive(Subcommand, Debug)]
pub enum NpxAction {
    /// List them.
    Ls,
    /// Remove them, or those with these keys.
    Rm {
        /// Keys, as "ls" prints them.
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Print where they are, and what is in them.
    Info {
        /// Keys, as "ls" prints them.
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<String>,
    },
}

/// Packages that were installed for their commands.
struct Installed {
    key: String,
    folder: PathBuf,
    packages: Vec<String>,
}

impl CacheArguments {
    /// Carries out the action.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let session = Session::open(environment, &root, self.flags.session_options())?;
        match &self.action {
            CacheAction::Add { packages } => {
                let mut added = Vec::with_capacity(packages.len());
                for package in packages {
                    added.push(add(&session, package)?);
                }
                let text = format!("The store has {}", added.join(", "));
                report.result(&text, &json!({ "packages": added }));
            }
            CacheAction::Clean { force: false } => return Err(CommandError::NeedsForce),
            CacheAction::Clean { force: true } => {
                let pruned = maintenance::prune(session.store(), Duration::ZERO, Some(0))?;
                session.store().empty_trash()?;
                print_pruned(&pruned, report);
            }
            CacheAction::Ls { names } => {
                let mut known = session.store().known_packages();
                known.sort();
                known.retain(|name| {
                    names.is_empty() || names.iter().any(|start| name.starts_with(start.as_str()))
                });
                match report.wants_json() {
                    true => report.pretty(&json!(known)),
                    false => report.text(&known.join("\n")),
                }
            }
            CacheAction::Verify => verify(&session, report)?,
            CacheAction::Npx(action) => npx(action, &session, report)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_pruned(pruned: &Pruned, report: &Report) {
    let Pruned { trees, packages, documents, bytes } = *pruned;
    let text = format!(
        "Removed {}, {} and {}: {}",
        count(trees as u64, "prepared tree"),
        count(packages as u64, "package"),
        count(documents as u64, "document"),
        size(bytes)
    );
    let fields = json!({
        "preparedTrees": trees, "packages": packages, "documents": documents, "bytes": bytes
    });
    report.result(&text, &fields);
}

fn verify(session: &Session, report: &Report) -> Result<(), CommandError> {
    let store = session.store();
    let checked = store.verify(true)?;
    for damage in &checked.damage {
        report.warning(&format!("{}: {}", damage.id, damage.what));
    }
    let pruned = maintenance::prune(store, KEPT, None)?;
    store.empty_trash()?;
    let damaged = checked.damage.len();
    let text = format!(
        "Checked {}, {damaged} damaged; removed {} that were not used for 90 days",
        count(checked.packages as u64, "package"),
        count(pruned.packages as u64, "package"),
    );
    let fields = json!({
        "packages": checked.packages, "damaged": damaged, "removed": pruned.packages
    });
    report.result(&text, &fields);
    Ok(())
}

fn npx(action: &NpxAction, session: &Session, report: &Report) -> Result<(), CommandError> {
    let all = installed(session);
    let named = |keys: &[String]| -> Result<Vec<&Installed>, CommandError> {
        let find = |key: &String| {
            let found = all.iter().find(|installed| installed.key == *key);
            found.ok_or_else(|| CommandError::NoSuchKey { key: key.clone() })
        };
        keys.iter().map(find).collect()
    };
    let shown = |installed: &Installed| -> Value {
        json!({
            "key": installed.key,
            "folder": installed.folder.display().to_string(),
            "packages": installed.packages,
        })
    };
    match action {
        NpxAction::Ls => {
            let lines = all.iter().map(|it| format!("{}: {}", it.key, it.packages.join(", ")));
            match report.wants_json() {
                true => report.pretty(&all.iter().map(shown).collect()),
                false => report.text(&lines.collect::<Vec<_>>().join("\n")),
            }
        }
        NpxAction::Rm { keys } => {
            let chosen = if keys.is_empty() { all.iter().collect() } else { named(keys)? };
            for installed in &chosen {
                dx_pkg_os::files::remove_tree(&installed.folder).map_err(|error| {
                    AcquireError::io(format!("removing {}", installed.folder.display()), error)
                })?;
            }
            let removed: Vec<&str> =
                chosen.iter().map(|installed| installed.key.as_str()).collect();
            report.result(
                &format!("Removed {}", count(removed.len() as u64, "environment")),
                &json!({ "removed": removed }),
            );
        }
        NpxAction::Info { keys } => {
            let chosen = named(keys)?;
            if report.wants_json() {
                report.pretty(&chosen.into_iter().map(shown).collect());
                return Ok(());
            }
            for installed in chosen {
                let (folder, packages) =
                    (installed.folder.display(), installed.packages.join("\n"));
                report.text(&format!("{}\n{folder}\n{packages}", installed.key));
            }
        }
    }
    Ok(())
}

/// Returns the packages that were installed for their commands, sorted by their keys.
fn installed(session: &Session) -> Vec<Installed> {
    let Some(store) = session.store().root().parent() else { return Vec::new() };
    let entries = fs::read_dir(commands::folder(store)).into_iter().flatten().flatten();
    let mut found: Vec<Installed> = entries
        .filter_map(|entry| {
            let folder = entry.path();
            // The last file that is written.
            let record = fs::read_to_string(folder.join("installed")).ok()?;
            let key = entry.file_name().into_string().ok()?;
            Some(Installed { key, folder, packages: record.lines().map(str::to_owned).collect() })
        })
        .collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}
