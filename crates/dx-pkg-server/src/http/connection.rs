//! The connection that a request comes through.

use std::any::Any;
use std::sync::Arc;
use tokio::sync::watch;

/// What lasts as long as a connection, also after it was upgraded. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Whether the server is asked to end.
    pub(crate) stopped: watch::Receiver<bool>,
    /// The place among the connections, free again when this is dropped.
    _place: Arc<dyn Any + Send + Sync>,
}

impl Connection {
    /// Creates a connection that has a place.
    pub(crate) fn new(place: impl Any + Send + Sync, stopped: watch::Receiver<bool>) -> Self {
        Self { stopped, _place: Arc::new(place) }
    }
}
