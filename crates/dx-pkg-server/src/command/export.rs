//! `dx-registry export`.

use super::{Common, Context};
use crate::export::export;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the packages of a lockfile into a folder that a registry without an upstream can serve
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The lockfile of npm, pnpm, Yarn or Bun
    #[arg(long, value_name = "FILE")]
    lockfile: PathBuf,
    /// The folder: `dx-registry serve --storage FOLDER --upstream none` serves it
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The registry to fetch from what is not published or cached here
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Export {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        let flags = self.upstream.clone().map(|upstream| ("upstream", upstream));
        let state = context.state_with(&self.common, flags.into_iter().collect())?;
        let brought = export(&state, &self.lockfile, &self.to).await?;
        for reason in &brought.skipped {
            context.line(&format!("left out: {reason}"));
        }
        context.line(&format!(
            "exported {} versions of {} packages to {}",
            brought.versions,
            brought.packages,
            self.to.display()
        ));
        for reason in &brought.failed {
            context.line(&format!("FAILED {reason}"));
        }
        Ok(if brought.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
