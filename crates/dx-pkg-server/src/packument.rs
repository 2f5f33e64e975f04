//! Packuments as bytes: an outline of their parts, and the two forms that clients are sent.
//!
//! The source is always a full packument, whoever wrote it. Its versions are read one at a time and
//! written as they stand, except for `dist.tarball`: a document of 40 MB is never in memory as a
//! tree.

mod outline;
mod render;
#[cfg(test)]
mod tests;

pub(crate) use outline::{Fields, Outline, dist};
pub(crate) use render::{Form, Options, View, render, render_version};
