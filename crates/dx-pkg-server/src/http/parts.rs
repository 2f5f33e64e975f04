//! What the braces of a pattern stand for in a path.

use dx_pkg_core::PackageName;

/// The parts of a path that the pattern's braces stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) name: Option<PackageName>,
    pub(crate) values: Vec<(&'static str, String)>,
}
