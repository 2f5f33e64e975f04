//! Everything that answering a request needs.

use crate::accounts::Accounts;
use crate::config::Config;
use crate::documents::Documents;
use crate::log::Log;
use crate::origin::Origins;
use crate::packages::Packages;
use crate::storage::Storage;
use crate::tarballs::Tarballs;
use crate::upstream::Upstreams;
use crate::views::Views;
use std::sync::Arc;

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
    pub(crate) upstreams: Upstreams,
    pub(crate) views: Views,
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
        let accounts = Accounts::new(documents.clone());
        let origins = Origins::new(&config, variables)?;
        let tarballs = Arc::new(Tarballs::new(storage.clone()));
        let upstreams = Upstreams::new(
            &config.cache,
            &origins,
            storage.clone(),
            Arc::clone(&tarballs),
            Arc::clone(&log),
        );
        let packages = Packages::new(documents.clone());
        let views = Views::new(config.cache.memory.length());
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
        }))
    }
}
