//! `dx-registry test`.

mod surroundings;

use super::Context;
use crate::bring::publish_folder;
use crate::log::{Level, Log};
use crate::packages::Maintainer;
use crate::server::Server;
use crate::state::AppState;
use crate::storage::{blocking, create_private};
use clap::Args;
#[cfg(unix)]
use dx_pkg_os::process::ask_to_end;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};
use tokio::sync::oneshot;

/// The user whose token the command gets, and who owns the fixture.
const USER: &str = "test";

/// Run a command with a registry of its own, which is gone afterwards
///
/// The registry listens on a free port of 127.0.0.1. The command's environment leads npm, pnpm,
/// Yarn and Bun to it, with a token that may publish; it gets none of the registries and
/// credentials of the user's .npmrc.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// A folder whose tarballs and package folders are published before the command starts
    #[arg(long, value_name = "FOLDER")]
    fixture: Option<PathBuf>,
    /// The registry to fetch from what is not published; "none" for no registry
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Test {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        // From now on, what asks this process to end lets it remove its folder.
        let asked = asked_to_end();
        let folder = Scratch::create()?;
        let common =
            super::Common { storage: Some(folder.0.join("storage")), config: self.config.clone() };
        let mut flags = vec![("listen", "127.0.0.1:0".to_owned())];
        flags.extend(self.upstream.clone().map(|upstream| ("upstream", upstream)));
        let config = context.config(&common, flags)?;
        let log = Log::new(Level::Error, Box::new(std::io::sink()));
        let state = AppState::open(config, &context.environment.variables, log)?;
        if let Some(fixture) = &self.fixture {
            let owner = Maintainer { name: USER.to_owned(), email: String::new() };
            let brought = publish_folder(&state, fixture, Some(&owner)).await?;
            if !brought.failed.is_empty() {
                return Err(brought.failed.join("\n"));
            }
        }
        let token = state.accounts.create_token(USER).await.map_err(|failure| failure.message)?;
        let server = Server::listen(state).await?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let [program, arguments @ ..] = &self.command[..] else {
            return Err("there is no command".to_owned());
        };
        let url = format!("http://{address}/");
        let surroundings = surroundings::prepare(context, &folder.0, (&url, &token))?;
        for warning in surroundings.warnings {
            let _ = writeln!(std::io::stderr(), "dx-registry: warning: {warning}");
        }
        let mut child = Command::new(program);
        child.args(arguments);
        for name in &surroundings.removed {
            child.env_remove(name);
        }
        child.envs(surroundings.set);
        let ended = run_to_end(child, asked).await;
        let _ = stop.send(());
        let _ = serving.await;
        drop(folder);
        let status = ended.map_err(|error| format!("cannot run {program}: {error}"))?;
        Ok(ExitCode::from(code(status)))
    }
}

/// Runs a command to its end. A terminal's Ctrl-C reaches it as well, and it decides what that
/// means; what asks this process alone to end is passed on to it.
async fn run_to_end(mut command: Command, asked: Asked) -> std::io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    let id = child.id();
    let passing = tokio::spawn(asked.pass_on(id));
    let interrupted = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let ended = blocking(move || child.wait()).await;
    passing.abort();
    interrupted.abort();
    ended.map_err(|failure| std::io::Error::other(failure.message))?
}

/// The signals by which this process is asked to end.
struct Asked {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

fn asked_to_end() -> Asked {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::hangup()];
        Asked { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }
    #[cfg(not(unix))]
    Asked {}
}

impl Asked {
    /// Asks a child to end whenever this process is asked.
    async fn pass_on(self, child: u32) {
        #[cfg(unix)]
        {
            let mut waiting = tokio::task::JoinSet::new();
            for mut signal in self.signals {
                waiting.spawn(async move {
                    while signal.recv().await.is_some() {
                        ask_to_end(child);
                    }
                });
            }
            while waiting.join_next().await.is_some() {}
        }
        #[cfg(not(unix))]
        let _ = child;
    }
}

/// Returns a command's exit code; as a shell does, 128 and its number for a signal.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// A folder for one run.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self, String> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = std::env::temp_dir().join(format!("dx-registry-{name}"));
        create_private(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
