//! Which packuments a resolution will ask for: what requirements name, and what the versions that
//! they select require in turn.

use dx_pkg_core::Spec;
use dx_pkg_format::packument::Packument;
use dx_pkg_resolve::Options;
use dx_pkg_resolve::pick::Picker;

/// The most requirements that are followed for one project. Packages can require one another
/// without end; the resolver finds that out.
pub const MOST_FOLLOWED: usize = Options::MAX_PACKAGES;

/// A requirement of a selected version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// The name under which it is required.
    pub name: String,
    /// The requirement as it is written.
    pub spec: String,
    /// Whether it is a peer.
    pub is_peer: bool,
}

/// Returns the package whose packument a requirement needs, and the requirement parsed; `None` for
/// what does not come from a registry.
#[must_use]
pub fn followed(name: &str, spec: &str) -> Option<(String, Spec)> {
    let parsed = Spec::parse(spec).ok()?;
    let name = match &parsed {
        Spec::Alias { name, .. } => name.as_str(),
        Spec::Range(_) | Spec::Version(_) | Spec::Tag(_) => name,
        _ => return None,
    };
    Some((name.to_owned(), parsed))
}

/// Returns what the version that `spec` selects requires: dependencies, optional ones, and peers
/// that are not optional.
#[must_use]
pub fn required_by(picker: &Picker, packument: &Packument, spec: &Spec) -> Vec<Required> {
    let Some(version) = picker.pick(packument, spec) else { return Vec::new() };
    let view = packument.version(version);
    let of = |is_peer| {
        move |(name, spec): (&str, &str)| Required {
            name: name.to_owned(),
            spec: spec.to_owned(),
            is_peer,
        }
    };
    let is_optional = view.optional_peers();
    let peers = view.peer_dependencies().filter(|(name, _)| !is_optional(name));
    let own = view.dependencies().chain(view.optional_dependencies());
    own.map(of(false)).chain(peers.map(of(true))).collect()
}
