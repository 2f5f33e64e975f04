//! Who asks, and how an answer can end before it is complete.

use super::out::Gone;
use super::request::refusal;
use crate::access::Caller;
use crate::failure::Failure;
use dx_pkg_format::dxrp::{Refusal, Trouble};
use std::sync::Arc;

/// Who asks, and by which address of this registry.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) caller: Caller,
    pub(crate) base: Arc<str>,
}

impl Asker {
    /// Returns nobody, to whom nothing is sent but why.
    pub(super) fn nobody() -> Self {
        let address = std::net::Ipv4Addr::UNSPECIFIED.into();
        Self { caller: Caller::anybody(address), base: "".into() }
    }
}

/// The end of an answer that is not complete.
pub(super) enum Stop {
    Gone,
    Refused(Refusal),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Refused(refusal(trouble(&failure), failure.message))
    }
}

/// Returns what a client does about a failure of a whole request.
fn trouble(failure: &Failure) -> Trouble {
    match failure.status.as_u16() {
        401 | 403 => Trouble::Refused,
        400 => Trouble::Malformed,
        404 => Trouble::Unsupported,
        413 => Trouble::TooMuch,
        _ => Trouble::Unavailable,
    }
}
