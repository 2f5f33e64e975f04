//! The administrator that the first start makes, with a random password. There is no default one.

use crate::accounts::{Accounts, User, now, password, secret};
use crate::failure::Failure;

/// The administrator's name.
const NAME: &str = "admin";

/// Makes the administrator where there is none yet, and returns the password, to be shown once.
pub(crate) async fn administrator(accounts: &Accounts) -> Result<Option<Secret>, Failure> {
    if accounts.users().await?.iter().any(|user| user.admin) {
        return Ok(None);
    }
    let password = secret::random_hex(16)?;
    let mut admin = User::new(NAME, now());
    admin.admin = true;
    admin.password = Some(password::hash(&password).await?);
    match accounts.create_user(admin).await {
        Ok(()) => Ok(Some(Secret { name: NAME, password })),
        // Another process was first, or a user without these rights has the name.
        Err(failure) if failure.status == axum::http::StatusCode::CONFLICT => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A name and a password that are shown once.
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    pub(crate) password: String,
}
