//! `dx store`: manages the store.

mod archive;
mod status;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use dx_pkg_acquire::Cancel;
use dx_pkg_install::maintenance::{self, Maintained};
use dx_pkg_install::project::find_root;
use dx_pkg_install::summary::count;
use dx_pkg_install::{Environment, Events, Session, SessionOptions};
use dx_pkg_store::Store;
use dx_pkg_store::prune::Pruned;
use serde_json::json;

use crate::error::CommandError;
use crate::report::Report;

/// Manage the store.
#[derive(Args, Debug)]
pub struct StoreArguments {
    #[command(subcommand)]
    pub action: StoreAction,
}

#[derive(Subcommand, Debug)]
pub enum StoreAction {
    /// Print the store's folder, which is what a CI cache should keep.
    Path,
    /// Print what the store holds and takes, and whether trees are prepared for this project.
    Status,
    /// Write the packages that the lockfile needs into one file, for CI caches.
    Export(archive::ExportArguments),
    /// Put the packages of a file that export has written into the store.
    Import(archive::ImportArguments),
    /// Remove entries that were not used for long.
    Prune {
        /// Remove entries last used more than this many days ago.
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        unused_for: u64,
        /// Remove the least recently used packages until the store takes at most this much: bytes,
        /// or with K, M or G.
        #[arg(long, value_name = "SIZE", value_parser = bytes)]
        max_size: Option<u64>,
    },
    /// Run maintenance now: prepare the next trees, empty the trash.
    Maintain {
        /// Run at the lowest priority, and not at all while another process maintains the store.
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Check every package's digests.
    Verify {
        /// Repair damaged packages, or remove them so that they are fetched again.
        #[arg(long)]
        fix: bool,
    },
}

impl StoreArguments {
    /// Carries out the action.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let session = Session::open(environment, &root, self.session_options())?;
        let store = session.store();
        match &self.action {
            StoreAction::Path => {
                let path = store.root().display().to_string();
                report.result(&path, &json!({ "path": path }));
            }
            StoreAction::Status => status::run(&session, &root, report)?,
            StoreAction::Export(export) => archive::export(&session, &root, export, report)?,
            StoreAction::Import(import) => archive::import(&session, import, report)?,
            StoreAction::Prune { unused_for, max_size } => {
                prune(store, *unused_for, *max_size, report)?;
            }
            StoreAction::Maintain { background } => {
                maintain(&session, *background, report)?;
            }
            StoreAction::Verify { fix } => verify(store, *fix, report)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn session_options(&self) -> SessionOptions {
        let flags = match &self.action {
            StoreAction::Export(export) => export.flags.settings().to_vec(),
            _ => Vec::new(),
        };
        SessionOptions { flags, ..SessionOptions::default() }
    }
}

fn maintain(session: &Session, background: bool, report: &Report) -> Result<(), CommandError> {
    if background {
        dx_pkg_os::process::work_in_background();
    }
    let cancel = Cancel::from_flag(dx_pkg_os::process::cancellation_flag());
    let open = |root: &Path| {
        let options = SessionOptions { cancel: cancel.clone(), ..SessionOptions::default() };
        Session::open(session.environment.clone(), root, options)
    };
    let maintained = maintenance::run(
        session.store(),
        session.prepared_trees,
        !background,
        &cancel,
        &dx_pkg_os::process::install_signal_handlers,
        &open,
    )?;
    let Maintained { deleted, prepared, patched, repaired } = maintained;
    let mut text = format!(
        "Prepared {}, deleted {}",
        count(prepared as u64, "tree"),
        count(deleted as u64, "old one")
    );
    if repaired > 0 {
        text.push_str(&format!(", repaired {}", count(repaired as u64, "file")));
    }
    let fields = json!({
        "prepared": prepared, "patched": patched, "deleted": deleted, "repaired": repaired
    });
    report.result(&text, &fields);
    Ok(())
}

fn verify(store: &Store, fix: bool, report: &Report) -> Result<(), CommandError> {
    let checked = store.verify(fix)?;
    for damage in &checked.damage {
        let repaired = if damage.fixed { " (repaired)" } else { "" };
        report.warning(&format!("{}: {}{repaired}", damage.id, damage.what));
    }
    let (packages, damaged) = (checked.packages, checked.damage.len());
    if damaged > 0 && !fix {
        return Err(CommandError::StoreDamaged);
    }
    let text = format!("Checked {}, {damaged} damaged", count(packages as u64, "package"));
    report.result(&text, &json!({ "packages": packages, "damaged": damaged }));
    Ok(())
}

fn prune(
    store: &Store,
    unused_for: u64,
    max_bytes: Option<u64>,
    report: &Report,
) -> Result<(), CommandError> {
    let pruned = maintenance::prune(
        store,
        Duration::from_secs(unused_for.saturating_mul(24 * 60 * 60)),
        max_bytes,
    )?;
    store.empty_trash()?;
    let Pruned { trees, packages, documents, bytes } = pruned;
    let text = format!(
        "Removed {}, {} and {}: {}",
        count(trees as u64, "prepared tree"),
        count(packages as u64, "package"),
        count(documents as u64, "document"),
        size(bytes)
    );
    report.result(&text, &json!({ "preparedTrees": trees, "packages": packages, "documents": documents, "bytes": bytes }));
    Ok(())
}

/// Returns a number of bytes as people read it.
pub(super) fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{}.{} GiB", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30),
    }
}

/// Parses a number of bytes: `1000`, `500M`, `2G`.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => Some(1),
        "K" | "KB" => Some(1 << 10),
        "M" | "MB" => Some(1 << 20),
        "G" | "GB" => Some(1_u64 << 30),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| "write 500M or 2G".to_owned())
}
