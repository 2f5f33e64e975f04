//! Staged publications: those that wait for somebody to approve them.

use dx_pkg_acquire::AcquireError;
use dx_pkg_fetch::Method;
use dx_pkg_os::files::{Durability, create_atomic};
use serde_json::{Map, Value, json};

use super::{Account, Named, Said, usage_error};
use crate::node_text::as_text;
use crate::registry::Sent;
use crate::source::manifest_in;
use crate::{AuthorError, Tarball};

const USAGE: &str = "dx stage publish [PACKAGE] | list [PACKAGE] | view ID | approve ID | \
                     reject ID | download ID";
/// The publications of one answer, and the most answers that are read.
const PAGE: usize = 100;
const MOST_PAGES: usize = 1_000;

/// Shows or decides on staged publications, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn stage(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let word = |place: usize| words.get(place).map(String::as_str);
    let registry = account.registry(None)?;
    match word(0) {
        Some("list" | "ls") => list(account, word(1)),
        Some("view") => {
            let found = registry.get(&format!("-/stage/{}", id(word(1))?))?;
            Ok(Said::new(shown(&found), found))
        }
        Some("approve") => {
            let id = id(word(1))?;
            account.told.notice(&format!("Approving staged package {id}"));
            registry.change(&Method::POST, &format!("-/stage/{id}/approve"), None)?;
            let text = format!("Staged package {id} approved and published successfully.");
            Ok(Said::new(text, json!({ "id": id, "approved": true })))
        }
        Some("reject") => {
            let id = id(word(1))?;
            account.told.notice(&format!("Rejecting staged package {id}"));
            account
                .told
                .warning("the registry deletes what is rejected, and its tarball, for good");
            registry.change(&Method::DELETE, &format!("-/stage/{id}"), None)?;
            let text = format!("Staged package {id} has been rejected.");
            Ok(Said::new(text, json!({ "id": id, "rejected": true })))
        }
        Some("download") => download(account, id(word(1))?),
        _ => Err(usage_error("dx stage does not understand this", USAGE)),
    }
}

/// Returns the id that a word is.
fn id(word: Option<&str>) -> Result<&str, AuthorError> {
    let word = word.ok_or_else(|| usage_error("the id of a staged package is needed", USAGE))?;
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    let is_id =
        lengths == [8, 4, 4, 4, 12] && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_id {
        Ok(word)
    } else {
        Err(usage_error(format!("{word:?} is no id of a staged package"), USAGE))
    }
}

fn list(account: &Account<'_>, word: Option<&str>) -> Result<Said, AuthorError> {
    let name = match word.map(Named::read).transpose()? {
        Some(named) if !named.is_whole() => {
            return Err(usage_error("a package is named without a version here", USAGE));
        }
        named => named.map(|named| named.name),
    };
    let registry = account.registry(None)?;
    let mut items: Vec<Value> = Vec::new();
    for page in 0..MOST_PAGES {
        let mut path = format!("-/stage?page={page}&perPage={PAGE}");
        if let Some(name) = &name {
            path.push_str(&format!("&package={}", dx_pkg_compat::hosted::percent(name)));
        }
        let found = registry.get(&path)?;
        let more = found.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let total = found.get("total").and_then(Value::as_u64).unwrap_or_default();
        let is_last = more.len() < PAGE;
        items.extend(more);
        if is_last || items.len() as u64 >= total {
            break;
        }
    }
    let text = match (items.is_empty(), &name) {
        (true, Some(name)) => format!("No staged versions of package name \"{name}\"."),
        (true, None) => "No staged packages found.".to_owned(),
        (false, _) => items.iter().map(shown).collect::<Vec<_>>().join("\n\n"),
    };
    Ok(Said::new(text, items))
}

/// Returns a staged publication for people.
fn shown(item: &Value) -> String {
    let text = |key: &str| item.get(key).filter(|value| !value.is_null()).map(as_text);
    let by = text("actor").map(|actor| match text("actorType") {
        Some(kind) if !kind.is_empty() => format!("{actor} ({kind})"),
        _ => actor,
    });
    let named = [
        ("id", text("id")),
        ("package name", text("packageName")),
        ("version", text("version")),
        ("status", text("status")),
        ("tag", text("tag")),
        ("date staged", text("createdAt")),
        ("staged by", by),
        ("shasum", text("shasum")),
    ];
    const KNOWN: [&str; 9] = [
        "id",
        "packageName",
        "version",
        "tag",
        "createdAt",
        "actor",
        "actorType",
        "shasum",
        "status",
    ];
    let rest = item.as_object().into_iter().flatten();
    let rest = rest.filter(|(key, value)| !KNOWN.contains(&key.as_str()) && !value.is_null());
    let mut lines: Vec<String> =
        named.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?))).collect();
    lines.extend(rest.map(|(key, value)| format!("{key}: {}", as_text(value))));
    lines.join("\n")
}

fn download(account: &Account<'_>, id: &str) -> Result<Said, AuthorError> {
    account.told.notice(&format!("Downloading staged package {id}"));
    let registry = account.registry(None)?;
    let path = format!("-/stage/{id}/tarball");
    let bytes = registry.send(&Method::GET, &path, None, &Sent::default())?.body.to_vec();
    let manifest = manifest_in(&bytes, id)?;
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
    let (Some(name), Some(version)) = (text("name"), text("version")) else {
        return Err(AuthorError::Unnamed { folder: format!("staged package {id}") });
    };
    let tarball = Tarball::read(name, version, bytes)?;
    let file = tarball.file_name();
    let file = format!("{}-{id}.tgz", file.strip_suffix(".tgz").unwrap_or(&file));
    let place = account.environment.folder.join(&file);
    create_atomic(&place, &tarball.bytes, Durability::Rename)
        .map_err(|error| AcquireError::io(format!("writing {}", place.display()), error))?;
    account.told.notice(&tarball.text());
    let json = Map::from_iter([(tarball.name.clone(), tarball.json())]);
    Ok(Said::new(file, json))
}
