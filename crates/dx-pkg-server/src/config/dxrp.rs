//! The table `[dxrp]` of the configuration.

use super::{Size, Span};
use serde::Deserialize;

/// The settings of dx's own protocol.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Dxrp {
    /// Whether it is spoken.
    pub(crate) enabled: bool,
    /// The memory for packages that are ready to be sent; larger ones are mapped, not read.
    pub(crate) memory: Size,
    /// The memory for differences between packages.
    pub(crate) deltas_memory: Size,
    /// The memory for packuments that plans are made from.
    pub(crate) metadata_memory: Size,
    /// The most plans that are kept, and made anew when a package changes.
    pub(crate) plans: usize,
    /// The time after which a connection is closed on which nothing is asked.
    pub(crate) idle: Span,
}

impl Default for Dxrp {
    fn default() -> Self {
        Self {
            enabled: true,
            memory: Size(256 << 20),
            deltas_memory: Size(64 << 20),
            metadata_memory: Size(256 << 20),
            plans: 64,
            idle: Span::seconds(60),
        }
    }
}
