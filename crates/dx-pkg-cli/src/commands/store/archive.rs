//! `dx store export` and `dx store import`: packages in one file, for the caches of continuous
//! integration.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use dx_pkg_acquire::Cancel;
use dx_pkg_install::maintenance::archive::{self, Exported, Imported};
use dx_pkg_install::summary::count;
use dx_pkg_install::{Events, InstallError, Session};
use dx_pkg_os::files::OutputFile;
use serde_json::json;

use super::size;
use crate::error::CommandError;
use crate::flags::{ExportSettings, SettingFlags};
use crate::report::Report;

#[derive(Args, Debug)]
pub struct ExportArguments {
    /// The file to write; - is standard output.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write the packages of this lockfile, or of the one in this folder, instead of the project's;
    /// may be repeated.
    #[arg(long, value_name = "LOCKFILE")]
    pub lockfile: Vec<PathBuf>,
    #[command(flatten)]
    pub flags: SettingFlags<ExportSettings>,
}

#[derive(Args, Debug)]
pub struct ImportArguments {
    /// A file that `dx store export` has written; - is standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Writes the packages that lockfiles need.
pub fn export(
    session: &Session,
    root: &Path,
    arguments: &ExportArguments,
    report: &Report,
) -> Result<(), CommandError> {
    let ExportArguments { file, lockfile: lockfiles, .. } = arguments;
    let cancel = cancel_by_signals();
    let to_stdout = is_dash(file);
    let (exported, left_out) = if to_stdout {
        refuse_terminal("writing to standard output", &io::stdout())?;
        archive::export(session, root, lockfiles, &cancel, io::stdout())?
    } else {
        let path = session.environment.folder.join(file);
        let failed = |error| InstallError::io(format!("writing {}", path.display()), error);
        let mut output = OutputFile::begin(&path).map_err(failed)?;
        let exported = archive::export(session, root, lockfiles, &cancel, &mut output)?;
        output.keep().map_err(failed)?;
        exported
    };
    for package in &left_out {
        report.warning(&format!("optional: {package} is not in the store, and so not exported"));
    }
    let Exported { packages, files, contents, bytes } = exported;
    let text = format!(
        "Exported {} ({}, {}) as {}",
        count(packages as u64, "package"),
        count(files as u64, "file"),
        size(contents),
        size(bytes)
    );
    let fields = json!({
        "packages": packages, "files": files, "contents": contents, "bytes": bytes,
        "leftOut": left_out
    });
    match to_stdout {
        true => report.detail(&text),
        false => report.result(&text, &fields),
    }
    Ok(())
}

/// Stores the packages of an archive.
pub fn import(
    session: &Session,
    ImportArguments { file }: &ImportArguments,
    report: &Report,
) -> Result<(), CommandError> {
    let cancel = cancel_by_signals();
    let imported = if is_dash(file) {
        refuse_terminal("reading from standard input", &io::stdin())?;
        archive::import(session.store(), &cancel, io::stdin().lock())?
    } else {
        let path = session.environment.folder.join(file);
        let failed = |error| InstallError::io(format!("reading {}", path.display()), error);
        archive::import(session.store(), &cancel, File::open(&path).map_err(failed)?)?
    };
    let Imported { packages, present, files, contents } = imported;
    let text = format!(
        "Imported {} ({}, {}), {present} were in the store already",
        count(packages as u64, "package"),
        count(files as u64, "file"),
        size(contents)
    );
    let fields = json!({
        "packages": packages, "present": present, "files": files, "contents": contents
    });
    report.result(&text, &fields);
    Ok(())
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Lets signals cancel the work, so that nothing unfinished stays.
fn cancel_by_signals() -> Cancel {
    dx_pkg_os::process::install_signal_handlers();
    Cancel::from_flag(dx_pkg_os::process::cancellation_flag())
}

/// Returns an error if an archive would go to a terminal or come from one.
fn refuse_terminal(doing: &str, stream: &impl IsTerminal) -> Result<(), InstallError> {
    match stream.is_terminal() {
        true => Err(InstallError::io(doing, io::Error::other("it is a terminal"))),
        false => Ok(()),
    }
}
