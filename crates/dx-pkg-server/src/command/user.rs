//! `dx-registry user`.

use super::{Common, Context};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Add and remove users
#[derive(Debug, Args)]
pub(super) struct User {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user, and print a token for it, once
    Add {
        /// The user's name
        name: String,
        #[command(flatten)]
        common: Common,
    },
}

impl User {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        match self.command {
            UserCommand::Add { name, common } => {
                let state = context.state(&common)?;
                let token = state.accounts.create_token(&name).await;
                context.line(&token.map_err(|failure| failure.message)?);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
