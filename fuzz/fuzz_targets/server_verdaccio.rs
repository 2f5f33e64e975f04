//! Any bytes as the document of a package of Verdaccio's: taken over, or left out.

use dx_pkg_server::fuzzing::Registry;
use std::sync::OnceLock;
use tokio::runtime::{Builder, Runtime};

static REGISTRY: OnceLock<(Registry, Runtime)> = OnceLock::new();

pub(crate) fn run(data: &[u8]) {
    let open = || {
        let registry = Registry::open(&crate::scratch::place("taking-registry")).expect("a folder");
        (registry, Builder::new_current_thread().enable_all().build().expect("a runtime"))
    };
    let (registry, runtime) = REGISTRY.get_or_init(open);
    runtime.block_on(registry.verdaccio(data, &crate::scratch::place("verdaccio")));
}
