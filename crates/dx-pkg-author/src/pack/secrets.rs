//! Files that look as if they were packed by mistake: credentials and keys.

use std::path::Path;

use dx_pkg_compat::packlist::PackedFile;
use dx_pkg_os::files::read_bounded;

/// The largest file that is looked into.
const LARGEST: u64 = 64 * 1024;
/// The most warnings about one package.
const MOST: usize = 5;

/// Names that are those of credentials.
const NAMES: [&str; 12] = [
    ".env",
    ".npmrc",
    ".yarnrc",
    ".netrc",
    ".pypirc",
    ".git-credentials",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "credentials.json",
    "service-account.json",
];
/// Ends of names of keys.
const ENDS: [&str; 5] = [".pem", ".key", ".p12", ".pfx", ".keystore"];
/// What tokens begin with, and how many characters at least follow.
const TOKENS: [(&str, usize); 5] =
    [("npm_", 36), ("ghp_", 36), ("github_pat_", 40), ("glpat-", 20), ("AKIA", 16)];
/// The end of the line before a private key, and how many characters at least follow.
const KEY: &str = "PRIVATE KEY-----";
const SHORTEST_KEY: usize = 40;

/// Returns warnings about files that look like secrets.
pub(super) fn warnings(folder: &Path, files: &[PackedFile]) -> Vec<String> {
    let mut found = Vec::new();
    let own = files.iter().filter(|file| !file.path.starts_with("node_modules/"));
    for file in own {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let is_example = ["example", "sample", "template"].iter().any(|word| name.contains(word));
        let is_named = NAMES.contains(&name) || name.starts_with(".env.");
        let reason = if is_named && !is_example {
            Some("its name is that of a file with credentials")
        } else if ENDS.iter().any(|end| name.ends_with(end)) && holds_key(folder, file) {
            Some("it holds a private key")
        } else if file.size <= LARGEST && holds_secret(folder, file) {
            Some("it holds what looks like a token or a private key")
        } else {
            None
        };
        if let Some(reason) = reason {
            found.push(format!("{} is in the package, and {reason}", file.path));
        }
    }
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if more > 0 {
        found.push(format!("{more} more files look like secrets"));
    }
    found
}

fn contents(folder: &Path, file: &PackedFile) -> Option<String> {
    let bytes = read_bounded(&folder.join(&file.path), LARGEST).ok()?;
    String::from_utf8(bytes).ok()
}

/// Returns whether a file that is named like a key is a private one, or one in binary form.
fn holds_key(folder: &Path, file: &PackedFile) -> bool {
    contents(folder, file).is_none_or(|text| text.contains(KEY))
}

fn holds_secret(folder: &Path, file: &PackedFile) -> bool {
    let Some(text) = contents(folder, file) else { return false };
    let is_token = |(beginning, length): &(&str, usize)| {
        text.match_indices(beginning).any(|(at, _)| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let is_start = !text[..at].ends_with(is_part);
            let rest = &text[at + beginning.len()..];
            is_start && rest.chars().take_while(|c| is_part(*c)).count() >= *length
        })
    };
    let is_key = |(at, _): (usize, &str)| {
        let rest = text[at + KEY.len()..].trim_start_matches(['\r', '\n', '\\', 'n', 'r']);
        let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        rest.chars().take_while(is_part).count() >= SHORTEST_KEY
    };
    TOKENS.iter().any(is_token) || text.match_indices(KEY).any(is_key)
}
