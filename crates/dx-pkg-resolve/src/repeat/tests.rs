use dx_pkg_format::packument::Packument;

use super::*;
use crate::{External, ProviderError, resolve_once};

/// A registry that has gone.
struct Gone;

impl Provider for Gone {
    fn packument(&self, _: &str) -> Result<Packument, ProviderError> {
        Err(error())
    }

    fn manifest(&self, _: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        Err(error())
    }

    fn bundled(&self, _: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        Err(error())
    }
}

fn error() -> ProviderError {
    ProviderError::new("DX_X", "gone")
}

fn options() -> Options {
    crate::graph::options(Vec::new(), false)
}

#[test]
fn lock_that_stays_refused_says_why() {
    let mut requirements = Requirements::default();
    let first = resolve_once(&requirements, None, &Gone, &options()).unwrap();
    let first = Resolution { changed: true, has_unmet: true, ..first };
    let taken = until_taken(first.clone(), &requirements, None, &Gone, &options());
    assert_eq!(taken.refused, None);
    requirements.root.dependencies.push(("a".to_owned(), "^1.0.0".to_owned()));
    let refused = until_taken(first, &requirements, None, &Gone, &options()).refused;
    let expected = "the lockfile has no a that satisfies \"^1.0.0\", which the project asks for";
    assert_eq!(refused.as_deref(), Some(expected));
}
