//! Any bytes as the document of a publish: read, or refused with nothing left behind.

use dx_pkg_server::fuzzing::Registry;
use std::sync::OnceLock;

static REGISTRY: OnceLock<Registry> = OnceLock::new();

pub(crate) fn run(data: &[u8]) {
    let open = || Registry::open(&crate::scratch::place("registry")).expect("a folder");
    REGISTRY.get_or_init(open).publish(data);
}
