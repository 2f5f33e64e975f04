//! The environment that npm gives a lifecycle script, as a function of its arguments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dx_pkg_core::text::addresses::{recordable, without_users};
use dx_pkg_os::files::may_be_of_others;

use super::SharedFacts;

#[cfg(test)]
mod tests;

/// The parts of a script's environment.
#[derive(Clone, Copy, Debug)]
pub struct ScriptEnvironment<'e> {
    /// The event, such as `postinstall`.
    pub event: &'e str,
    /// The script's text.
    pub script: &'e str,
    /// The folder of the package whose script it is; absolute.
    pub package: &'e Path,
    /// The package's name.
    pub name: Option<&'e str>,
    /// The package's version.
    pub version: Option<&'e str>,
    /// Fields of its manifest in npm's flat form: `("bin_tsc", "bin/tsc")`,
    /// `("config_port", "8080")`, `("engines_node", ">=18")`.
    pub fields: &'e [(String, String)],
    /// The lockfile's entry of a dependency; `None` for the project itself and for `run`.
    pub lock: Option<LockFacts<'e>>,
    /// The project's folder; absolute.
    pub project: &'e Path,
    /// Where the user called the program.
    pub called_from: &'e Path,
    /// The command being carried out, such as `install` or `run`.
    pub command: &'e str,
    /// What all scripts of the command see alike.
    pub shared: &'e SharedFacts,
    /// The running program.
    pub executable: &'e Path,
}

/// The part of a lockfile entry that scripts see.
#[derive(Clone, Copy, Debug, Default)]
pub struct LockFacts<'e> {
    /// Where it came from.
    pub resolved: Option<&'e str>,
    /// Its integrity.
    pub integrity: Option<&'e str>,
    /// Only needed by optional dependencies.
    pub optional: bool,
    /// Only needed by development dependencies.
    pub dev: bool,
    /// Only needed by optional or development dependencies.
    pub dev_optional: bool,
    /// Only needed by peers.
    pub peer: bool,
}

/// Returns the whole environment of a script: `inherited` with npm's variables. Secret settings are
/// not passed on, nor users and passwords of addresses.
#[must_use]
pub fn environment(
    inherited: impl IntoIterator<Item = (String, String)>,
    what: &ScriptEnvironment<'_>,
) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = inherited.into_iter().collect();
    let path_key = path_key(&variables);
    let inherited_path = variables.get(&path_key).cloned().unwrap_or_default();
    let gyp = what.shared.node_gyp.as_deref();
    variables.insert(path_key, search_path(what.package, gyp, &inherited_path));

    // As with npm, the setting wins over an inherited variable.
    if let Some(options) = &what.shared.node_options {
        variables.insert("NODE_OPTIONS".to_owned(), options.clone());
    }
    for (key, value) in &what.shared.settings {
        let name = format!("npm_config_{}", key.to_lowercase().replace('-', "_"));
        // A variable that sets the same stays as it is spelt.
        let inherited = variables.get(&name).map(|inherited| flag_text(inherited));
        if !is_secret(key) && inherited != Some(flag_text(value)) {
            variables.insert(name, without_users(&flag_text(value)).into_owned());
        }
    }
    let mut set = |key: &str, value: &str| {
        variables.insert(key.to_owned(), value.to_owned());
    };
    set("npm_lifecycle_event", what.event);
    set("npm_lifecycle_script", what.script);
    set("npm_package_json", &text(&what.package.join("package.json")));
    set("npm_command", what.command);
    set("npm_execpath", &text(what.executable));
    set("npm_config_user_agent", &what.shared.user_agent);
    set("npm_config_local_prefix", &text(what.project));
    set("INIT_CWD", &text(what.called_from));
    set("EDITOR", &what.shared.editor);
    set("COLOR", if what.shared.has_colours { "1" } else { "0" });
    if let Some(node) = &what.shared.node {
        set("npm_node_execpath", &text(node));
        set("NODE", &text(node));
    }
    set("npm_package_name", what.name.unwrap_or_default());
    set("npm_package_version", what.version.unwrap_or_default());
    for (key, value) in what.fields {
        set(&format!("npm_package_{key}"), value);
    }
    if let Some(lock) = &what.lock {
        set("npm_package_resolved", &recordable(lock.resolved.unwrap_or_default()));
        set("npm_package_integrity", lock.integrity.unwrap_or_default());
        set("npm_package_optional", flag(lock.optional));
        set("npm_package_dev", flag(lock.dev));
        set("npm_package_dev_optional", flag(lock.dev_optional));
        set("npm_package_peer", flag(lock.peer));
    }
    variables
}

/// Returns `PATH` for a script: the commands of the package and of every folder above it,
/// `node-gyp`, then `inherited`. A `node_modules` of another user counts for nothing.
#[must_use]
pub fn search_path(package: &Path, node_gyp: Option<&Path>, inherited: &str) -> String {
    let own = package
        .ancestors()
        .filter(|folder| *folder == package || !may_be_of_others(folder, "node_modules", package));
    let own = own.map(|folder| folder.join("node_modules").join(".bin"));
    let mut folders: Vec<PathBuf> = own.chain(node_gyp.map(Path::to_owned)).collect();
    folders.extend(std::env::split_paths(inherited));
    let joined = std::env::join_paths(&folders).ok();
    joined.map_or_else(|| inherited.to_owned(), |joined| joined.to_string_lossy().into_owned())
}

/// Returns the name of the `PATH` variable, which on Windows may be spelt in any case.
fn path_key(variables: &BTreeMap<String, String>) -> String {
    let spelt = variables.keys().find(|key| cfg!(windows) && key.eq_ignore_ascii_case("PATH"));
    spelt.cloned().unwrap_or_else(|| "PATH".to_owned())
}

/// Returns whether a setting holds credentials or belongs to one registry.
fn is_secret(key: &str) -> bool {
    key.starts_with('_') || key.starts_with("//") || key.contains(":_")
}

/// Returns the text of a setting; npm writes a false one as nothing.
fn flag_text(value: &str) -> String {
    if matches!(value, "false" | "null") { String::new() } else { value.to_owned() }
}

fn flag(value: bool) -> &'static str {
    if value { "1" } else { "" }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
