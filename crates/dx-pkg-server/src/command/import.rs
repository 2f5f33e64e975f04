//! `dx-registry import`.

use super::{Common, Context};
use crate::bring::{Brought, cache_lockfile, import_verdaccio, publish_folder};
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
            ImportCommand::Folder { folder, common } => {
                let state = context.state(&common)?;
                publish_folder(&state, &folder).await?
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
