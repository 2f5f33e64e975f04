//! Any text as the path of a request.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::path(&String::from_utf8_lossy(data));
}
