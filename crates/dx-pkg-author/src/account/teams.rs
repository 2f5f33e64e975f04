//! Organisations, their teams and members.

use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};

use super::access::split;
use super::{Account, Said, usage_error};
use crate::AuthorError;
use dx_pkg_compat::hosted::percent;

const TEAM_USAGE: &str = "dx team create SCOPE:TEAM | destroy SCOPE:TEAM | add SCOPE:TEAM USER | \
                          rm SCOPE:TEAM USER | ls SCOPE | ls SCOPE:TEAM";
const ORG_USAGE: &str = "dx org set ORG USER [developer|admin|owner] | rm ORG USER | ls ORG [USER]";

/// Shows or changes teams, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn teams(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let word = |place: usize| words.get(place).map(String::as_str).unwrap_or_default();
    let entity = word(1).strip_prefix('@').unwrap_or(word(1));
    let (scope, team) = split(entity);
    let registry = account.registry(None)?;
    let usage = |message: &str| usage_error(message, TEAM_USAGE);
    let named = || team.ok_or_else(|| usage("a team is needed, as SCOPE:TEAM"));
    let at = |team: &str, end: &str| format!("-/team/{}/{}{end}", percent(scope), percent(team));
    let done = |verb: &str, text: String, user: Option<&str>| {
        let mut json = json!({ verb: true, "team": entity });
        let mut parts = vec![entity, verb];
        if let Some(user) = user {
            json["user"] = user.into();
            parts.insert(0, user);
        }
        let text = if account.is_parseable { parts.join("\t") } else { text };
        Said::new(text, json)
    };
    match word(0) {
        "create" => {
            let path = format!("-/org/{}/team", percent(scope));
            registry.change(&Method::PUT, &path, Some(&json!({ "name": named()? })))?;
            Ok(done("created", format!("+@{entity}"), None))
        }
        "destroy" => {
            registry.change(&Method::DELETE, &at(named()?, ""), None)?;
            Ok(done("deleted", format!("-@{entity}"), None))
        }
        action @ ("add" | "rm") => {
            let user = Some(word(2)).filter(|user| !user.is_empty());
            let user = user.ok_or_else(|| usage("a user is needed"))?;
            let adds = action == "add";
            let method = if adds { Method::PUT } else { Method::DELETE };
            registry.change(&method, &at(named()?, "/user"), Some(&json!({ "user": user })))?;
            let (verb, what) =
                if adds { ("added", "added to") } else { ("removed", "removed from") };
            Ok(done(verb, format!("{user} {what} @{entity}"), Some(user)))
        }
        "ls" if scope.is_empty() => Err(usage("a scope, or a team of it, is needed")),
        "ls" => {
            let path = match team {
                Some(team) => at(team, "/user?format=cli"),
                None => format!("-/org/{}/team?format=cli", percent(scope)),
            };
            let found = registry.get(&path)?;
            let found = found.as_array().into_iter().flatten();
            let mut names: Vec<String> =
                found.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
            names.sort();
            let (kind, sign) = if team.is_some() { ("user", "") } else { ("team", "@") };
            let (end, colon) = match names.len() {
                0 => ("s", ""),
                1 => ("", ":"),
                _ => ("s", ":"),
            };
            let head = format!("@{entity} has {} {kind}{end}{colon}", names.len());
            let lines = names.iter().map(|name| format!("{sign}{name}"));
            let text: Vec<String> = std::iter::once(head).chain(lines).collect();
            let text = if account.is_parseable { names.join("\n") } else { text.join("\n") };
            Ok(Said::new(text, names))
        }
        _ => Err(usage("dx team does not understand this")),
    }
}

/// Shows or changes the members of an organisation, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn orgs(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let word = |place: usize| words.get(place).map(String::as_str).filter(|word| !word.is_empty());
    let usage = |message: &str| usage_error(message, ORG_USAGE);
    let bare = |word: &'_ str| word.strip_prefix('@').unwrap_or(word).to_owned();
    let org = || word(1).map(bare).ok_or_else(|| usage("an organisation is needed"));
    let user = || word(2).map(bare).ok_or_else(|| usage("a user is needed"));
    let registry = account.registry(None)?;
    let path = |org: &str| format!("-/org/{}/user", percent(org));
    match word(0) {
        Some("set" | "add") => {
            let (org, user, role) = (org()?, user()?, word(3).unwrap_or("developer"));
            if !["owner", "admin", "developer"].contains(&role) {
                return Err(usage("a role is owner, admin or developer"));
            }
            let body = json!({ "user": user, "role": role });
            let found = registry.change(&Method::PUT, &path(&org), Some(&body))?.json();
            let text = |value: &Value| crate::node_text::as_text(value);
            let (name, size) = (text(&found["org"]["name"]), text(&found["org"]["size"]));
            let (user, role) = (text(&found["user"]), text(&found["role"]));
            let text = if account.is_parseable {
                format!("org\torgsize\tuser\trole\n{name}\t{size}\t{user}\t{role}")
            } else {
                let end = if size == "1" { "" } else { "s" };
                format!(
                    "Added {user} as {role} to {name}. You now have {size} member{end} in this org."
                )
            };
            Ok(Said::new(text, found))
        }
        Some("rm") => {
            let (org, user) = (org()?, user()?);
            registry.change(&Method::DELETE, &path(&org), Some(&json!({ "user": user })))?;
            let left = registry.get(&path(&org))?.as_object().map_or(0, Map::len);
            let user = user.strip_prefix('~').unwrap_or(&user);
            let json = json!({ "user": user, "org": org, "userCount": left, "deleted": true });
            let text = if account.is_parseable {
                format!("user\torg\tuserCount\tdeleted\n{user}\t{org}\t{left}\ttrue")
            } else {
                let end = if left == 1 { "" } else { "s" };
                format!(
                    "Successfully removed {user} from {org}. You now have {left} member{end} in this org."
                )
            };
            Ok(Said::new(text, json))
        }
        Some("ls") => {
            let found = registry.get(&path(&org()?))?;
            let mut roster = found.as_object().cloned().unwrap_or_default();
            if let Some(only) = word(2) {
                roster.retain(|user, _| user == only);
            }
            let role = |user: &str| crate::node_text::as_text(&roster[user]);
            let mut users: Vec<&str> = roster.keys().map(String::as_str).collect();
            let text = if account.is_parseable {
                let lines = users.iter().map(|user| format!("\n{user}\t{}", role(user)));
                format!("user\trole{}", lines.collect::<String>())
            } else {
                users.sort_unstable();
                let lines = users.iter().map(|user| format!("{user} - {}", role(user)));
                lines.collect::<Vec<_>>().join("\n")
            };
            Ok(Said::new(text, roster))
        }
        _ => Err(usage("dx org does not understand this")),
    }
}
