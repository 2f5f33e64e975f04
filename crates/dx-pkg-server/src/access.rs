//! Who sent a request, and whether that is allowed: what the routes ask before they do anything.
//!
//! The decision itself is [`accounts::authorise`](crate::accounts::authorise); here is gathered
//! what it is made from: caller, package, organisation.

pub(crate) use crate::accounts::{Action, Caller};

use crate::accounts::caller::OneTime;
use crate::accounts::{PackageSettings, Readers, Subject, authorise as judge, unknown};
use crate::documents::{Change, Document};
use crate::failure::Failure;
use crate::http::Call;
use crate::packages::Hosted;
use crate::state::AppState;
use crate::time::timestamp;
use dx_pkg_core::PackageName;
use serde_json::Value;
use std::sync::Arc;
use std::time::SystemTime;

/// Finds out who sent a request, once.
pub(crate) async fn caller(call: &Call) -> Result<Caller, Failure> {
    let find = || call.state.accounts.caller(&call.headers, call.client, &call.base);
    call.caller.get_or_try_init(find).await.cloned()
}

/// Decides whether the sender of a request may do `action` with the package of this name. What
/// anybody may read costs no look at the sender, who is anybody then.
///
/// # Errors
/// 401 without a valid token where one is needed, 403 for a user who may not, 404 for a package
/// that the sender may not read.
pub(crate) async fn authorise(
    call: &Call,
    action: Action,
    name: &PackageName,
) -> Result<Caller, Failure> {
    if action == Action::Read {
        return authorise_reading(call, name).await.map(|(caller, _)| caller);
    }
    let caller = caller(call).await?;
    decide(&call.state, &caller, action, name).await?;
    Ok(caller)
}

/// Decides whether the sender of a request may read the package of this name; returns its document,
/// too, which was read for that.
///
/// # Errors
/// As [`authorise`].
pub(crate) async fn authorise_reading(
    call: &Call,
    name: &PackageName,
) -> Result<(Caller, Document<Hosted>), Failure> {
    let document = call.state.packages.read(name).await?;
    let hosted = document.value.as_deref();
    let is_open = call.state.accounts.settings.readers == Readers::Everyone;
    if is_open && !hosted.is_some_and(is_restricted) {
        return Ok((Caller::anybody(call.client), document));
    }
    let caller = caller(call).await?;
    decide_about(&call.state, &caller, Action::Read, (name, hosted)).await?;
    Ok((caller, document))
}

/// Decides whether `caller` may do `action` with the package of this name.
///
/// # Errors
/// As [`authorise`].
pub(crate) async fn decide(
    state: &AppState,
    caller: &Caller,
    action: Action,
    name: &PackageName,
) -> Result<(), Failure> {
    let hosted = state.packages.read(name).await?.value;
    decide_about(state, caller, action, (name, hosted.as_deref())).await
}

/// Decides whether `caller` may read the package of this name, whose document was read already.
///
/// # Errors
/// As [`authorise`].
pub(crate) async fn may_read(
    state: &AppState,
    caller: &Caller,
    name: &PackageName,
    hosted: Option<&Hosted>,
) -> Result<(), Failure> {
    let is_open = state.accounts.settings.readers == Readers::Everyone;
    if is_open && !hosted.is_some_and(is_restricted) {
        return Ok(());
    }
    decide_about(state, caller, Action::Read, (name, hosted)).await
}

/// Whether `caller` could do `action` with the package of this name, given a one-time password if
/// one is asked for. A question, which is not recorded.
pub(crate) async fn could(
    state: &AppState,
    caller: &Caller,
    action: Action,
    name: &PackageName,
) -> Result<bool, Failure> {
    let hosted = state.packages.read(name).await?.value;
    let caller = Caller { one_time: OneTime::Right, ..caller.clone() };
    Ok(judge_about(state, &caller, action, (name, hosted.as_deref())).await.is_ok())
}

/// Returns what names a user, who need not exist: packages as an owner, organisations as a member.
pub(crate) async fn named_by(state: &AppState, user: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for name in state.packages.names().await? {
        if owners(state, &name).await?.is_some_and(|owners| owners.iter().any(|own| own == user)) {
            found.push(name.to_string());
        }
    }
    for org in state.accounts.orgs().await? {
        let is_in_team = org.teams.values().any(|team| team.members.contains(user));
        if is_in_team || org.members.contains_key(user) {
            found.push(format!("the organisation {}", org.name));
        }
    }
    Ok(found)
}

/// Decides, and records what is refused.
async fn decide_about(
    state: &AppState,
    caller: &Caller,
    action: Action,
    (name, hosted): (&PackageName, Option<&Hosted>),
) -> Result<(), Failure> {
    let decided = judge_about(state, caller, action, (name, hosted)).await;
    if let Err(failure) = &decided
        && action != Action::Read
    {
        let what = format!("refused: {action:?} ({})", failure.status.as_u16());
        state.accounts.log.record(&what, caller.name(), name.as_str(), caller.address);
    }
    decided
}

async fn judge_about(
    state: &AppState,
    caller: &Caller,
    action: Action,
    (name, hosted): (&PackageName, Option<&Hosted>),
) -> Result<(), Failure> {
    let org = state.accounts.org_of(name.as_str()).await?;
    let settings = hosted.map(settings).unwrap_or_default();
    let owners: Option<Vec<&str>> = hosted.map(|hosted| {
        hosted.maintainers.iter().map(|maintainer| maintainer.name.as_str()).collect()
    });
    let subject = Subject {
        name: name.as_str(),
        owners: owners.as_deref(),
        settings: &settings,
        org: org.as_deref(),
    };
    judge(caller, action, &subject, state.accounts.settings.readers)
}

/// Whether not everybody who reaches the registry may read a package.
pub(crate) async fn is_private(state: &AppState, name: &PackageName) -> Result<bool, Failure> {
    let hosted = state.packages.read(name).await?.value;
    Ok(is_private_document(state, hosted.as_deref()))
}

/// Whether not everybody who reaches the registry may read a package with this document.
pub(crate) fn is_private_document(state: &AppState, hosted: Option<&Hosted>) -> bool {
    state.accounts.settings.readers == Readers::Users || hosted.is_some_and(is_restricted)
}

fn is_restricted(hosted: &Hosted) -> bool {
    hosted.access.as_deref() == Some("restricted")
}

/// Returns what a package's owners have decided about it.
pub(crate) fn settings(hosted: &Hosted) -> PackageSettings {
    let mut settings = if hosted.settings.is_empty() {
        PackageSettings::default()
    } else {
        // What cannot be read is treated as nothing, which only owners can change.
        serde_json::from_value(Value::Object(hosted.settings.clone())).unwrap_or_default()
    };
    settings.restricted = is_restricted(hosted);
    settings
}

/// Changes what a package's owners have decided, and returns what `change` does.
pub(crate) async fn change_settings<R>(
    state: &AppState,
    name: &PackageName,
    mut change: impl FnMut(&mut PackageSettings) -> Result<R, Failure>,
) -> Result<R, Failure> {
    change_hosted(state, name, |hosted| {
        let mut own = settings(hosted);
        let result = change(&mut own)?;
        let access = if own.restricted { "restricted" } else { "public" };
        hosted.access = Some(access.to_owned());
        own.restricted = false;
        if let Value::Object(fields) = serde_json::to_value(&own).map_err(Failure::internal)? {
            hosted.settings = fields;
        }
        Ok(result)
    })
    .await
}

/// Changes a package that is published here.
pub(crate) async fn change_hosted<R>(
    state: &AppState,
    name: &PackageName,
    mut change: impl FnMut(&mut Hosted) -> Result<R, Failure>,
) -> Result<R, Failure> {
    state
        .packages
        .change(name, |current| {
            let mut next = current.cloned().ok_or_else(|| unknown(name.as_str()))?;
            let result = change(&mut next)?;
            next.touch(&timestamp(SystemTime::now()));
            Ok(Change::To(next, result))
        })
        .await
}

/// Returns a package that is published here; one whose versions are all unpublished is not.
pub(crate) async fn hosted(state: &AppState, name: &PackageName) -> Result<Arc<Hosted>, Failure> {
    let found = state.packages.read(name).await?.value;
    found.filter(|hosted| hosted.is_there()).ok_or_else(|| unknown(name.as_str()))
}

/// Returns the names of a package's owners; `None` where it was never published here.
pub(crate) async fn owners(
    state: &AppState,
    name: &PackageName,
) -> Result<Option<Vec<String>>, Failure> {
    let found = state.packages.read(name).await?.value;
    let names = |hosted: &Hosted| {
        hosted.maintainers.iter().map(|maintainer| maintainer.name.clone()).collect()
    };
    Ok(found.as_deref().map(names))
}
