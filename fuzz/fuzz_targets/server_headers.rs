//! Lines of any text as `Accept`, `Accept-Encoding`, `If-None-Match` and `Range`.

pub(crate) fn run(data: &[u8]) {
    dx_pkg_server::fuzzing::headers(&String::from_utf8_lossy(data));
}
