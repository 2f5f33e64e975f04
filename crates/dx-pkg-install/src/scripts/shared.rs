//! What all scripts of one command see alike: settings, npm's folders, `node-gyp`, user agent.

use std::path::{Path, PathBuf};

use dx_pkg_compat::npmrc::{Config, ConfigError, OPTIONS, RawValue};
use dx_pkg_core::Platform;

use crate::Environment;
use crate::node::{Node, user_agent};
use crate::session::{config_files, machine_file};

#[cfg(test)]
mod tests;

/// What all scripts of one command see alike.
#[derive(Clone, Debug, Default)]
pub struct SharedFacts {
    /// Settings for `npm_config_*`: npm's folders, and those that differ from their defaults.
    pub settings: Vec<(String, String)>,
    /// `npm_config_user_agent`.
    pub user_agent: String,
    /// The Node.js program.
    pub node: Option<PathBuf>,
    /// The folder of npm's `node-gyp` command.
    pub node_gyp: Option<PathBuf>,
    /// The setting `node-options`, for `NODE_OPTIONS`.
    pub node_options: Option<String>,
    /// The shell that scripts run in, where one is configured.
    pub shell: Option<PathBuf>,
    /// The editor, for `EDITOR`.
    pub editor: String,
    /// Whether output is coloured, for `COLOR`.
    pub has_colours: bool,
}

impl SharedFacts {
    /// Gathers them for the project in `root`.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(
        environment: &Environment,
        root: &Path,
        config: &Config,
        node: Option<&Node>,
    ) -> Result<Self, ConfigError> {
        let node_path = node.map(|node| node.path.clone());
        let gyp = bundled_gyp(environment, node_path.as_deref());
        let mut settings = npm_folders(environment, root, config, node_path.as_deref());
        settings.extend(gyp.as_ref().map(|gyp| ("node-gyp".to_owned(), text(&gyp.program))));
        // Where npm's folders are is for the user to say, not for a project.
        let is_own = |settings: &[(String, String)], key: &str| {
            config.is_given_by_user(key) || settings.iter().all(|(known, _)| known != key)
        };
        let changed = changed_settings(config);
        let changed = changed.into_iter().filter(|(key, _)| is_own(&settings, key));
        let changed: Vec<_> = changed.collect();
        settings.extend(changed);
        Ok(SharedFacts {
            settings,
            user_agent: match config.user_agent()? {
                Some(template) => filled(&template, node),
                None => user_agent(node),
            },
            node: node_path,
            node_gyp: gyp.map(|gyp| gyp.folder),
            node_options: config.node_options()?,
            shell: config.script_shell()?.map(PathBuf::from),
            editor: editor(environment, config),
            has_colours: match text_of(config, "color").as_deref() {
                Some("always") => true,
                Some("false") => false,
                _ => environment.has_colours,
            },
        })
    }
}

/// Returns the settings whose defaults depend on the machine; npm passes them on in any case.
fn npm_folders(
    environment: &Environment,
    root: &Path,
    config: &Config,
    node: Option<&Path>,
) -> Vec<(String, String)> {
    let [_, user] = config_files(environment, root);
    let of_user = |key: &str| text_of(config, key).filter(|_| config.is_given_by_user(key));
    let global = machine_file(environment, |key| of_user(key).map(PathBuf::from));
    let home = environment.home.as_deref();
    // npm installs globally beside the folder of Node.js.
    let prefix =
        node.and_then(|node| if cfg!(windows) { node.parent() } else { node.parent()?.parent() });
    let paths = [
        ("userconfig", user),
        ("globalconfig", global),
        ("cache", home.map(|home| home.join(if cfg!(windows) { "npm-cache" } else { ".npm" }))),
        ("init-module", home.map(|home| home.join(".npm-init.js"))),
        ("prefix", prefix.map(Path::to_owned)),
        ("global-prefix", prefix.map(Path::to_owned)),
    ];
    let known = paths.into_iter().filter_map(|(key, path)| Some((key.to_owned(), text(&path?))));
    known.collect()
}

/// Returns the settings that differ from their defaults, without those of one scope or one
/// registry.
fn changed_settings(config: &Config) -> Vec<(String, String)> {
    let written = |key: &str| {
        let (value, _) = config.raw(key)?;
        Some(match value {
            RawValue::List(list) => list.join("\n\n"),
            other => other.text().unwrap_or_default(),
        })
    };
    let is_default = |key: &str, value: &str| {
        OPTIONS.iter().any(|option| option.key == key && option.default == value)
    };
    config
        .keys()
        .filter(|key| !key.starts_with('@'))
        .filter_map(|key| Some((key.to_owned(), written(key)?)))
        .filter(|(key, value)| !is_default(key, value))
        .collect()
}

/// Fills in npm's template of a user agent.
fn filled(template: &str, node: Option<&Node>) -> String {
    let platform = Platform::host(None);
    let node = node.map_or_else(String::new, |node| format!("v{}", node.version));
    let parts = [
        ("{npm-version}", "?"),
        ("{node-version}", &node),
        ("{platform}", &platform.os),
        ("{arch}", &platform.cpu),
        ("{workspaces}", "false"),
        ("{ci}", ""),
    ];
    let text =
        parts.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    text.trim().to_owned()
}

/// Returns the editor as npm chooses it.
fn editor(environment: &Environment, config: &Config) -> String {
    let usual = || ["EDITOR", "VISUAL"].iter().find_map(|name| environment.variable(name));
    let default = if cfg!(windows) { "notepad.exe" } else { "vi" };
    let configured = config.editor().ok().flatten();
    configured.unwrap_or_else(|| usual().unwrap_or(default).to_owned())
}

/// Returns the text of a setting that dx itself does not use.
fn text_of(config: &Config, key: &str) -> Option<String> {
    config.raw(key)?.0.text()
}

/// The `node-gyp` that npm brings.
struct Gyp {
    /// A folder with a command of that name, for `PATH`.
    folder: PathBuf,
    /// The program, for `npm_config_node_gyp`.
    program: PathBuf,
}

/// Returns the `node-gyp` of the npm on the `PATH`, else of the one that came with Node.js.
fn bundled_gyp(environment: &Environment, node: Option<&Path>) -> Option<Gyp> {
    npm_on_path(environment).into_iter().chain(node.and_then(npm_beside)).find_map(|package| {
        let program = package.join("node_modules/node-gyp/bin/node-gyp.js");
        let folder = package.join("bin/node-gyp-bin");
        (program.is_file() && folder.is_dir()).then_some(Gyp { folder, program })
    })
}

/// Returns the package of the npm on the `PATH`.
fn npm_on_path(environment: &Environment) -> Option<PathBuf> {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let npm = std::env::split_paths(environment.variable("PATH")?)
        .map(|folder| folder.join(name))
        .find(|npm| npm.is_file())?;
    // On Unix the command is a link to `bin/npm-cli.js` of the package.
    if cfg!(windows) {
        Some(npm.parent()?.join("node_modules").join("npm"))
    } else {
        Some(npm.canonicalize().ok()?.parent()?.parent()?.to_owned())
    }
}

/// Returns the place of the npm that comes with a Node.js.
fn npm_beside(node: &Path) -> Option<PathBuf> {
    let node = node.canonicalize().ok()?;
    let folder = node.parent()?;
    Some(match cfg!(windows) {
        true => folder.join("node_modules").join("npm"),
        false => folder.parent()?.join("lib/node_modules/npm"),
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
