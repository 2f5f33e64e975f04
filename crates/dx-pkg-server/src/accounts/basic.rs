//! Names and passwords in requests (`Authorization: Basic`): each is checked slowly once, then
//! remembered for a while, as long as the user's password stays the same. One-time passwords.

use crate::accounts::{Accounts, User, password, secret};
use crate::failure::Failure;
use std::net::IpAddr;
use std::sync::Arc;

impl Accounts {
    /// Finds the user of a name and a password; `None` where they do not belong together.
    pub(crate) async fn user_by_password(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Option<Arc<User>>, Failure> {
        self.known.check(&address.to_string())?;
        let user = self.user(name).await?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let mark = hash.as_deref().and_then(|hash| self.known.mark(hash, password));
        if mark.as_deref().is_some_and(|mark| self.known.has(mark)) {
            return Ok(user);
        }
        if !password::verify(password, hash.as_deref()).await? {
            self.known.count_failure(&address.to_string());
            self.log.record("login refused", name, "", address);
            return Ok(None);
        }
        if let Some(mark) = mark {
            self.known.add(mark);
        }
        Ok(user)
    }

    /// Whether a one-time password is valid for this user: a code of the app, a recovery code, or
    /// what a browser's confirmation gave.
    pub(crate) async fn accepts_one_time(&self, user: &User, code: &str) -> Result<bool, Failure> {
        let Some(factor) = user.active_second_factor() else {
            return Ok(true);
        };
        let (code, whose) = (code.trim(), format!("one-time {}", user.name));
        self.known.check(&whose)?;
        if factor.accepts(code, crate::accounts::now() / 1000) {
            return Ok(true);
        }
        if self.confirmed_in_browser(user, code).await? {
            return Ok(true);
        }
        if code.len() != 32 || !factor.recovery.contains(&secret::digest(code)) {
            self.known.count_failure(&whose);
            return Ok(false);
        }
        let mut taken = false;
        self.change_user(&user.name, |user| {
            taken = user.second_factor.as_mut().is_some_and(|factor| factor.take_recovery(code));
            Ok(())
        })
        .await?;
        Ok(taken)
    }
}
