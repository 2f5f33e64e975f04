//! Advice on settings that dx does not carry out.

/// Returns what to do about a setting with a value that dx does not support.
pub(crate) fn advice(key: &str) -> &'static str {
    match key {
        "install-strategy" => {
            "set it to hoisted (npm's default), shallow or nested; for linked, install with npm"
        }
        "node-linker" | "enable-pnp" | "symlink" => {
            "remove the setting: dx makes a hoisted node_modules with links to local folders, as \
             npm does by default"
        }
        _ => "remove the setting; dx does not ignore a setting that would change the result",
    }
}
