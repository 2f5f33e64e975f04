//! `package-lock.json` and `npm-shrinkwrap.json`.
//!
//! Versions 1, 2 and 3 are read; version 1 is upgraded as npm upgrades it. The output is that of
//! npm 12.

mod conflict;
mod legacy;
mod path;
mod read;
mod source;
mod splice;
mod write;

pub use conflict::merged;
pub use read::read;
pub use splice::{splice, splice_hidden};
pub use write::{write, write_hidden, write_like};

#[cfg(test)]
mod tests;
