//! `package-lock.json` and `npm-shrinkwrap.json`.
//!
//! Versions 1 to 4 are read; version 1 is upgraded as npm upgrades it, and written on request. The
//! output is that of npm 12. Version 4 is version 3 with what only npm 12.2 and later understand:
//! patches, and manifests that rules of the project altered.

mod conflict;
mod legacy;
mod path;
mod read;
mod source;
mod splice;
mod write;

pub use conflict::merged;
pub use read::{is_safe, read};
pub use splice::{splice, splice_hidden};
pub use write::{write, write_hidden, write_like, write_version_1};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod version_4;
