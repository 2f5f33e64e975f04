//! Everything that answering a request needs.

use crate::accounts::Accounts;
use crate::accounts::issuers::Issuers;
use crate::advisories::Advisories;
use crate::config::Config;
use crate::documents::Documents;
use crate::failure::Failure;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::origin::Origins;
use crate::packages::Packages;
use crate::policy::Policy;
use crate::signing::Signing;
use crate::storage::Storage;
use crate::tarballs::Tarballs;
use crate::upstream::Upstreams;
use crate::usage::LastUsage;
use crate::views::Views;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

/// The part of the cache's memory that is for small tarballs: one in so many.
const TARBALLS_SHARE: usize = 4;

/// The state that all requests share.
pub(crate) struct AppState {
    pub(crate) config: Config,
    pub(crate) log: Arc<Log>,
    pub(crate) storage: Storage,
    pub(crate) documents: Documents,
    pub(crate) accounts: Accounts,
    pub(crate) origins: Origins,
    pub(crate) packages: Packages,
    pub(crate) tarballs: Arc<Tarballs>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) views: Views,
    pub(crate) policy: Policy,
    pub(crate) advisories: Advisories,
    /// The client of the issuers of identity tokens.
    pub(crate) issuers: Issuers,
    signing: OnceCell<Signing>,
    pub(crate) metrics: Metrics,
    /// What the storage is used for; locked while it is counted.
    pub(crate) usages: Mutex<LastUsage>,
}

impl AppState {
    /// Opens the storage that the configuration names. Tokens of upstreams come from `variables`.
    ///
    /// # Errors
    /// A text for whoever starts the server.
    pub(crate) fn open(
        config: Config,
        variables: &[(String, String)],
        log: Log,
    ) -> Result<Arc<Self>, String> {
        let log = Arc::new(log);
        let storage = Storage::open(&config.storage)?;
        let documents = Documents::new(storage.clone());
        let accounts = Accounts::new(storage.clone(), documents.clone(), config.accounts.clone());
        let origins = Origins::new(&config, variables)?;
        let memory = config.cache.memory.length();
        let tarballs_memory = memory / TARBALLS_SHARE;
        let tarballs = Arc::new(Tarballs::new(storage.clone(), tarballs_memory));
        let upstreams = Arc::new(Upstreams::new(
            &config.cache,
            &origins,
            storage.clone(),
            Arc::clone(&tarballs),
            Arc::clone(&log),
        ));
        let packages = Packages::new(documents.clone());
        let policy = Policy::new(config.policy.clone());
        let views = Views::new(memory - tarballs_memory, storage.clone());
        Ok(Arc::new(Self {
            config,
            log,
            storage,
            documents,
            accounts,
            origins,
            packages,
            tarballs,
            upstreams,
            views,
            policy,
            advisories: Advisories::default(),
            issuers: Issuers::new(),
            signing: OnceCell::new(),
            metrics: Metrics::default(),
            usages: Mutex::default(),
        }))
    }

    /// Returns the key for signatures.
    pub(crate) async fn signing(&self) -> Result<&Signing, Failure> {
        self.signing.get_or_try_init(|| Signing::open(&self.storage)).await
    }
}
