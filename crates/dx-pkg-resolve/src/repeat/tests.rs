use dx_pkg_core::Platform;
use dx_pkg_format::packument::Packument;

use super::*;
use crate::pick::PickOptions;
use crate::{External, Placing, ProviderError};

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
    ProviderError { code: "DX_X", message: "gone".into(), hint: None }
}

fn options() -> Options {
    Options {
        pick: PickOptions::default(),
        platform: Platform::host(None),
        more_platforms: Vec::new(),
        legacy_peer_deps: false,
        strict_peer_deps: false,
        solves_conflicts: false,
        explains_conflicts: false,
        engine_strict: false,
        known_conflicts: Vec::new(),
        prefer_dedupe: false,
        placing: Placing::Hoisted,
        update: Vec::new(),
        explicit: Vec::new(),
        explicit_in: Vec::new(),
        workspaces: Vec::new(),
        frozen: false,
        install_links: false,
        max_packages: Options::MAX_PACKAGES,
    }
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
