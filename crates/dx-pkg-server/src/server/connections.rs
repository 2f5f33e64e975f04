//! The number of connections, in all and of each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The open connections.
pub(super) struct Connections {
    most: usize,
    most_per_client: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// The place of an open connection, free again when this is dropped.
pub(super) struct Place {
    client: IpAddr,
    open: Arc<Mutex<Open>>,
}

impl Connections {
    pub(super) fn new(most: usize, most_per_client: usize) -> Self {
        Self { most, most_per_client, open: Arc::default() }
    }

    /// Returns a place for a connection; `None` where there is none left.
    pub(super) fn admit(&self, client: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_client.get(&client).copied().unwrap_or(0);
        if open.all >= self.most || own >= self.most_per_client {
            return None;
        }
        open.all += 1;
        open.by_client.insert(client, own + 1);
        Some(Place { client, open: Arc::clone(&self.open) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(own) = open.by_client.get_mut(&self.client) {
            *own -= 1;
            if *own == 0 {
                open.by_client.remove(&self.client);
            }
        }
    }
}
