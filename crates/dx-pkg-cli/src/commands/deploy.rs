//! `dx fetch`, `dx deploy` and `dx import`: a store from a lockfile alone, a workspace in a folder
//! of its own, lockfiles in another form.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use dx_pkg_install::project::find_root;
use dx_pkg_install::upkeep::deploying::{DeployOptions, Deployed, deploy};
use dx_pkg_install::upkeep::fetching::{FetchedLock, fetch_lockfile};
use dx_pkg_install::upkeep::importing::import;
use dx_pkg_install::{Environment, Events as _, Session};
use serde_json::json;

use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Bring the packages of the lockfile into the store, without a package.json.
#[derive(Args, Debug)]
pub struct FetchArguments {
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// Copy a workspace with its production dependencies into a folder of its own.
#[derive(Args, Debug)]
pub struct DeployArguments {
    /// The folder to copy it to, which must be new or empty.
    #[arg(value_name = "FOLDER")]
    pub target: PathBuf,
    /// The workspace, by name or folder; by default the one in whose folder dx was started.
    #[arg(long, short = 'F', value_name = "WORKSPACE")]
    pub filter: Option<String>,
    #[command(flatten)]
    pub tree: TreeArguments,
}

/// Convert a lockfile into the package-lock.json that dx and npm write.
#[derive(Args, Debug)]
pub struct ImportArguments {
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl FetchArguments {
    /// Fetches what the lockfile needs.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let root = find_root(&environment.folder).folder;
        let session = Arc::new(Session::open(environment, &root, self.tree.session_options())?);
        let fetched = fetch_lockfile(&session, &root, report)?;
        let text = fetched.text();
        let FetchedLock { packages, new, left_out } = fetched;
        left_out.iter().for_each(|error| report.warning(&format!("optional: {error}")));
        let fields = json!({ "packages": packages, "fetched": new, "leftOut": left_out });
        report.result(&text, &fields);
        Ok(ExitCode::SUCCESS)
    }
}

impl DeployArguments {
    /// Copies the workspace and installs what it needs.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let flags = &self.tree.flags;
        let named = flags.settings().iter().filter(|(key, _)| key == "workspace");
        let named = named.map(|(_, workspace)| workspace);
        let options = DeployOptions {
            workspaces: self.filter.iter().chain(named).cloned().collect(),
            folder: self.target.clone(),
            force: flags.sets("force", "true"),
            with_dev: flags.sets("include", "dev"),
        };
        let mut session = self.tree.session_options();
        session.flags.retain(|(key, _)| !matches!(key.as_str(), "workspace" | "force"));
        let deployed = deploy(environment, session, &options, report)?;
        let text = deployed.text();
        let Deployed { workspace, folder, files, summary } = deployed;
        if !report.wants_json() {
            report.summary(&summary);
        }
        let (folder, packages) = (folder.display().to_string(), summary.packages);
        let fields = json!({
            "workspace": workspace, "folder": folder, "files": files, "packages": packages
        });
        report.result(&text, &fields);
        Ok(ExitCode::SUCCESS)
    }
}

impl ImportArguments {
    /// Converts the lockfile.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let options = self.tree.session_options();
        let imported = import(environment, options, report)?;
        let fields = json!({ "from": imported.from, "changed": imported.is_changed });
        report.result(&imported.text(), &fields);
        Ok(ExitCode::SUCCESS)
    }
}
