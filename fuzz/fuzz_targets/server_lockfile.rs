//! Any bytes as a lockfile that `dx-registry` is asked about.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::lockfile(data);
}
