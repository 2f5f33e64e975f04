//! Any text as an identity token, with the keys of its issuer on the second line.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::identity_token(&String::from_utf8_lossy(data));
}
