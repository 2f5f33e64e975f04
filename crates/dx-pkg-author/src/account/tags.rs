//! Dist-tags of a package.

use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};

use super::{Account, Named, Said, usage_error};
use crate::AuthorError;
use crate::publish::check_tag;
use crate::registry::{Registry, escaped};
use dx_pkg_compat::hosted::percent;

const USAGE: &str = "dx dist-tag [ls] [PACKAGE] | add PACKAGE@VERSION [TAG] | rm PACKAGE TAG";

/// Lists, sets or removes dist-tags, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn tags(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let word = |place: usize| words.get(place).map(String::as_str);
    match word(0) {
        Some("add" | "a" | "set" | "s") => add(account, word(1), word(2)),
        Some("rm" | "r" | "del" | "d" | "remove") => remove(account, word(1), word(2)),
        Some("ls" | "l" | "sl" | "list") => list(account, word(1)),
        _ if words.len() > 1 => {
            Err(usage_error(format!("dx dist-tag has no action {:?}", words[0]), USAGE))
        }
        name => list(account, name),
    }
}

fn path(name: &str) -> String {
    format!("-/package/{}/dist-tags", escaped(name))
}

fn fetch(registry: &Registry<'_>, name: &str) -> Result<Map<String, Value>, AuthorError> {
    let tags = registry.get(&path(name))?;
    let mut tags = tags.as_object().cloned().unwrap_or_default();
    tags.shift_remove("_etag");
    if tags.is_empty() {
        return Err(usage_error(format!("{name} has no dist-tags"), USAGE));
    }
    Ok(tags)
}

fn list(account: &Account<'_>, word: Option<&str>) -> Result<Said, AuthorError> {
    let name = match word {
        Some(word) if !word.is_empty() => Named::read(word)?.name,
        _ => account.own_name(USAGE)?,
    };
    let tags = fetch(&account.registry(Some(&name))?, &name)?;
    let text = |(tag, version): (&String, &Value)| {
        format!("{tag}: {}", version.as_str().unwrap_or_default())
    };
    let mut lines: Vec<String> = tags.iter().map(text).collect();
    lines.sort();
    Ok(Said::new(lines.join("\n"), tags))
}

fn add(account: &Account<'_>, word: Option<&str>, tag: Option<&str>) -> Result<Said, AuthorError> {
    let missing = || usage_error("a package with its version is needed", USAGE);
    let Named { name, raw: version, .. } = Named::read(word.ok_or_else(missing)?)?;
    if version == "*" {
        return Err(missing());
    }
    let usual = account.config().tag()?;
    let tag = tag.unwrap_or(&usual).trim().to_owned();
    check_tag(&tag)?;
    let registry = account.registry(Some(&name))?;
    let json = json!({ "package": name, "tag": tag, "version": version });
    // A package without tags gets its first one.
    let known = registry.find(&path(&name))?.unwrap_or_default();
    if known.get(&tag).and_then(Value::as_str) == Some(&version) {
        account.told.warning(&format!("the tag {tag} is set to {version} already"));
        return Ok(Said::new("", json));
    }
    let place = format!("{}/{}", path(&name), percent(&tag));
    registry.change(&Method::PUT, &place, Some(&version.as_str().into()))?;
    Ok(Said::new(format!("+{tag}: {name}@{version}"), json))
}

fn remove(
    account: &Account<'_>,
    word: Option<&str>,
    tag: Option<&str>,
) -> Result<Said, AuthorError> {
    let missing = || usage_error("a package and a tag are needed", USAGE);
    let Named { name, .. } = Named::read(word.ok_or_else(missing)?)?;
    let tag = tag.ok_or_else(missing)?;
    let registry = account.registry(Some(&name))?;
    let known = fetch(&registry, &name)?;
    let Some(version) = known.get(tag).and_then(Value::as_str) else {
        return Err(usage_error(format!("{tag} is no dist-tag of {name}"), USAGE));
    };
    registry.change(&Method::DELETE, &format!("{}/{}", path(&name), percent(tag)), None)?;
    let json = json!({ "package": name, "tag": tag, "version": version });
    Ok(Said::new(format!("-{tag}: {name}@{version}"), json))
}
