//! Any text as the configuration of `dx-registry`.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::config(&String::from_utf8_lossy(data));
}
