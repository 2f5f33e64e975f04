//! `dx-registry user`.

use super::{Common, Context};
use crate::access::named_by;
use crate::accounts::{Token, User as Account, now, password};
use crate::failure::Failure;
use crate::state::AppState;
use clap::{Args, Subcommand};
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

/// Add, list and remove users
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
        /// The user's address, which packages show
        #[arg(long)]
        email: Option<String>,
        /// Let the user do everything
        #[arg(long)]
        admin: bool,
        /// Read a password from standard input, for logins in the browser
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Print a new token for a user, once
    Token {
        /// The user's name
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give a user another password, read from standard input, and no second factor
    Password {
        /// The user's name
        name: String,
        #[command(flatten)]
        common: Common,
    },
    /// List the users
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Remove a user, with all tokens; packages stay, and nobody can register the name again
    Remove {
        /// The user's name
        name: String,
        #[command(flatten)]
        common: Common,
    },
}

impl User {
    pub(super) async fn run(self, context: &mut Context) -> Result<ExitCode, String> {
        self.command.run(context).await.map_err(|failure| match failure.detail {
            Some(detail) => format!("{}: {detail}", failure.message),
            None => failure.message,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl UserCommand {
    async fn run(self, context: &mut Context) -> Result<(), Failure> {
        let state = |common: &Common| context.state(common).map_err(Failure::bad_request);
        match self {
            Self::Add { name, email, admin, password_stdin, common } => {
                let email = email.unwrap_or_default();
                if !email.is_empty() && !email.contains('@') {
                    return Err(Failure::bad_request(format!("{email:?} is no mail address")));
                }
                let state = state(&common)?;
                let mut account = Account::new(&name, now());
                account.email = email;
                account.admin = admin;
                if password_stdin {
                    account.password = Some(password::hash(&read_password()?).await?);
                }
                let was_user = state.accounts.was_user(&name).await?;
                state.accounts.create_user(account).await?;
                record(&state, "add user", &name);
                let mut named = named_by(&state, &name).await?;
                if was_user {
                    named.insert(0, "a user who was removed".to_owned());
                }
                if !named.is_empty() {
                    let named = named.join(", ");
                    let text =
                        format!("{name} was known here before, and gets its rights: {named}");
                    let _ = writeln!(std::io::stderr(), "dx-registry: warning: {text}");
                }
                let token = new_token(&state, &name).await?;
                context.line(&token);
            }
            Self::Token { name, common } => {
                let state = state(&common)?;
                state.accounts.existing_user(&name).await?;
                let token = new_token(&state, &name).await?;
                context.line(&token);
            }
            Self::Password { name, common } => {
                let state = state(&common)?;
                let hash = password::hash(&read_password()?).await?;
                state
                    .accounts
                    .change_user(&name, |user| {
                        user.password = Some(hash.clone());
                        user.second_factor = None;
                        Ok(())
                    })
                    .await?;
                record(&state, "reset password", &name);
                context.line(&format!("{name} has a new password"));
            }
            Self::List { common } => {
                for user in state(&common)?.accounts.users().await? {
                    let rights = if user.admin { "  (administrator)" } else { "" };
                    context.line(&format!("{}{rights}", user.name));
                }
            }
            Self::Remove { name, common } => {
                let state = state(&common)?;
                state.accounts.remove_user(&name).await?;
                record(&state, "remove user", &name);
                context.line(&format!("{name} is removed"));
            }
        }
        Ok(())
    }
}

fn record(state: &AppState, action: &str, name: &str) {
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    state.accounts.log.record(action, "(command line)", name, here);
}

async fn new_token(state: &AppState, name: &str) -> Result<String, Failure> {
    let (mut token, text) = Token::new(name, now())?;
    token.name = "dx-registry user".to_owned();
    state.accounts.store_token(&token).await?;
    record(state, "create token", name);
    Ok(text)
}

/// Reads a password from standard input, without the line end.
fn read_password() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(4096).read_to_string(&mut text);
    read.map_err(|error| Failure::bad_request(format!("cannot read the password: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
