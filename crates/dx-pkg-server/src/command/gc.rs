//! `dx-registry gc`.

use super::{Common, Context};
use crate::collect::collect;
use crate::config::Size;
use clap::Args;
use std::process::ExitCode;

/// Remove what interrupted writes left behind, and what the cache holds beyond its limit
///
/// A running registry does so by itself, once an hour. Published packages are never removed.
#[derive(Debug, Args)]
pub(super) struct Gc {
    /// Only print what would be removed
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    common: Common,
}

impl Gc {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        let state = context.state(&self.common)?;
        let done = collect(&state, self.dry_run)
            .await
            .map_err(|failure| failure.detail.unwrap_or(failure.message))?;
        let verb = if self.dry_run { "would remove" } else { "removed" };
        context.line(&format!(
            "{verb} {} files of interrupted writes and {} of the cache, {} in all; the cache has {}",
            done.abandoned,
            done.evicted,
            Size(done.bytes),
            Size(done.cache)
        ));
        Ok(ExitCode::SUCCESS)
    }
}
