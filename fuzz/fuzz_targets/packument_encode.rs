//! Any bytes as a registry's packument: refused, or a DXM that decodes and whose executables stay
//! inside.

use std::sync::Arc;

use dx_pkg_compat::packument::encode;
use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Packument;

pub(crate) fn run(data: &[u8]) {
    let Ok(name) = PackageName::parse("a") else { return };
    let Ok(bytes) = encode(data, &name) else { return };
    let packument = Packument::decode(Arc::new(bytes)).expect("what was encoded decodes");
    for version in packument.versions() {
        for (bin, path) in version.bins() {
            assert!(!bin.is_empty() && !bin.contains(['/', '\\', '\0']), "{bin:?}");
            assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path:?}");
        }
    }
}
