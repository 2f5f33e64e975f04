//! Decides what a caller may do. Nothing else in the registry does.

use crate::accounts::one_time::Mode;
use crate::accounts::org::{Grant, Org, Role};
use crate::accounts::token::Permission;
use crate::accounts::{Caller, Login, PackageSettings};
use crate::config::accounts::Readers;
use crate::failure::Failure;

/// Something that is done with a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Reading its packument and tarballs.
    Read,
    /// Publishing a version.
    Publish,
    /// Bringing a version that somebody has to approve.
    Stage,
    /// Approving or rejecting such a version.
    Approve,
    /// Setting and removing dist-tags.
    Tag,
    /// Deprecating versions.
    Deprecate,
    /// Unpublishing a version or all of it.
    Unpublish,
    /// Changing who owns it.
    ChangeOwners,
    /// Changing who can read it, whether publishing needs a one-time password, trusted publishers.
    ChangeAccess,
}

/// The package that it is done with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    /// The names of its owners; `None` where it was never published here.
    pub(crate) owners: Option<&'a [&'a str]>,
    pub(crate) settings: &'a PackageSettings,
    /// The organisation that its scope belongs to, if there is one.
    pub(crate) org: Option<&'a Org>,
}

/// Decides whether `caller` may do `action` with `subject`. A name that the caller may not read is
/// refused as one that does not exist.
pub(crate) fn authorise(
    caller: &Caller,
    action: Action,
    subject: &Subject<'_>,
    readers: Readers,
) -> Result<(), Failure> {
    if action == Action::Read {
        return may_read(caller, subject, readers);
    }
    let login = caller.login()?;
    may_read(caller, subject, readers)?;
    token_allows(login, action, subject)?;
    if !may_write(login, action, subject) {
        let name = subject.name;
        return Err(Failure::forbidden(match (subject.owners, subject.org) {
            (None, Some(org)) => format!(
                "the scope of {name} belongs to the organisation {}, and you are no member of it",
                org.name
            ),
            _ => {
                format!("you are not an owner of {name}; see its owners with `npm owner ls {name}`")
            }
        }));
    }
    one_time_password(caller, login, action, subject)
}

fn may_read(caller: &Caller, subject: &Subject<'_>, readers: Readers) -> Result<(), Failure> {
    if readers == Readers::Users && caller.login.is_none() {
        caller.login()?;
    }
    if !subject.settings.restricted {
        return Ok(());
    }
    let Some(login) = &caller.login else {
        return Err(unknown(subject.name));
    };
    let by_token = login
        .token
        .as_ref()
        .is_none_or(|token| token.permission != Permission::NoAccess && token.covers(subject.name));
    let by_user = login.user.admin
        || owns(login, subject)
        || subject.org.is_some_and(|org| org.reads(&login.user.name, subject.name));
    if by_token && by_user { Ok(()) } else { Err(unknown(subject.name)) }
}

/// Returns the failure for a package that is not there, or that the caller may not read.
pub(crate) fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("no package {name} that you can read is in this registry"))
}

fn owns(login: &Login, subject: &Subject<'_>) -> bool {
    subject.owners.is_some_and(|owners| owners.contains(&login.user.name.as_str()))
}

/// Whether the user could do it with an unlimited token.
fn may_write(login: &Login, action: Action, subject: &Subject<'_>) -> bool {
    let user = login.user.name.as_str();
    if login.user.admin {
        return true;
    }
    let role = subject.org.and_then(|org| org.members.get(user));
    let Some(_) = subject.owners else {
        return subject.org.is_none() || role.is_some();
    };
    let by_role = matches!(role, Some(Role::Owner | Role::Admin));
    let by_team =
        subject.org.and_then(|org| org.grant(user, subject.name)) == Some(Grant::ReadWrite);
    let by_team = by_team && !matches!(action, Action::ChangeOwners | Action::ChangeAccess);
    let by_publisher = login.token.as_ref().is_some_and(|token| token.publisher.is_some());
    owns(login, subject) || by_role || by_team || by_publisher
}

fn token_allows(login: &Login, action: Action, subject: &Subject<'_>) -> Result<(), Failure> {
    let Some(token) = &login.token else {
        return Ok(());
    };
    if !token.covers(subject.name) {
        return Err(Failure::forbidden(format!("this token is not for {}", subject.name)));
    }
    let is_publishing = matches!(action, Action::Publish | Action::Stage);
    if token.publisher.is_some() && !is_publishing {
        return Err(Failure::forbidden(
            "a trusted publisher's token can publish, and nothing else",
        ));
    }
    match token.permission {
        Permission::ReadWrite => Ok(()),
        Permission::ReadWriteStageOnly if action == Action::Stage => Ok(()),
        Permission::ReadWriteStageOnly => {
            Err(Failure::forbidden("this token can only stage packages: use `npm stage publish`"))
        }
        Permission::ReadOnly => Err(Failure::forbidden("this token is read-only")),
        Permission::NoAccess => Err(Failure::forbidden("this token is not for packages")),
    }
}

fn one_time_password(
    caller: &Caller,
    login: &Login,
    action: Action,
    subject: &Subject<'_>,
) -> Result<(), Failure> {
    let token = login.token.as_ref();
    if action == Action::Stage || token.is_some_and(|token| token.publisher.is_some()) {
        return Ok(());
    }
    let bypass = token.is_some_and(|token| token.bypass_second_factor);
    let factor = login.user.second_factor.as_ref().filter(|factor| !factor.pending);
    let by_user = factor.is_some_and(|factor| factor.mode == Mode::AuthAndWrites) && !bypass;
    let by_package = subject.settings.publish_requires_tfa
        && !(bypass && subject.settings.automation_token_overrides_tfa);
    if !by_user && !by_package {
        return Ok(());
    }
    if factor.is_none() {
        // Who has no second factor can take the package's demand for one back.
        if action == Action::ChangeAccess {
            return Ok(());
        }
        return Err(Failure::forbidden(format!(
            "changes of {} need a one-time password: set one up with `npm profile enable-2fa`",
            subject.name
        )));
    }
    caller.one_time_password()
}

#[cfg(test)]
mod tests;
