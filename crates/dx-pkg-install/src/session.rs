//! What a command works with: environment, settings, store, network and Node.js.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::{Cancel, Context, ContextOptions};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::{
    Config, ConfigSources, Location, NO_REGISTRY, ProjectHome, is_for_registries,
};
use dx_pkg_core::{Coded, Version};
use dx_pkg_fetch::trace::Trace;
use dx_pkg_link::ImportMethod;
use dx_pkg_store::{Folder, Store, StoreError, StoreKey};

use crate::background::{Background, Foreground};
use crate::node::{Found, Node, Unknown, user_agent};
use crate::project::home::{ReadHome, has_home, read_home};
use crate::project::{Seen, read_seen, read_seen_trusted};
use crate::seal::Seal;
use crate::{Environment, InstallError, timing};

pub mod global;
mod linked;

use linked::Linked;

mod owner;

/// The trees that are kept prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreparedTrees {
    /// How many for each project.
    pub count: u32,
    /// Whether a setting says so. Then a new project gets them before any sign that it will use
    /// them.
    pub is_asked: bool,
}

impl PreparedTrees {
    fn asked(count: u32) -> Self {
        PreparedTrees { count, is_asked: true }
    }

    /// Returns the environment variable by which another process is asked for the same trees;
    /// `None` where no setting asked for them.
    #[must_use]
    pub fn variable(self) -> Option<(&'static str, String)> {
        self.is_asked.then(|| (PREPARED_TREES, self.count.to_string()))
    }
}

const PREPARED_TREES: &str = "DX_PREPARED_TREES";

/// Environment, settings, store, network and Node.js of one command.
pub struct Session {
    /// The environment.
    pub environment: Environment,
    /// Settings, store and network.
    pub context: Arc<Context>,
    /// Settings given on the command line.
    pub flags: Vec<(String, String)>,
    /// The files that settings were read from, whether or not they exist.
    pub config_files: Seen,
    /// A link in the place of the project's settings that leads out of the project.
    linked_settings: Option<Linked>,
    /// The trees that are kept prepared.
    pub prepared_trees: PreparedTrees,
    /// Why a store that lies nearer than the one in use is not used.
    pub(crate) passed_over: Option<String>,
    /// What decides whether a background process follows an install.
    background: Background,
    node: OnceLock<Option<Result<Node, Unknown>>>,
    /// The Node.js that is being asked for its version.
    asked: Mutex<Option<Found>>,
}

/// Opens a session for the project in a folder.
pub type OpenSession<'o> = dyn Fn(&Path) -> Result<Session, InstallError> + 'o;

/// How a session is opened.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Settings given on the command line, by their names in `.npmrc`.
    pub flags: Vec<(String, String)>,
    /// The record of requests and stages, where one is kept.
    pub trace: Option<Trace>,
    /// The handle by which the command is cancelled.
    pub cancel: Cancel,
    /// The folder whose settings count in the place of the project's own.
    pub settings_of: Option<PathBuf>,
}

impl Session {
    /// Returns whether the setting `global`, or `location=global`, asks for globally installed
    /// packages.
    ///
    /// # Errors
    /// A value that is not of its setting's kind.
    pub fn is_global(&self) -> Result<bool, InstallError> {
        let config = self.config();
        Ok(config.global()? || config.location()? == Location::Global)
    }

    /// Reads the settings for the project in `root` and opens the store.
    ///
    /// # Errors
    /// A setting that cannot be used, or no folder for the store.
    pub fn open(
        environment: Environment,
        root: &Path,
        options: SessionOptions,
    ) -> Result<Self, InstallError> {
        let SessionOptions { flags, trace, cancel, settings_of } = options;
        let (config, config_files, linked_settings) =
            configuration_with_links(&environment, settings_of.as_deref().unwrap_or(root), &flags)?;
        if let Some(setting) = config.unsupported()?.into_iter().next() {
            let (key, value) = (setting.key.to_string(), setting.value.clone());
            let origin = setting.origin.to_string();
            return Err(InstallError::UnsupportedSetting { key, value, origin });
        }
        let (store, passed_over) = open_store(&environment, root)?;
        let prepared_trees = prepared_trees(&environment, &config)?;
        let background = Background::new(&environment, &config)?;
        let context = Context::new(ContextOptions {
            default_registry: environment.default_registry.clone(),
            user_agent: user_agent(None),
            extra_ca_file: environment.variable("NODE_EXTRA_CA_CERTS").map(PathBuf::from),
            trace,
            cancel,
            ..ContextOptions::new(config, store)
        });
        Ok(Session {
            environment,
            context: Arc::new(context),
            flags,
            config_files,
            linked_settings,
            prepared_trees,
            passed_over,
            background,
            node: OnceLock::new(),
            asked: Mutex::default(),
        })
    }

    /// Writes the record of requests and stages into a file, where one is kept.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_trace(&self, path: &Path) -> Result<(), InstallError> {
        match &self.context.trace {
            Some(trace) => timing::write(trace, &self.environment.folder.join(path)),
            None => Ok(()),
        }
    }

    /// Returns the warnings about the settings, in words.
    pub(crate) fn setting_warnings(&self) -> Vec<String> {
        let own = self.config().warnings().iter().map(|warning| {
            let hint = warning.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
            format!("{warning}{hint}")
        });
        own.chain(self.linked_settings.as_ref().and_then(Linked::warning)).collect()
    }

    /// Returns the effective settings.
    pub fn config(&self) -> &Config {
        &self.context.config
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.context.store
    }

    /// Returns why no background process follows an install; `None` where one does.
    pub fn foreground(&self) -> Option<Foreground> {
        match self.prepared_trees.count {
            0 => Some(Foreground::NoTrees),
            _ => self.background.allowed().err(),
        }
    }

    /// Returns whether maintenance follows an install in a background process.
    pub(crate) fn maintenance_follows(&self) -> bool {
        self.foreground().is_none()
    }

    /// Returns the Node.js that will run the packages; `None` where there is none that answers.
    pub fn node(&self) -> Option<&Node> {
        let find = || {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
            Some(asked.or_else(|| Found::begin(&self.environment, self.store()))?.finish())
        };
        self.node.get_or_init(find).as_ref()?.as_ref().ok()
    }

    /// Returns why the version of the Node.js that was asked is not known.
    pub(crate) fn unknown_node(&self) -> Option<&Unknown> {
        self.node.get()?.as_ref()?.as_ref().err()
    }

    /// Returns the version of Node.js that packages are chosen for.
    pub fn node_version(&self) -> Result<Option<Version>, InstallError> {
        if let Some(text) = self.config().node_version()? {
            return Ok(Some(Version::parse(&text)?));
        }
        Ok(self.node().map(|node| node.version.clone()))
    }

    /// Returns whether the store is empty, so that packages will have to be fetched.
    pub(crate) fn starts_from_nothing(&self) -> bool {
        let filled = |folder: &Folder| {
            let entries = std::fs::read_dir(self.store().folder(*folder));
            entries.is_ok_and(|mut entries| entries.next().is_some())
        };
        ![Folder::Packages, Folder::Prepared].iter().any(filled)
    }

    /// Opens a connection to the registry and asks Node.js for its version while other work goes
    /// on.
    pub(crate) fn warm_up(&self) {
        let found = Found::begin(&self.environment, self.store());
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = found;
        self.context.connect();
    }

    /// Returns how files get into the tree.
    pub(crate) fn import_method(&self) -> Result<ImportMethod, InstallError> {
        use dx_pkg_compat::npmrc::ImportMethod as Setting;
        Ok(match self.config().package_import_method()? {
            Setting::Auto => ImportMethod::Auto,
            Setting::Clone => ImportMethod::Clone,
            Setting::CloneOrCopy => ImportMethod::CloneOrCopy,
            Setting::Hardlink => ImportMethod::Hardlink,
            Setting::Copy => ImportMethod::Copy,
        })
    }
}

/// Reads the settings for the project in `root`; returns them with the files they came from,
/// whether or not these exist.
///
/// # Errors
/// A file that cannot be read, or a setting that cannot be used.
pub fn configuration(
    environment: &Environment,
    root: &Path,
    flags: &[(String, String)],
) -> Result<(Config, Seen), InstallError> {
    configuration_with_links(environment, root, flags).map(|(config, seen, _)| (config, seen))
}

/// Does the same, and returns what is to be said about a link in the place of the project's file.
fn configuration_with_links(
    environment: &Environment,
    root: &Path,
    flags: &[(String, String)],
) -> Result<(Config, Seen, Option<Linked>), InstallError> {
    let [project, user] = config_files(environment, root);
    let mut seen = Seen::new();
    // The project's own is not the user's word.
    let mut own = project.as_deref().map(|path| read_seen(path, &mut seen)).transpose()?.flatten();
    let mut trusted = |path: Option<&Path>| match path {
        Some(path) => read_seen_trusted(path, &mut seen),
        None => Ok(None),
    };
    let of_user = trusted(user.as_deref())?;
    let user_file = user.as_deref().zip(of_user.as_deref());
    let global = machine_file(environment, |key| path_in(user_file?, environment, key));
    let of_machine = trusted(global.as_deref())?;
    let linked = Linked::of(root, project.as_deref(), &mut own);
    let (files, texts) = ([project, user, global], [own, of_user, of_machine]);
    let layer = |position: usize| match (&files[position], &texts[position]) {
        (Some(path), Some(text)) => Some((path.as_path(), text.as_str())),
        _ => None,
    };
    let home = session_home(root, texts[0].as_deref(), &mut seen);
    let settings = home.as_ref().map(|read| read.home.settings().settings).unwrap_or_default();
    let home_file = home.as_ref().and_then(|read| read.file.as_ref());
    let default = environment.default_registry.as_ref().map(url::Url::as_str);
    let default_registry = default.unwrap_or(NO_REGISTRY);
    let config = Config::load(&ConfigSources {
        default_registry,
        project: layer(0),
        is_of_another_user: layer(0).is_some_and(|(path, _)| owner::is_foreign(environment, path)),
        npmrc_is_for_registries: home
            .as_ref()
            .is_some_and(|read| read.home.owner.keeps_npmrc_to_registries()),
        home: home_file.map(|(path, _)| ProjectHome {
            path,
            settings: &settings,
            is_of_another_user: owner::is_foreign(environment, path),
        }),
        user: layer(1),
        global: layer(2),
        env: &environment.variables,
        flags,
    })?;
    Ok((config, seen, linked))
}

/// Reads the settings of the package manager that the project in `root` belongs to, where it has a
/// file of such settings or a `.npmrc` of which it may not read everything. What is wrong with them
/// is told when the project is read.
fn session_home(root: &Path, npmrc: Option<&str>, seen: &mut Seen) -> Option<ReadHome> {
    if !has_home(root) && npmrc.is_none_or(is_for_registries) {
        return None;
    }
    let text = read_text(&root.join("package.json")).ok().flatten();
    let manifest = text.and_then(|text| Manifest::parse(&text).ok()).unwrap_or_default();
    let mut files = Seen::new();
    let read = read_home(root, &manifest, &mut files).ok()?;
    // One that is not there is no file of settings that was not known.
    seen.extend(files.into_iter().filter(|(_, identity)| identity.is_some()));
    Some(read)
}

/// Returns the prepared trees: as many as configured, else one, and none in continuous integration.
fn prepared_trees(
    environment: &Environment,
    config: &Config,
) -> Result<PreparedTrees, InstallError> {
    if let Some(value) = environment.variable(PREPARED_TREES) {
        let bad = |_| InstallError::BadTreeCount { name: PREPARED_TREES, value: value.to_owned() };
        return value.trim().parse().map_err(bad).map(PreparedTrees::asked);
    }
    let default = PreparedTrees { count: u32::from(!environment.in_ci()), is_asked: false };
    Ok(config.prepared_trees()?.map_or(default, PreparedTrees::asked))
}

/// Returns the `.npmrc` of the project and of the user.
pub fn config_files(environment: &Environment, root: &Path) -> [Option<PathBuf>; 2] {
    let user = named_file(environment, "npm_config_userconfig")
        .or_else(|| environment.home.as_ref().map(|home| home.join(".npmrc")));
    let project = Some(root.join(".npmrc")).filter(|project| Some(project) != user.as_ref());
    [project, user]
}

/// Returns the `npmrc` of the machine: the one that `globalconfig` names, else that of the prefix,
/// and without either that of `/usr/local`. Variables win over `of_user`, which looks up a setting
/// in the user's file.
pub fn machine_file(
    environment: &Environment,
    of_user: impl Fn(&str) -> Option<PathBuf>,
) -> Option<PathBuf> {
    let setting = |key: &str| {
        let variable = named_file(environment, &format!("npm_config_{key}"));
        variable.or_else(|| Some(environment.folder.join(of_user(key)?)))
    };
    setting("globalconfig").or_else(|| {
        let prefix =
            setting("prefix").or_else(|| environment.variable("PREFIX").map(PathBuf::from));
        let usual = || cfg!(unix).then(|| PathBuf::from("/usr/local"));
        Some(prefix.or_else(usual)?.join("etc/npmrc"))
    })
}

/// Returns the path that a variable of the environment names.
fn named_file(environment: &Environment, name: &str) -> Option<PathBuf> {
    let set =
        |(key, value): &&(String, String)| key.eq_ignore_ascii_case(name) && !value.is_empty();
    let (_, value) = environment.variables.iter().find(set)?;
    Some(environment.folder.join(value))
}

/// Returns a setting of the user's file that is a path; no other place is looked at.
fn path_in(user: (&Path, &str), environment: &Environment, key: &str) -> Option<PathBuf> {
    // Most files name neither of the settings that are asked for.
    let text = user.1.contains(key).then_some(user)?;
    let is_other = |(name, _): &&(String, String)| !name.eq_ignore_ascii_case(key);
    let env: Vec<_> = environment.variables.iter().filter(is_other).cloned().collect();
    let sources =
        ConfigSources { user: Some(text), env: &env, ..ConfigSources::without_registry() };
    let config = Config::load(&sources).ok()?;
    let value = config.raw(key)?.0.text()?;
    match (value.strip_prefix("~/"), &environment.home) {
        (Some(rest), Some(home)) => Some(home.join(rest)),
        _ => Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty()),
    }
}

/// Opens the store: the configured one, or one at the root of the project's file system where the
/// default is on another. Returns it, and why one that lies nearer is not used.
fn open_store(
    environment: &Environment,
    root: &Path,
) -> Result<(Store, Option<String>), InstallError> {
    let Some(folder) = environment.store_folder() else { return Err(InstallError::NoHome) };
    match store_on_same_device(environment, root, &folder).map(|near| Store::open_common(&near)) {
        Some(Ok(store)) => Ok((store, None)),
        Some(Err(refused @ StoreError::NotUsed { .. })) => {
            Ok((Store::open(&folder)?, Some(format!("{refused}; {} is used", folder.display()))))
        }
        _ => Ok((Store::open(&folder)?, None)),
    }
}

/// Returns the folders of the stores that an install in `root` may use, the usual one first.
#[must_use]
pub fn store_folders(environment: &Environment, root: &Path) -> Vec<PathBuf> {
    let Some(usual) = environment.store_folder() else { return Vec::new() };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let near = root.canonicalize().ok();
    let near = near.and_then(|root| store_on_same_device(environment, &root, &usual));
    std::iter::once(usual).chain(near).collect()
}

/// Returns the seals of the stores that an install in `root` may use, the usual one first. Only
/// their keys are read.
pub fn seals<'s>(environment: &'s Environment, root: &'s Path) -> impl Iterator<Item = Seal> + 's {
    let usual = environment.store_folder();
    let near = usual.clone().map(|usual| (usual, root.to_owned()));
    let near = near.into_iter().filter_map(|(usual, root)| {
        let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root };
        store_on_same_device(environment, &root.canonicalize().ok()?, &usual)
    });
    usual.into_iter().chain(near).filter_map(|store| StoreKey::of_store(&store)).map(Seal::of_key)
}

fn device(path: &Path) -> Option<u64> {
    path.ancestors()
        .find_map(|folder| dx_pkg_os::files::identity(folder).ok().flatten())
        .map(|identity| identity.device)
}

/// Returns the folder of a store at the root of the project's file system, if none is configured
/// and `usual` is on another one.
fn store_on_same_device(environment: &Environment, root: &Path, usual: &Path) -> Option<PathBuf> {
    if environment.variable("DX_STORE").is_some() {
        return None;
    }
    let own = device(root)?;
    if device(usual) == Some(own) {
        return None;
    }
    let top = root.ancestors().take_while(|folder| device(folder) == Some(own)).last()?;
    Some(top.join(".dx-store"))
}
