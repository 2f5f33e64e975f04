//! Packuments as a source delivers them.
//!
//! Times are durations in milliseconds; the caller has a clock and adds them to it.

use dx_pkg_core::PackageName;
use dx_pkg_fetch::Priority;
pub use dx_pkg_format::packument::Form as PackumentForm;

/// The validators of a cached packument, for a conditional request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Validator {
    /// The `ETag`, quotes included, as sent.
    pub etag: Option<String>,
    /// The `Last-Modified` date, as sent.
    pub last_modified: Option<String>,
}

impl Validator {
    /// Returns whether there is no validator at all.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// How long an answer may be used, counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    /// How long without a request, in milliseconds.
    pub fresh_for_ms: u64,
    /// How long after that while it is revalidated, in milliseconds.
    pub stale_for_ms: u64,
}

/// The answer to a request for a packument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackumentAnswer {
    /// A packument, in the binary form DXM.
    Modified {
        /// The encoded packument.
        bytes: Vec<u8>,
        /// The validators for the next request.
        validator: Validator,
        /// How long it may be used.
        lifetime: Lifetime,
        /// Whether it holds what [`PackumentForm::Full`] asks for, whichever form was requested.
        full: bool,
        /// The size of the body as sent, in bytes.
        received: u64,
    },
    /// The packument that the validator belongs to is still current.
    NotModified {
        /// How long it may be used from now on; `None` for as long as it could at first.
        lifetime: Option<Lifetime>,
    },
}

/// A request for a packument.
#[derive(Debug, Clone, Copy)]
pub struct PackumentRequest<'r> {
    /// The package.
    pub name: &'r PackageName,
    /// The form to request.
    pub form: PackumentForm,
    /// The validators of a cached packument; the answer may then be
    /// [`PackumentAnswer::NotModified`].
    pub validator: Option<&'r Validator>,
    /// The urgency of the request.
    pub priority: Priority,
}

/// A function that receives a packument, on the thread that decoded it.
pub type PackumentSink = Box<dyn FnOnce(PackumentAnswer) + Send>;
