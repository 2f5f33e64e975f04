//! Organisations and teams.

use crate::access::{self, caller};
use crate::accounts::org::{Grant, Org, Role, Team};
use crate::accounts::user::check_name;
use crate::accounts::{Action, Login};
use crate::failure::Failure;
use crate::http::answer::{json, ok};
use crate::http::{Call, Routes};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/org/{org}/user", members);
    routes.on(Method::PUT, "/-/org/{org}/user", set_member);
    routes.on(Method::DELETE, "/-/org/{org}/user", remove_member);
    routes.on(Method::GET, "/-/org/{org}/team", teams);
    routes.on(Method::PUT, "/-/org/{org}/team", create_team);
    routes.on(Method::DELETE, "/-/team/{org}/{team}", remove_team);
    routes.on(Method::GET, "/-/team/{org}/{team}/user", team_members);
    routes.on(Method::PUT, "/-/team/{org}/{team}/user", add_to_team);
    routes.on(Method::DELETE, "/-/team/{org}/{team}/user", remove_from_team);
    routes.on(Method::GET, "/-/team/{org}/{team}/package", team_packages);
    routes.on(Method::PUT, "/-/team/{org}/{team}/package", grant);
    routes.on(Method::DELETE, "/-/team/{org}/{team}/package", revoke);
}

/// Returns the name of the organisation in the path.
fn org_name(call: &Call) -> &str {
    let name = call.part("org");
    name.strip_prefix('@').unwrap_or(name)
}

fn no_org(name: &str) -> Failure {
    Failure::not_found(format!("there is no organisation {name} that you can see"))
}

/// Returns the organisation in the path, for a caller who may see it: its members do.
async fn seen(call: &Call) -> Result<Arc<Org>, Failure> {
    let caller = caller(call).await?;
    let login = caller.login()?;
    let name = org_name(call);
    let org = call.state.accounts.org(name).await?.ok_or_else(|| no_org(name))?;
    let user = &login.user.name;
    let in_team = || org.teams.values().any(|team| team.members.contains(user));
    if login.user.admin || org.members.contains_key(user) || in_team() {
        return Ok(org);
    }
    Err(no_org(name))
}

/// Returns the login of a caller whose token may change this organisation.
async fn changing(call: &Call) -> Result<Login, Failure> {
    let caller = caller(call).await?;
    let login = caller.login()?;
    let name = org_name(call);
    if login.token.as_ref().is_some_and(|token| !token.may_change_org(name)) {
        return Err(Failure::forbidden(format!(
            "this token may not change the organisation {name}"
        )));
    }
    let writes = |mode| mode == crate::accounts::one_time::Mode::AuthAndWrites;
    if login.user.active_second_factor().is_some_and(|factor| writes(factor.mode)) {
        caller.one_time_password()?;
    }
    Ok(login.clone())
}

/// Changes the organisation in the path by somebody who manages it.
async fn change<R>(
    call: &Call,
    action: &str,
    subject: &str,
    mut change: impl FnMut(&mut Org) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let login = changing(call).await?;
    let (name, user) = (org_name(call), login.user.name.as_str());
    let may_found = may_found(call, &login).await?;
    let result = call
        .state
        .accounts
        .change_org(name, |found| {
            let mut org = match found {
                Some(org) => org,
                None if may_found => {
                    check_name(name)?;
                    Org::new(name, user)
                }
                None => return Err(no_org(name)),
            };
            if !login.user.admin && !org.is_managed_by(user) {
                return Err(Failure::forbidden(format!(
                    "only owners and administrators of the organisation {name} change it"
                )));
            }
            let result = change(&mut org)?;
            Ok((org, result))
        })
        .await?;
    call.state.accounts.log.record(action, user, &format!("{name} {subject}"), call.client);
    Ok(result)
}

/// Whether the user may found the organisation: an administrator, or, unless that is configured
/// otherwise, anybody where nobody else owns a package of its scope.
async fn may_found(call: &Call, login: &Login) -> Result<bool, Failure> {
    if login.user.admin {
        return Ok(true);
    }
    if !call.state.accounts.settings.founding {
        return Ok(false);
    }
    let scope = format!("@{}/", org_name(call));
    for name in call.state.packages.names().await? {
        if name.as_str().starts_with(&scope) {
            let owners = access::owners(&call.state, &name).await?.unwrap_or_default();
            if !owners.contains(&login.user.name) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Answers with the members and their roles.
async fn members(call: Call) -> Result<Response, Failure> {
    Ok(ok(&seen(&call).await?.members))
}

#[derive(Deserialize)]
struct Member {
    user: String,
    #[serde(default)]
    role: Option<Role>,
}

async fn set_member(mut call: Call) -> Result<Response, Failure> {
    let member: Member = call.json().await?;
    call.state.accounts.existing_user(&member.user).await?;
    let role = member.role.unwrap_or(Role::Developer);
    let size = change(&call, "set member", &member.user, |org| {
        let is_owner = org.members.get(&member.user) == Some(&Role::Owner);
        if is_owner && role != Role::Owner && org.owners() == 1 {
            return Err(last_owner(&org.name));
        }
        org.members.insert(member.user.clone(), role);
        Ok(org.members.len())
    })
    .await?;
    let org = json!({ "name": org_name(&call), "size": size });
    Ok(ok(&json!({ "org": org, "user": member.user, "role": role })))
}

fn last_owner(org: &str) -> Failure {
    Failure::bad_request(format!("the organisation {org} needs an owner: add another one first"))
}

async fn remove_member(mut call: Call) -> Result<Response, Failure> {
    let member: Member = call.json().await?;
    change(&call, "remove member", &member.user, |org| {
        if !org.members.contains_key(&member.user) {
            let text = format!("{} is no member of {}", member.user, org.name);
            return Err(Failure::not_found(text));
        }
        if org.members.get(&member.user) == Some(&Role::Owner) && org.owners() == 1 {
            return Err(last_owner(&org.name));
        }
        org.remove_member(&member.user);
        Ok(())
    })
    .await?;
    Ok(ok(&json!({})))
}

/// Answers with the teams: for npm, which asks for `format=cli`, as `org:team`; else each as an
/// object.
async fn teams(call: Call) -> Result<Response, Failure> {
    let org = seen(&call).await?;
    if !is_for_npm(&call) {
        let teams = org.teams.iter();
        let teams =
            teams.map(|(name, team)| json!({ "name": name, "description": team.description }));
        return Ok(ok(&teams.collect::<Vec<_>>()));
    }
    let names: Vec<String> = org.teams.keys().map(|team| format!("{}:{team}", org.name)).collect();
    Ok(ok(&names))
}

#[derive(Deserialize)]
struct NewTeam {
    name: String,
    #[serde(default)]
    description: Option<String>,
}

async fn create_team(mut call: Call) -> Result<Response, Failure> {
    let new: NewTeam = call.json().await?;
    check_name(&new.name)?;
    let description = new.description.unwrap_or_default();
    change(&call, "create team", &new.name, |org| {
        if org.teams.contains_key(&new.name) {
            let text = format!("there is a team {} in {} already", new.name, org.name);
            return Err(Failure::conflict(text));
        }
        let team = Team { description: description.clone(), ..Team::default() };
        org.teams.insert(new.name.clone(), team);
        Ok(())
    })
    .await?;
    Ok(json(StatusCode::CREATED, &json!({ "name": new.name })))
}

fn no_team(name: &str) -> Failure {
    Failure::not_found(format!("there is no team {name} in this organisation"))
}

async fn remove_team(call: Call) -> Result<Response, Failure> {
    let team = call.part("team");
    change(&call, "remove team", team, |org| {
        org.teams.remove(team).map(|_| ()).ok_or_else(|| no_team(team))
    })
    .await?;
    Ok(ok(&json!({})))
}

/// Answers with the members of a team: for npm as names, else each as an object.
async fn team_members(call: Call) -> Result<Response, Failure> {
    let org = seen(&call).await?;
    let team = call.part("team");
    let team = org.teams.get(team).ok_or_else(|| no_team(team))?;
    if !is_for_npm(&call) {
        let members = team.members.iter().map(|user| json!({ "name": user }));
        return Ok(ok(&members.collect::<Vec<_>>()));
    }
    Ok(ok(&team.members))
}

/// Whether the answer is wanted in the form of npm's own command line.
fn is_for_npm(call: &Call) -> bool {
    call.query("format").is_some_and(|format| format == "cli")
}

async fn add_to_team(mut call: Call) -> Result<Response, Failure> {
    let Member { user, .. } = call.json().await?;
    call.state.accounts.existing_user(&user).await?;
    let name = call.part("team");
    change(&call, "add to team", &format!("{name} {user}"), |org| {
        let team = org.teams.get_mut(name).ok_or_else(|| no_team(name))?;
        team.members.insert(user.clone());
        Ok(())
    })
    .await?;
    Ok(json(StatusCode::CREATED, &json!({})))
}

async fn remove_from_team(mut call: Call) -> Result<Response, Failure> {
    let Member { user, .. } = call.json().await?;
    let name = call.part("team");
    change(&call, "remove from team", &format!("{name} {user}"), |org| {
        let team = org.teams.get_mut(name).ok_or_else(|| no_team(name))?;
        if team.members.remove(&user) {
            return Ok(());
        }
        Err(Failure::not_found(format!("{user} is not in the team {name}")))
    })
    .await?;
    Ok(ok(&json!({})))
}

/// Answers with the team's packages, each with `read` or `write`.
async fn team_packages(call: Call) -> Result<Response, Failure> {
    let org = seen(&call).await?;
    let team = call.part("team");
    let team = org.teams.get(team).ok_or_else(|| no_team(team))?;
    let packages: serde_json::Map<String, Value> =
        team.packages.iter().map(|(name, grant)| (name.clone(), json!(word(*grant)))).collect();
    Ok(ok(&packages))
}

/// Returns npm's word for what a team may do.
pub(super) fn word(grant: Grant) -> &'static str {
    match grant {
        Grant::ReadOnly => "read",
        Grant::ReadWrite => "write",
    }
}

#[derive(Deserialize)]
struct Granted {
    package: String,
    #[serde(default)]
    permissions: Option<Grant>,
}

impl Granted {
    /// Returns the package's name, for a caller who may decide about it.
    async fn name(&self, call: &Call) -> Result<PackageName, Failure> {
        let name = PackageName::parse(&self.package)
            .map_err(|error| Failure::bad_request(error.to_string()))?;
        if name.scope().map(|scope| scope.trim_start_matches('@')) != Some(org_name(call)) {
            let text = format!("{name} is not in the scope @{}", org_name(call));
            return Err(Failure::bad_request(text));
        }
        if access::owners(&call.state, &name).await?.is_none() {
            return Err(Failure::not_found(format!("{name} was not published here")));
        }
        access::authorise(call, Action::ChangeAccess, &name).await?;
        Ok(name)
    }
}

async fn grant(mut call: Call) -> Result<Response, Failure> {
    let body: Granted = call.json().await?;
    let name = body.name(&call).await?;
    let grant = body.permissions.unwrap_or(Grant::ReadOnly);
    let team = call.part("team");
    change(&call, "grant", &format!("{team} {name}"), |org| {
        let found = org.teams.get_mut(team).ok_or_else(|| no_team(team))?;
        found.packages.insert(name.to_string(), grant);
        Ok(())
    })
    .await?;
    Ok(json(StatusCode::CREATED, &json!({})))
}

async fn revoke(mut call: Call) -> Result<Response, Failure> {
    let body: Granted = call.json().await?;
    let name = body.name(&call).await?;
    let team = call.part("team");
    change(&call, "revoke", &format!("{team} {name}"), |org| {
        let found = org.teams.get_mut(team).ok_or_else(|| no_team(team))?;
        if found.packages.remove(name.as_str()).is_some() {
            return Ok(());
        }
        Err(Failure::not_found(format!("the team {team} has no access to {name} of its own")))
    })
    .await?;
    Ok(ok(&json!({})))
}
