//! `dx-registry test`.

use super::Context;
use crate::bring::publish_folder;
use crate::log::{Level, Log};
use crate::server::Server;
use crate::state::AppState;
use crate::storage::{blocking, create_private};
use clap::Args;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use tokio::sync::oneshot;

/// Run a command with a registry of its own, which is gone afterwards
///
/// The registry listens on a free port of 127.0.0.1. The command's environment leads npm, pnpm,
/// Yarn and Bun to it, with a token that may publish.
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
        let folder = Scratch::create()?;
        let common =
            super::Common { storage: Some(folder.0.join("storage")), config: self.config.clone() };
        let mut flags = vec![("listen", "127.0.0.1:0".to_owned())];
        flags.extend(self.upstream.clone().map(|upstream| ("upstream", upstream)));
        let config = context.config(&common, flags)?;
        let log = Log::new(Level::Error, Box::new(std::io::sink()));
        let state = AppState::open(config, &context.environment.variables, log)?;
        if let Some(fixture) = &self.fixture {
            publish_folder(&state, fixture).await?;
        }
        let token = state.accounts.create_token("test").await.map_err(|failure| failure.message)?;
        let server = Server::listen(state).await?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        let [program, arguments @ ..] = &self.command[..] else {
            return Err("there is no command".to_owned());
        };
        let mut child = Command::new(program);
        child.args(arguments);
        let npmrc = folder.write_npmrc(context, &address.to_string(), &token)?;
        child.env("npm_config_userconfig", npmrc);
        child.envs(environment(&format!("http://{address}/"), &token));
        // A terminal's Ctrl-C reaches the child as well, and it decides what that means.
        let interrupted = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
        let child = blocking(move || child.status()).await.map_err(|failure| failure.message)?;
        interrupted.abort();
        let _ = stop.send(());
        let _ = serving.await;
        drop(folder);
        let status = child.map_err(|error| format!("cannot run {program}: {error}"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Ok(ExitCode::from(code))
    }
}

/// Returns the variables that lead each client to the registry.
fn environment(url: &str, token: &str) -> Vec<(String, String)> {
    let pairs = [
        ("npm_config_registry", url),
        ("YARN_NPM_REGISTRY_SERVER", url.trim_end_matches('/')),
        ("YARN_NPM_AUTH_TOKEN", token),
        ("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1"),
        ("YARN_REGISTRY", url),
        ("BUN_CONFIG_REGISTRY", url),
        ("BUN_CONFIG_TOKEN", token),
        ("DX_TEST_REGISTRY", url),
        ("DX_TEST_REGISTRY_TOKEN", token),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
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

    /// Writes the user's `.npmrc` with a token for the registry: a shell drops variables whose
    /// names have slashes, so npm's own way to give it one does not always work.
    fn write_npmrc(
        &self,
        context: &Context,
        address: &str,
        token: &str,
    ) -> Result<PathBuf, String> {
        let variable = |name: &str| {
            let found = context.environment.variables.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| PathBuf::from(value))
        };
        let own = variable("npm_config_userconfig").or_else(|| variable("NPM_CONFIG_USERCONFIG"));
        let own = own.or_else(|| Some(variable("HOME")?.join(".npmrc")));
        let own = own.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let file = self.0.join("npmrc");
        std::fs::write(&file, format!("{own}\n//{address}/:_authToken={token}\n"))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
