//! The one function that decides: may this caller do this with that package?

use crate::failure::Failure;
use crate::http::Call;
use axum::http::header::AUTHORIZATION;
use dx_pkg_core::PackageName;

/// Whoever sent a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    /// The user; `None` without a token.
    pub(crate) user: Option<String>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Reads packuments and tarballs.
    Read,
    /// Publishes versions, sets tags, deprecates.
    Publish,
    /// Removes versions or the package.
    Unpublish,
    /// Changes maintainers and access.
    Manage,
}

/// Finds out who sent a request.
///
/// # Errors
/// 401 for a token that is not valid.
pub(crate) async fn caller(call: &Call) -> Result<Caller, Failure> {
    let Some(value) = call.header(AUTHORIZATION) else {
        return Ok(Caller::default());
    };
    let token = value.strip_prefix("Bearer ").unwrap_or_default().trim();
    match call.state.accounts.token(token).await? {
        Some(token) => Ok(Caller { user: Some(token.user.clone()) }),
        None => Err(Failure::unauthorized("the token is not valid")),
    }
}

/// Decides whether the sender of a request may do `action` with the package of this name.
///
/// # Errors
/// 401 without a valid token, 403 for a user who may not.
pub(crate) async fn authorise(
    call: &Call,
    action: Action,
    _name: &PackageName,
) -> Result<Caller, Failure> {
    let caller = caller(call).await?;
    if action != Action::Read && caller.user.is_none() {
        return Err(Failure::unauthorized("this needs a token: log in first"));
    }
    Ok(caller)
}
