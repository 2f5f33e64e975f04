//! What a package registry answers, whatever protocol it speaks.
//!
//! These types carry no protocol: npm's HTTP registry (in `dx-pkg-compat`) fills them today. Times are durations in
//! milliseconds; the caller, who has a clock, makes points in time of them.

/// Which form of a packument is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PackumentForm {
    /// What installing needs.
    #[default]
    Abbreviated,
    /// Everything, publication times included.
    Full,
}

/// By what a registry can tell whether a packument has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Validator {
    /// The `ETag`, quotes included, as sent.
    pub etag: Option<String>,
    /// The `Last-Modified` date, as sent.
    pub last_modified: Option<String>,
}

impl Validator {
    /// Whether there is nothing to compare by.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// How long an answer may be used, from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    /// Without asking, in milliseconds.
    pub fresh_for_ms: u64,
    /// After that, while it is being asked whether it is current, in milliseconds.
    pub stale_for_ms: u64,
}

/// The answer to a request for a packument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackumentAnswer {
    /// A packument, in the binary form DXM.
    Modified {
        /// The encoded packument.
        bytes: Vec<u8>,
        /// What to ask with next time.
        validator: Validator,
        /// How long it may be used.
        lifetime: Lifetime,
        /// Whether it holds what [`PackumentForm::Full`] asks for, whichever form was asked for.
        full: bool,
        /// How many bytes its body had, as sent.
        received: u64,
    },
    /// What the validator stands for is still current.
    NotModified {
        /// How long it may be used from now on.
        lifetime: Lifetime,
    },
}
