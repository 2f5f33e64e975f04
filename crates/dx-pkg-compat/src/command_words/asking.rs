//! The commands that ask, whose flags npm takes from settings of files and the environment, too.

/// Their names.
pub const COMMANDS: [&str; 12] = [
    "ls", "ll", "explain", "outdated", "fund", "query", "sbom", "audit", "view", "search", "diff",
    "pack",
];

/// npm's settings that are flags of these commands and of no others.
pub const FLAGS: [&str; 25] = [
    "all",
    "depth",
    "description",
    "diff",
    "diff-dst-prefix",
    "diff-ignore-all-space",
    "diff-name-only",
    "diff-no-prefix",
    "diff-src-prefix",
    "diff-text",
    "diff-unified",
    "expect-result-count",
    "expect-results",
    "global",
    "include-workspace-root",
    "json",
    "link",
    "long",
    "package-lock-only",
    "parseable",
    "searchexclude",
    "searchlimit",
    "unicode",
    "workspace",
    "workspaces",
];

/// Returns the flag that stands for a denied one (`--no-NAME` for `--NAME=false`), for an older one
/// or for one of the place, if the command `has` it; names have no dashes.
#[must_use]
pub fn instead_of(word: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    if let Some(name) = word.strip_prefix("--").and_then(|word| word.strip_suffix("=false"))
        && !has(name)
        && has(&format!("no-{name}"))
    {
        return Some(format!("--no-{name}"));
    }
    let instead = match word {
        "--only=prod" | "--only=production" => "omit=dev",
        "--also=dev" | "--also=development" => "include=dev",
        "--optional=false" | "--no-optional" => "omit=optional",
        "--location=global" => "global",
        _ => return None,
    };
    has(instead.split('=').next().unwrap_or(instead)).then(|| format!("--{instead}"))
}
