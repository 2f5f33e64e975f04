//! Any text as the readme of a package: a page of it has nothing that a browser would carry out.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::readme(&String::from_utf8_lossy(data));
}
