//! Everything that answering a request needs.

use crate::accounts::Accounts;
use crate::config::Config;
use crate::documents::Documents;
use crate::log::Log;
use crate::storage::Storage;
use std::sync::Arc;

/// The state that all requests share.
pub(crate) struct AppState {
    pub(crate) config: Config,
    pub(crate) log: Log,
    pub(crate) storage: Storage,
    pub(crate) documents: Documents,
    pub(crate) accounts: Accounts,
}

impl AppState {
    /// Opens the storage that the configuration names.
    ///
    /// # Errors
    /// A text for whoever starts the server.
    pub(crate) fn open(config: Config, log: Log) -> Result<Arc<Self>, String> {
        let storage = Storage::open(&config.storage)?;
        let documents = Documents::new(storage.clone());
        let accounts = Accounts::new(storage.clone(), documents.clone(), config.accounts.clone());
        Ok(Arc::new(Self { config, log, storage, documents, accounts }))
    }
}
