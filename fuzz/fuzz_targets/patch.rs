//! Any bytes as a patch to a package with a few files: refused, or no path leads out of it.

use std::borrow::Cow;

use dx_pkg_compat::patch::{PatchedFile, PatchedFiles, apply};
use dx_pkg_format::dxp::FileMode;

const FILES: [(&str, &str); 4] = [
    ("index.js", "one\ntwo\nthree\nfour\nfive\nsix\n"),
    ("lib/x.js", "'use strict'\r\nmodule.exports = 1\r\n"),
    ("package.json", "{\"name\":\"a\"}"),
    ("empty", ""),
];

pub(crate) fn run(data: &[u8]) {
    let file = |(path, text): (&str, &'static str)| {
        let data = Cow::Borrowed(text.as_bytes());
        (path.to_owned(), PatchedFile { mode: FileMode::PLAIN, data })
    };
    let mut files: PatchedFiles<'_> = FILES.into_iter().map(file).collect();
    if apply(data, &mut files).is_err() {
        return;
    }
    for path in files.keys() {
        let mut parts = path.split('/');
        assert!(parts.all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
    }
}
