//! The tables of packages: their files without contents.

use std::sync::Arc;

use dx_pkg_format::FormatError;
use dx_pkg_format::dxp::{Dxp, Layout};

/// A package's tables: its files without their contents.
#[derive(Debug, Clone)]
pub struct PackageTables {
    bytes: Arc<Vec<u8>>,
    layout: Layout,
}

impl PackageTables {
    /// Decodes the bytes of a DXP file up to its payload.
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self, FormatError> {
        let layout = Layout::decode_tables(&bytes)?;
        Ok(Self { bytes: Arc::new(bytes), layout })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns a view of the package whose contents cannot be read.
    #[must_use]
    pub fn dxp(&self) -> Dxp<'_> {
        self.layout.view(&self.bytes)
    }
}
