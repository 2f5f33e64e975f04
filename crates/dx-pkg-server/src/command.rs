//! The command line of `dx-registry`.

mod check;
mod export;
mod gc;
mod import;
mod serve;
mod test;
mod user;

use crate::config::{Config, Sources, read};
use crate::log::Log;
use crate::state::AppState;
use clap::{Args, Parser, Subcommand};
use dx_pkg_os::process::{RUNTIME_DESCRIPTORS, spare_descriptors};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The part of the process's surroundings that the command may use.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// The registry that is the upstream where none is configured.
    pub default_upstream: Option<String>,
}

/// npm's registry protocol, for a team: private packages, and a cache of an upstream registry.
#[derive(Debug, Parser)]
#[command(name = "dx-registry", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Test(test::Test),
    Import(import::Import),
    Export(export::Export),
    Gc(gc::Gc),
    Check(check::Check),
    User(user::User),
}

/// The options of every command that opens the storage.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The folder of packages, users and cache [default: dx/registry in your data folder]
    #[arg(long, value_name = "FOLDER")]
    storage: Option<PathBuf>,
    /// The configuration file; see docs/registry/configuration.md
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a command works with.
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) out: Box<dyn Write + Send>,
}

impl Context {
    /// Reads the configuration, with these settings from flags over it.
    pub(crate) fn config(
        &self,
        common: &Common,
        mut flags: Vec<(&'static str, String)>,
    ) -> Result<Config, String> {
        if let Some(folder) = &common.storage {
            let folder = std::path::absolute(folder).map_err(|error| error.to_string())?;
            flags.push(("storage", folder.to_string_lossy().into_owned()));
        }
        read(&Sources {
            file: common.config.clone(),
            variables: &self.environment.variables,
            flags,
            default_upstream: self.environment.default_upstream.as_deref(),
        })
    }

    /// Opens the state of a command that serves nothing.
    pub(crate) fn state(&self, common: &Common) -> Result<Arc<AppState>, String> {
        self.state_with(common, Vec::new())
    }

    /// Does the same with these settings from flags.
    pub(crate) fn state_with(
        &self,
        common: &Common,
        flags: Vec<(&'static str, String)>,
    ) -> Result<Arc<AppState>, String> {
        let config = self.config(common, flags)?;
        let log = Log::new(config.log, Box::new(std::io::sink()));
        AppState::open(config, &self.environment.variables, log)
    }

    /// Writes a line for the user. A reader that is gone is no fault.
    pub(crate) fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
    }
}

/// Runs the command that the arguments name; writes to `out`, and logs and failures to `errors`.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    out: Box<dyn Write + Send>,
    mut errors: Box<dyn Write + Send>,
) -> ExitCode {
    let mut context = Context { environment, out };
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let _ = write!(errors, "{error}");
            return ExitCode::from(2);
        }
        Err(error) => {
            let _ = write!(context.out, "{error}");
            return ExitCode::SUCCESS;
        }
    };
    let start = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match spare_descriptors(RUNTIME_DESCRIPTORS).and_then(|()| start()) {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(errors, "dx-registry: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match arguments.command {
        Command::Serve(serve) => return serve.report(&runtime, &mut context, errors),
        Command::Test(test) => runtime.block_on(test.run(&mut context)),
        Command::Import(import) => runtime.block_on(import.run(&mut context)),
        Command::Export(export) => runtime.block_on(export.run(&mut context)),
        Command::Check(check) => runtime.block_on(check.run(&mut context)),
        Command::Gc(gc) => runtime.block_on(gc.run(&mut context)),
        Command::User(user) => runtime.block_on(user.run(&mut context)),
    };
    match result {
        Ok(code) => code,
        Err(fault) => {
            let _ = writeln!(errors, "dx-registry: {fault}");
            ExitCode::FAILURE
        }
    }
}
