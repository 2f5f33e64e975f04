//! What a command works with: configuration, store, and the network once it is needed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dx_pkg_compat::npm_registry::{NpmRegistry, fetch_config};
use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_fetch::{Class, Fetcher, Priority, Trace};
use dx_pkg_store::{Folder, Store};
use tokio::runtime::Handle;
use url::Url;

use crate::failure::Failure;
use crate::node::{Found, Node};
use crate::project::{self, Seen};
use crate::surroundings::Surroundings;

/// Where dx goes for packages when nothing is configured; set when dx is built.
const DEFAULT_REGISTRY: Option<&str> = option_env!("DX_DEFAULT_REGISTRY");

/// Configuration, store and network of one command.
pub struct Session {
    /// The effective configuration.
    pub config: Config,
    /// The store.
    pub store: Store,
    /// Where the configuration came from, whether or not the files exist.
    pub config_files: Seen,
    /// How many trees are kept ready for each project; where there are any, a background process follows an install.
    pub trees: u32,
    /// Where requests and stages are recorded, if anywhere.
    pub trace: Option<Trace>,
    user_agent: String,
    extra_ca: Option<PathBuf>,
    network: OnceLock<Result<Network, Failure>>,
    /// The Node.js that was found, once it is known.
    node: OnceLock<Option<Node>>,
    /// The one that is being asked for its version.
    asked: Mutex<Option<Found>>,
}

/// The registries and the threads that wait for them.
#[derive(Clone)]
pub struct Network {
    /// The registries.
    pub registry: NpmRegistry,
    /// The runtime requests run on, which a thread of its own drives.
    pub runtime: Handle,
}

impl Session {
    /// Reads the configuration for the project in `root` and opens the store.
    pub fn open(
        surroundings: &Surroundings,
        root: &Path,
        flags: &[(String, String)],
    ) -> Result<Self, Failure> {
        let (config, config_files) = configuration(surroundings, root, flags)?;
        if let Some(setting) = config.unsupported().into_iter().next() {
            return Err(Failure::new(
                "DX_UNSUPPORTED_SETTING",
                format!(
                    "{}={} (set in {}) is not supported",
                    setting.key, setting.value, setting.origin
                ),
            )
            .with_hint(
                "remove the setting; dx does not ignore a setting that would change the result",
            ));
        }
        let store = open_store(surroundings, root)?;
        let trees = prepared_trees(surroundings, &config)?;
        Ok(Session {
            config,
            store,
            config_files,
            trees,
            trace: None,
            user_agent: user_agent(),
            extra_ca: surroundings.variable("NODE_EXTRA_CA_CERTS").map(PathBuf::from),
            network: OnceLock::new(),
            node: OnceLock::new(),
            asked: Mutex::default(),
        })
    }

    /// What dx calls itself.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// The network, started on the first call.
    pub fn network(&self) -> Result<Network, Failure> {
        self.network.get_or_init(|| self.start_network()).clone()
    }

    /// The network if it was needed so far.
    pub fn network_used(&self) -> Option<&Network> {
        self.network.get().and_then(|network| network.as_ref().ok())
    }

    /// The Node.js that will run the packages; `None` where there is none that answers.
    pub fn node(&self, surroundings: &Surroundings) -> Option<&Node> {
        let find = || {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
            asked.or_else(|| Found::begin(surroundings, &self.store))?.finish()
        };
        self.node.get_or_init(find).as_ref()
    }

    /// Whether the store has nothing, so that packages will have to be fetched.
    pub fn starts_from_nothing(&self) -> bool {
        let filled = |folder: &Folder| {
            let entries = std::fs::read_dir(self.store.folder(*folder));
            entries.is_ok_and(|mut entries| entries.next().is_some())
        };
        ![Folder::Packages, Folder::Prepared].iter().any(filled)
    }

    /// Opens a connection to the registry and asks Node.js for its version while something else is done.
    pub fn warm(&self, surroundings: &Surroundings) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) =
            Found::begin(surroundings, &self.store);
        if self.config.offline().unwrap_or(true) {
            return;
        }
        // What is wrong is told when the network is needed.
        if let Ok(network) = self.network() {
            let (fetcher, registry) =
                (network.registry.fetcher().clone(), self.config.registry().clone());
            network.runtime.spawn(async move { fetcher.warm(&registry).await });
        }
    }

    /// Notes for `--timing` that a stage ends.
    pub fn mark(&self, stage: &'static str) {
        if let Some(trace) = &self.trace {
            trace.mark(stage);
        }
    }

    fn start_network(&self) -> Result<Network, Failure> {
        if DEFAULT_REGISTRY.is_none()
            && self.config.registry().host_str() == Some("registry.invalid")
        {
            return Err(Failure::new("DX_NO_REGISTRY", "no registry is configured")
                .with_hint("write registry=<address> into .npmrc"));
        }
        dx_pkg_os::return_large_blocks();
        let mut config =
            fetch_config(&self.config, self.user_agent.clone(), self.extra_ca.clone())?;
        config.trace.clone_from(&self.trace);
        let default = DEFAULT_REGISTRY.and_then(|text| Url::parse(text).ok());
        let default = default.unwrap_or_else(|| self.config.registry().clone());
        let registry = NpmRegistry::new(Fetcher::new(config), self.config.clone(), &default)?;
        let failed = |error: std::io::Error| Failure::io("starting the network's thread", &error);
        // One thread serves as many connections as dx opens; decoding and unpacking run on others.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let serve = move || runtime.block_on(std::future::pending::<()>());
        std::thread::Builder::new().name("dx-network".into()).spawn(serve).map_err(failed)?;
        Ok(Network { registry, runtime: handle })
    }
}

impl Network {
    /// What the fetcher has counted, for `--verbose` and `--json`. Waiting is the time that requests have waited for their
    /// turn, all together, in milliseconds.
    pub fn statistics(&self) -> Vec<(&'static str, u64)> {
        let fetcher = self.registry.fetcher();
        let counted = fetcher.statistics();
        let waited = |class: Class, priorities: &[Priority]| {
            let all: Duration =
                priorities.iter().map(|priority| fetcher.waited(class, *priority)).sum();
            u64::try_from(all.as_millis()).unwrap_or(u64::MAX)
        };
        vec![
            ("requests", counted.total),
            ("completed requests", counted.completed),
            ("failed requests", counted.failed),
            ("not modified", counted.not_modified),
            ("bytes received", counted.bytes),
            ("retries", counted.retried),
            ("resumed", counted.resumed),
            ("metadata waiting", waited(Class::Metadata, &Priority::ALL)),
            ("critical tarballs waiting", waited(Class::Tarball, &[Priority::Critical])),
            ("high tarballs waiting", waited(Class::Tarball, &[Priority::High])),
            ("normal tarballs waiting", waited(Class::Tarball, &[Priority::Normal])),
            ("low tarballs waiting", waited(Class::Tarball, &[Priority::Low])),
        ]
    }
}

/// The configuration for the project in `root`, and the files that it came from, whether or not they exist.
pub fn configuration(
    surroundings: &Surroundings,
    root: &Path,
    flags: &[(String, String)],
) -> Result<(Config, Seen), Failure> {
    let files = config_files(surroundings, root);
    let mut seen = Seen::new();
    let mut read = |path: &PathBuf| project::read_noting(path, &mut seen);
    let texts: Vec<Option<String>> = files
        .iter()
        .map(|path| path.as_ref().map_or(Ok(None), &mut read))
        .collect::<Result<_, _>>()?;
    let layer = |position: usize| match (&files[position], &texts[position]) {
        (Some(path), Some(text)) => Some((path.as_path(), text.as_str())),
        _ => None,
    };
    let config = Config::load(&ConfigSources {
        default_registry: DEFAULT_REGISTRY.unwrap_or("http://registry.invalid/"),
        project: layer(0),
        user: layer(1),
        global: layer(2),
        env: &surroundings.variables,
        flags,
    })?;
    Ok((config, seen))
}

/// What dx calls itself.
pub fn user_agent() -> String {
    format!(
        "dx/{} npm/? node/? {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// As configured, else one, and none in continuous integration.
fn prepared_trees(surroundings: &Surroundings, config: &Config) -> Result<u32, Failure> {
    if let Some(text) = surroundings.variable("DX_PREPARED_TREES") {
        return text.trim().parse().map_err(|_| {
            Failure::new(
                "DX_CONFIG_INVALID",
                format!("DX_PREPARED_TREES={text} is not a number of trees"),
            )
            .with_hint("set it to 0, 1 or more")
        });
    }
    Ok(config.prepared_trees()?.unwrap_or(u32::from(!surroundings.in_ci())))
}

/// Milliseconds since 1970; 0 for a clock before that.
pub fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// The `.npmrc` of the project, of the user and of the machine.
pub fn config_files(surroundings: &Surroundings, root: &Path) -> [Option<PathBuf>; 3] {
    let named = |name: &str| {
        let own = surroundings
            .variables
            .iter()
            .find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        own.map(|(_, value)| surroundings.folder.join(value))
    };
    let user = named("npm_config_userconfig")
        .or_else(|| surroundings.home.as_ref().map(|home| home.join(".npmrc")));
    let global = named("npm_config_globalconfig").or_else(|| {
        let prefix = named("npm_config_prefix")
            .or_else(|| surroundings.variable("PREFIX").map(PathBuf::from));
        Some(prefix?.join("etc/npmrc"))
    });
    let project = Some(root.join(".npmrc")).filter(|project| Some(project) != user.as_ref());
    [project, user, global.or_else(|| cfg!(unix).then(|| PathBuf::from("/usr/local/etc/npmrc")))]
}

/// The store: the configured one where it shares the project's file system, else one at the root of the project's.
fn open_store(surroundings: &Surroundings, root: &Path) -> Result<Store, Failure> {
    let Some(folder) = surroundings.store_folder() else {
        return Err(Failure::new("DX_NO_HOME", "there is no home folder to keep the store in")
            .with_hint("set DX_STORE to a folder"));
    };
    let configured = surroundings.variable("DX_STORE").is_some();
    if !configured && let Some(near) = store_on_same_device(root, &folder) {
        return Ok(near);
    }
    Ok(Store::open(&folder)?)
}

fn device(path: &Path) -> Option<u64> {
    path.ancestors()
        .find_map(|folder| dx_pkg_os::identity(folder).ok().flatten())
        .map(|identity| identity.device)
}

/// A store on the project's file system, where the usual one is on another and its root can be written.
fn store_on_same_device(root: &Path, usual: &Path) -> Option<Store> {
    let own = device(root)?;
    if device(usual) == Some(own) {
        return None;
    }
    let top = root.ancestors().take_while(|folder| device(folder) == Some(own)).last()?;
    Store::open(&top.join(".dx-store")).ok()
}
