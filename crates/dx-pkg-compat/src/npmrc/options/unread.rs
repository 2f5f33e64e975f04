//! Settings that are given and that dx does not read: npm's that matter to an install, and those
//! that nobody knows. npm's settings for other commands are passed over.

use super::super::trust::Trust;
use super::super::value::RawValue;
use super::OptionInfo;
use crate::known::{Known, NPMRC, Treatment};

/// The settings of one registry, and what a project's file may do about them.
const OF_A_REGISTRY: [(&str, Trust); 10] = [
    ("_auth", Trust::Anyone),
    ("_authToken", Trust::Anyone),
    ("_authtoken", Trust::Anyone),
    ("_password", Trust::Anyone),
    ("cert", Trust::User),
    ("certfile", Trust::User),
    ("email", Trust::Anyone),
    ("key", Trust::User),
    ("keyfile", Trust::User),
    ("username", Trust::Anyone),
];

/// The settings of commands that only the user sets: a program that is run, and the answer to
/// every question.
pub(super) const OF_THE_USER: [&str; 2] = ["browser", "yes"];

/// Returns what a project's file may do about a setting that is in no row of the table.
pub(super) fn trust(key: &str) -> Trust {
    if OF_THE_USER.contains(&key) {
        return Trust::User;
    }
    let name = key.rsplit(':').next().unwrap_or(key);
    let known = OF_A_REGISTRY.iter().find(|(known, _)| *known == name);
    // Bound to no address, a file is not used in any case.
    let known = known.filter(|_| key.starts_with("//") || !name.ends_with("file"));
    known.map_or(Trust::Anyone, |(_, trust)| *trust)
}

/// Returns whether a key is one of the settings of a registry.
pub(super) fn is_of_a_registry(key: &str) -> bool {
    OF_A_REGISTRY.iter().any(|(known, _)| *known == key)
}

/// Returns whether a setting counts for nothing, although npm might heed it. In the environment
/// (`in_file` is false) other programs leave settings of their own.
pub(in super::super) fn is_unread(key: &str, value: &RawValue, in_file: bool) -> bool {
    let row = Known::find(NPMRC, key);
    if row.is_some_and(|row| matches!(row.treatment, Treatment::Named(_))) {
        return !matches!(value, RawValue::Null | RawValue::Bool(false));
    }
    let name = key.rsplit(':').next().unwrap_or(key);
    let is_known = OptionInfo::find(name).is_some()
        || OF_A_REGISTRY.iter().any(|(known, _)| *known == name)
        || Known::find(NPMRC, name).is_some()
        || Known::of_pnpm(&small_and_capital(name))
            .is_some_and(|row| row.treatment == Treatment::Idle);
    in_file && !is_known
}

/// Returns a name with `-` before small letters as pnpm's own file has it: `store-dir` as
/// `storeDir`.
fn small_and_capital(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (place, part) in key.split('-').enumerate() {
        let mut letters = part.chars();
        if let Some(first) = letters.next().filter(|_| place > 0) {
            name.push(first.to_ascii_uppercase());
            name.push_str(letters.as_str());
        } else {
            name.push_str(part);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_might_matter_is_unread() {
        for key in [
            "registry",
            "@s:registry",
            "//host.example/:_authToken",
            "//host.example/:certfile",
            "email",
            "save-exact",
            "init-author-name",
            "init.author.name",
            "color",
            "audit-level",
            "provenance",
            "prefix",
            "node-linker",
        ] {
            assert!(!is_unread(key, &RawValue::Bool(true), true), "{key}");
        }
        for key in
            ["save-dev", "umask", "shamefully-hoist", "regisrty", "//host.example/:always-auth"]
        {
            assert!(is_unread(key, &RawValue::Bool(true), true), "{key}");
        }
        assert!(!is_unread("save-dev", &RawValue::Bool(false), true));
        assert!(is_unread("save-dev", &RawValue::Bool(true), false));
        assert!(!is_unread("npm-version", &RawValue::Bool(true), false));
    }
}
