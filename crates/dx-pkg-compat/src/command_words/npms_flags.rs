//! npm's flags that dx knows only in order to pass them over.

use crate::known::{Known, NPMRC};
use crate::npmrc::definitions::Definition;
use crate::npmrc::{FlagValue, OptionInfo, find_flag};

/// A flag of npm's that has no effect on a command of dx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NpmFlag {
    /// Whether it has a value.
    pub takes_value: bool,
    /// Whether nobody would expect an effect on what is done.
    pub is_harmless: bool,
}

/// npm's settings with a value, among those that dx does not read.
const WITH_VALUE: [&str; 57] = [
    "_auth",
    "access",
    "audit-level",
    "auth-type",
    "browser",
    "cache-max",
    "cache-min",
    "call",
    "cert",
    "cidr",
    "depth",
    "diff",
    "diff-dst-prefix",
    "diff-src-prefix",
    "diff-unified",
    "edit-dir",
    "expect-result-count",
    "expires",
    "git",
    "global-ignore-file",
    "globalconfig",
    "heading",
    "init-author-email",
    "init-author-name",
    "init-author-url",
    "init-license",
    "init-module",
    "init-type",
    "init-version",
    "key",
    "logs-dir",
    "logs-max",
    "message",
    "name",
    "orgs",
    "orgs-permission",
    "otp",
    "pack-destination",
    "package",
    "packages",
    "packages-and-scopes-permission",
    "password",
    "patches-dir",
    "preid",
    "provenance-file",
    "sbom-format",
    "sbom-type",
    "scope",
    "scopes",
    "searchexclude",
    "searchlimit",
    "searchopts",
    "searchstaleness",
    "shell",
    "tag-version-prefix",
    "userconfig",
    "viewer",
];

/// Those without any influence on what a command does, only on how it looks or logs.
const HARMLESS: [&str; 13] = [
    "color",
    "commit-hooks",
    "description",
    "heading",
    "logs-dir",
    "logs-max",
    "long",
    "parseable",
    "unicode",
    "update-notifier",
    "usage",
    "viewer",
    "yes",
];

/// npm's short flags and abbreviations, apart from those that mean other things elsewhere, each
/// with the setting.
const SHORT: [(&str, &str); 14] = [
    ("-a", "all"),
    ("-c", "call"),
    ("-l", "long"),
    ("-m", "message"),
    ("-n", "yes"),
    ("-q", "usage"),
    ("-y", "yes"),
    ("-dd", "usage"),
    ("-ddd", "usage"),
    ("--desc", "description"),
    ("--porcelain", "parseable"),
    ("--quiet", "usage"),
    ("--readonly", "read-only"),
    ("--local", "usage"),
];

/// npm's settings that limit what a command does, or say where it does it: a command that does not
/// know them must not go on as if they were not there.
const LIMITS: [&str; 10] = [
    "dry-run",
    "global",
    "ignore-scripts",
    "include-workspace-root",
    "location",
    "offline",
    "package-lock-only",
    "save",
    "workspace",
    "workspaces",
];

/// Returns what is known of a flag that a command of dx does not have, written with its dashes and
/// without a value; `None` of one that npm does not have, or that limits what a command does.
#[must_use]
pub fn npms_flag(flag: &str) -> Option<NpmFlag> {
    let short = SHORT.iter().find(|(known, _)| *known == flag).map(|(_, setting)| *setting);
    let written = flag.strip_prefix("--");
    let setting = short.or_else(|| {
        let name = written?;
        Known::find(NPMRC, name).map(|row| row.key).or_else(|| {
            let denied = name.strip_prefix("no-")?;
            Known::find(NPMRC, denied).map(|row| row.key)
        })
    });
    let Some(setting) = setting else { return shared_flag(flag) };
    let is_denied = written.is_some_and(|name| name != setting && name.starts_with("no-"));
    Some(NpmFlag {
        takes_value: !is_denied && WITH_VALUE.contains(&setting),
        is_harmless: HARMLESS.contains(&setting),
    })
}

/// Returns what is known of a flag that other commands of dx have.
fn shared_flag(flag: &str) -> Option<NpmFlag> {
    let name = flag.strip_prefix("--")?;
    let (option, takes_value) = match find_flag(flag) {
        Some((option, found)) => (option, matches!(found.value, FlagValue::Argument(_))),
        None => match OptionInfo::find(name) {
            Some(option) => (option, !option.is_switch),
            None => (OptionInfo::find(name.strip_prefix("no-")?)?, false),
        },
    };
    let is_npms = Definition::find(option.key).is_some() && !LIMITS.contains(&option.key);
    is_npms.then_some(NpmFlag { takes_value, is_harmless: false })
}

/// Returns whether a word such as `-save-dev` or `-no-save` is the name of one of npm's settings,
/// not letters.
#[must_use]
pub fn is_setting_behind_one_dash(word: &str) -> bool {
    let Some(name) = word.strip_prefix('-').and_then(|rest| rest.split('=').next()) else {
        return false;
    };
    let name = name.strip_prefix("no-").unwrap_or(name);
    name.len() > 2 && Definition::find(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_behind_one_dash_are_no_letters() {
        for word in ["-save-dev", "-json", "-no-save", "-registry=x", "-depth=0"] {
            assert!(is_setting_behind_one_dash(word), "{word}");
        }
        for word in ["-D", "-ws", "-dd", "--json", "-", "json", "-gf", "-another"] {
            assert!(!is_setting_behind_one_dash(word), "{word}");
        }
    }

    #[test]
    fn flags_of_npm_are_known_with_their_values() {
        let flag = |takes_value, is_harmless| Some(NpmFlag { takes_value, is_harmless });
        for (text, expected) in [
            ("--expires", flag(true, false)),
            ("--if-present", flag(false, false)),
            ("--color", flag(false, true)),
            ("-y", flag(false, true)),
            ("--desc", flag(false, true)),
            ("--registry", flag(true, false)),
            ("--omit", flag(true, false)),
            ("--save-exact", flag(false, false)),
            ("--no-bin-links", flag(false, false)),
            ("--dry-run", None),
            ("--workspaces", None),
            ("--frozen-lockfile", None),
            ("--another", None),
            ("--no-another", None),
            ("-d", None),
            ("-p", None),
            ("-Z", None),
            ("expires", None),
        ] {
            assert_eq!(npms_flag(text), expected, "{text}");
        }
    }
}
