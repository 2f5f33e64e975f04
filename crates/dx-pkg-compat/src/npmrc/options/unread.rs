//! Settings that are given and that dx does not read: npm's that matter to an install, and those
//! that nobody knows. npm's settings for other commands are passed over.

use super::super::trust::Trust;
use super::super::value::RawValue;
use super::OptionInfo;
use super::words::is_idle;

/// npm's settings that an install or a script would heed, and dx does not.
const NOT_CARRIED_OUT: [&str; 12] = [
    "if-present",
    "ignore-patch-failures",
    "include-workspace-root",
    "json",
    "patches-dir",
    "save-bundle",
    "save-dev",
    "save-optional",
    "save-peer",
    "strict-npmrc",
    "timing",
    "umask",
];

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

/// Returns what a project's file may do about a setting that is in no row of the table.
pub(super) fn trust(key: &str) -> Trust {
    let name = key.rsplit(':').next().unwrap_or(key);
    let known = OF_A_REGISTRY.iter().find(|(known, _)| *known == name);
    // Bound to no address, a file is not used in any case.
    let known = known.filter(|_| key.starts_with("//") || !name.ends_with("file"));
    known.map_or(Trust::Anyone, |(_, trust)| *trust)
}

/// npm's settings for commands that dx does not have, and those that say where files are.
const OTHER_COMMANDS: &str = "\
    access all allow-same-version allow-scripts-pending allow-scripts-pin auth-type browser \
    bypass-2fa call cidr diff diff-dst-prefix diff-ignore-all-space diff-name-only diff-no-prefix \
    diff-src-prefix diff-text diff-unified edit-dir expect-result-count expect-results expires \
    global-ignore-file globalconfig ignore-existing include-attestations include-staged \
    init-author-email init-author-name init-author-url init-license init-module init-private \
    init-type init-version init.author.email init.author.name init.author.url init.license \
    init.module init.version keep-edit-dir link message name orgs orgs-permission otp \
    pack-destination package packages-all packages-and-scopes-permission password prefix preid \
    provenance provenance-file read-only save-prod sbom-format sbom-type scope scopes searchexclude \
    searchlimit searchopts searchstaleness shell tag-version-prefix to token-description usage \
    userconfig version versions which";

/// Returns whether a setting counts for nothing, although npm might heed it. In the environment
/// (`in_file` is false) other programs leave settings of their own.
pub(in super::super) fn is_unread(key: &str, value: &RawValue, in_file: bool) -> bool {
    if NOT_CARRIED_OUT.contains(&key) {
        return !matches!(value, RawValue::Null | RawValue::Bool(false));
    }
    let name = key.rsplit(':').next().unwrap_or(key);
    let is_known = OptionInfo::find(name).is_some()
        || OF_A_REGISTRY.iter().any(|(known, _)| *known == name)
        || is_idle(name)
        || OTHER_COMMANDS.split_ascii_whitespace().any(|other| other == name);
    in_file && !is_known
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
