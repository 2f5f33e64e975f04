//! `dx-registry import`.

use super::{Common, Context};
use crate::bring::{Brought, cache_lockfile, import_verdaccio, publish_folder};
use crate::packages::Maintainer;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Take over packages from elsewhere
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    command: ImportCommand,
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// The packages that were published to Verdaccio, from its storage folder
    Verdaccio {
        /// Verdaccio's storage folder
        folder: PathBuf,
        #[command(flatten)]
        common: Common,
    },
    /// What a lockfile of npm, pnpm, Yarn or Bun names, from the upstream into the cache
    Lockfile {
        /// The lockfile
        file: PathBuf,
        /// The registry to fetch from
        #[arg(long, value_name = "URL")]
        upstream: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// A folder of tarballs and of packages' folders
    Folder {
        /// The folder
        folder: PathBuf,
        /// The user who is to own new packages [default: nobody, until an administrator names one]
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        #[command(flatten)]
        common: Common,
    },
}

impl Import {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        let brought = match self.command {
            ImportCommand::Verdaccio { folder, common } => {
                let state = context.state(&common)?;
                import_verdaccio(&state, &folder).await?
            }
            ImportCommand::Lockfile { file, upstream, common } => {
                let flags = upstream.map(|upstream| ("upstream", upstream));
                let state = context.state_with(&common, flags.into_iter().collect())?;
                cache_lockfile(state, &file).await?
            }
            ImportCommand::Folder { folder, owner, common } => {
                let state = context.state(&common)?;
                let owner = match owner {
                    Some(name) => {
                        let user = state.accounts.existing_user(&name).await;
                        let user = user.map_err(|failure| failure.message)?;
                        Some(Maintainer { name: user.name.clone(), email: user.email.clone() })
                    }
                    None => None,
                };
                publish_folder(&state, &folder, owner.as_ref()).await?
            }
        };
        let Brought { packages, versions, skipped, failed } = brought;
        for reason in &skipped {
            context.line(&format!("left out: {reason}"));
        }
        let packages =
            if packages > 0 { format!(" of {packages} packages") } else { String::new() };
        context.line(&format!("imported {versions} versions{packages}"));
        for reason in &failed {
            context.line(&format!("FAILED {reason}"));
        }
        Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
