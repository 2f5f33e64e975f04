//! What acquiring works with: settings, store, and the network once it is needed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dx_pkg_compat::npm_registry::{NpmRegistry, fetch_config};
use dx_pkg_compat::npmrc::{Config, DxrpMode};
use dx_pkg_core::PackageName;
use dx_pkg_fetch::Fetcher;
use dx_pkg_fetch::trace::Trace;

use dx_pkg_lock::LockPackage;
use dx_pkg_os::process::{RUNTIME_DESCRIPTORS, open_files_limit, spare_descriptors};
use dx_pkg_registry::Source;
use dx_pkg_store::Store;
use url::Url;

use crate::dxrp::Dxrp;
use crate::network::Network;
use crate::notes::Notes;
use crate::sources::{GitBuilder, SourceRules};
use crate::{AcquireError, Cancel};

/// The host that stands for "no registry is configured".
const NO_REGISTRY: &str = "registry.invalid";

/// The parts of a [`Context`].
pub struct ContextOptions {
    /// The effective settings.
    pub config: Config,
    /// The store.
    pub store: Store,
    /// The registry that lockfiles name in place of whichever is configured; `None` where none is
    /// built in.
    pub default_registry: Option<Url>,
    /// The registries, where they are not npm's HTTP registries of the settings.
    pub source: Option<Arc<dyn Source>>,
    /// The `User-Agent` of requests.
    pub user_agent: String,
    /// A file with further certificate authorities, in PEM.
    pub extra_ca_file: Option<PathBuf>,
    /// The record of requests and stages, where one is kept.
    pub trace: Option<Trace>,
    /// The handle by which the work is cancelled.
    pub cancel: Cancel,
}

impl ContextOptions {
    /// Returns options with these settings and this store, and nothing else.
    #[must_use]
    pub fn new(config: Config, store: Store) -> Self {
        ContextOptions {
            config,
            store,
            default_registry: None,
            source: None,
            user_agent: concat!("dx/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_ca_file: None,
            trace: None,
            cancel: Cancel::new(),
        }
    }
}

/// Settings, store and network of one command.
pub struct Context {
    /// The effective settings.
    pub config: Config,
    /// The store.
    pub store: Store,
    /// The record of requests and stages, where one is kept.
    pub trace: Option<Trace>,
    /// The handle by which the work is cancelled.
    pub cancel: Cancel,
    default_registry: Option<Url>,
    source: Option<Arc<dyn Source>>,
    user_agent: String,
    extra_ca_file: Option<PathBuf>,
    network: OnceLock<Result<Network, AcquireError>>,
    sources: OnceLock<Result<SourceRules, AcquireError>>,
    /// What is to be said of protocols.
    pub notes: Notes,
    /// The registries that may speak DXRP, and those that do not.
    peers: Mutex<HashMap<Url, Option<Arc<Dxrp>>>>,
    /// What builds packages of git repositories, where anything does.
    pub(crate) git_builder: OnceLock<Arc<dyn GitBuilder>>,
    /// The packages from outside the registries that were loaded, by their place.
    pub(crate) loaded: Mutex<HashMap<String, LockPackage>>,
}

impl Context {
    /// Returns a context that has not used the network.
    #[must_use]
    pub fn new(options: ContextOptions) -> Self {
        let ContextOptions {
            config,
            store,
            default_registry,
            source,
            user_agent,
            extra_ca_file,
            trace,
            cancel,
        } = options;
        let network = OnceLock::new();
        Context {
            config,
            store,
            trace,
            cancel,
            default_registry,
            source,
            user_agent,
            extra_ca_file,
            network,
            sources: OnceLock::new(),
            notes: Notes::default(),
            peers: Mutex::default(),
            git_builder: OnceLock::new(),
            loaded: Mutex::default(),
        }
    }

    /// Returns the rules for where packages may come from.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn sources(&self) -> Result<&SourceRules, AcquireError> {
        let read = || {
            let default = self.default_registry.as_ref().unwrap_or(self.config.registry());
            SourceRules::new(&self.config, self.source.is_none().then_some(default))
        };
        self.sources.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// Sets what builds packages of git repositories; without it their files are taken as they are.
    pub fn build_git_with(&self, builder: Arc<dyn GitBuilder>) {
        let _ = self.git_builder.set(builder);
    }

    /// Returns the registry of a package, if packages may come from it by DXRP: not the built-in
    /// one, and none that is known not to speak it.
    pub(crate) fn dxrp(&self, name: &PackageName) -> Option<Arc<Dxrp>> {
        self.dxrp_of(self.config.registry_for(name))
    }

    /// Returns whether the settings allow DXRP with a registry, whether or not it speaks it.
    pub(crate) fn may_speak_dxrp(&self, registry: &Url) -> bool {
        let mode = self.dxrp_mode();
        let is_built_in = self.default_registry.as_ref() == Some(registry);
        let is_refused = is_built_in && mode != DxrpMode::Required;
        mode != DxrpMode::Off && self.source.is_none() && !is_refused
    }

    fn dxrp_mode(&self) -> DxrpMode {
        // A value that is not allowed is an error before the first request.
        self.config.dxrp().unwrap_or(DxrpMode::Off)
    }

    /// Returns a registry, as [`Self::dxrp`] does.
    pub(crate) fn dxrp_of(&self, registry: &Url) -> Option<Arc<Dxrp>> {
        if !self.may_speak_dxrp(registry) {
            return None;
        }
        let is_required = self.dxrp_mode() == DxrpMode::Required;
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = peers.get(registry) {
            return known.clone();
        }
        let parts = (&self.store, &self.cancel, &self.notes);
        let dxrp = Dxrp::new(registry, &self.config, parts, is_required);
        let dxrp = dxrp.filter(|dxrp| is_required || !dxrp.is_known_not_to()).map(Arc::new);
        peers.insert(registry.clone(), dxrp.clone());
        dxrp
    }

    /// Returns the `User-Agent` of requests.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// Returns the network, which the first call starts.
    ///
    /// # Errors
    /// No registry is configured, network settings are wrong, or no thread can be started.
    pub fn network(&self) -> Result<Network, AcquireError> {
        self.network.get_or_init(|| self.start_network()).clone()
    }

    /// Returns the network if it was used.
    pub fn network_used(&self) -> Option<&Network> {
        self.network.get().and_then(|network| network.as_ref().ok())
    }

    /// Opens a connection to the default registry while other work goes on.
    pub fn connect(&self) {
        if self.config.offline().unwrap_or(true) {
            return;
        }
        // An error is reported when the network is needed.
        if let Ok(network) = self.network() {
            let (fetcher, registry) = (network.fetcher.clone(), self.config.registry().clone());
            network.runtime.spawn(async move { fetcher.warm(&registry).await });
        }
    }

    /// Records the end of a stage in the trace.
    pub fn mark(&self, stage: &'static str) {
        if let Some(trace) = &self.trace {
            trace.mark(stage);
        }
    }

    fn start_network(&self) -> Result<Network, AcquireError> {
        let (user_agent, extra_ca_file) = (self.user_agent.clone(), self.extra_ca_file.clone());
        let mut config = fetch_config(&self.config, user_agent, extra_ca_file)?;
        if let Some(limit) = open_files_limit() {
            config = config.within_open_files(limit);
        }
        config.trace.clone_from(&self.trace);
        let fetcher = Fetcher::new(config);
        let source = match &self.source {
            Some(source) => source.clone(),
            None => self.npm_registries(&fetcher)?,
        };
        let failed = |error| AcquireError::io("starting the network's thread", error);
        spare_descriptors(RUNTIME_DESCRIPTORS).map_err(failed)?;
        // One thread serves all connections; decoding and unpacking run on others.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let serve = move || runtime.block_on(std::future::pending::<()>());
        std::thread::Builder::new().name("dx-network".into()).spawn(serve).map_err(failed)?;
        Ok(Network { source, fetcher, runtime: handle })
    }

    /// Returns npm's HTTP registries, as the settings name them.
    fn npm_registries(&self, fetcher: &Fetcher) -> Result<Arc<dyn Source>, AcquireError> {
        let configured = self.config.registry();
        if self.default_registry.is_none() && configured.host_str() == Some(NO_REGISTRY) {
            return Err(AcquireError::NoRegistry);
        }
        let default = self.default_registry.as_ref().unwrap_or(configured);
        let registry = NpmRegistry::new(fetcher.clone(), self.config.clone(), default)?;
        Ok(Arc::new(registry))
    }
}
