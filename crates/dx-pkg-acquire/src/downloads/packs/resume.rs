//! Streams that broke off: what has come whole stays, and the rest is asked for again.
//!
//! Of a large package of which whole frames came, the rest is requested by its id; other packages
//! are requested anew, together. A server that breaks off again and again is left alone in the end.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{Choice, Held, Kind, PackHead, ServerKey, Wanted};
use dx_pkg_registry::dxrp::{AnswerError, Begun, MessageReader};

use super::early::Early;
use super::unpack::Buffers;
use super::{Ordered, Run, STREAMS, WORTH_A_STREAM, requests};
use crate::dxrp::DxrpError;

/// The pauses before what is missing is asked for again: a server that is started again needs a
/// moment.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(600), Duration::from_secs(2)];

/// A package of which whole frames came before its stream broke off.
pub(super) struct Started {
    id: PackageId,
    begun: Begun,
    /// What the frames hold, but for what was unpacked.
    payload: Vec<u8>,
    early: Option<Early>,
    key: ServerKey,
}

impl Run {
    /// Keeps the beginning of a package.
    pub(super) fn keep_started(
        &self,
        begun: Begun,
        (payload, mut early): (Vec<u8>, Option<Early>),
        key: ServerKey,
    ) {
        let id = match &mut early {
            Some(early) => {
                // Others wait for its seat, and nothing comes for it now.
                early.stand_up();
                Some(early.id())
            }
            None => PackHead::decode(&payload).ok().map(|(head, _)| head.package.id),
        };
        // A difference cannot be requested by its id.
        if let Some(id) = id.filter(|_| begun.kind == Kind::Pack) {
            self.started().push(Started { id, begun, payload, early, key });
        }
    }

    /// Asks again for what is missing; returns the last failure.
    pub(super) fn resume(&self, failure: DxrpError) -> Result<(), DxrpError> {
        let mut failure = failure;
        for pause in PAUSES {
            let is_known = self.wanted.get().is_some();
            if !failure.is_broken() || !is_known || self.missing() == 0 {
                break;
            }
            if !self.dxrp.pause(pause) {
                break;
            }
            self.dxrp.explain_repetition(&failure);
            for started in std::mem::take(&mut *self.started()) {
                // What does not come that way is asked for with the others.
                let _ = self.finish_started(started);
            }
            let requests = self.requests_for_missing();
            match self.read_all(&requests) {
                Ok(()) => return Ok(()),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Returns how many packages have to come and have not.
    fn missing(&self) -> usize {
        self.open().values().filter(|ordered| ordered.is_needed).count()
    }

    /// Returns requests for the packages that have to come and have not.
    fn requests_for_missing(&self) -> Vec<Vec<u8>> {
        let open = self.open();
        let missing: Vec<&Ordered> = open.values().filter(|ordered| ordered.is_needed).collect();
        let wanted = missing.iter().map(|ordered| Wanted {
            id: ordered.download.id,
            name: ordered.request.name.as_str().to_owned(),
            version: ordered.request.version.to_string(),
        });
        let choice = Choice::Named(wanted.collect());
        let held = missing.iter().filter_map(|ordered| self.held.get(&ordered.download.id));
        let held: Vec<Held> = held.cloned().collect();
        let streams = missing.len().div_ceil(WORTH_A_STREAM).min(STREAMS);
        if missing.is_empty() {
            return Vec::new();
        }
        // At most STREAMS.
        requests(None, &choice, &held, streams.max(1) as u16)
    }

    /// Requests the rest of a package, and puts it into the store.
    fn finish_started(&self, started: Started) -> Result<(), DxrpError> {
        let Started { id, begun, mut payload, mut early, key } = started;
        if !self.open().contains_key(&id) {
            return Ok(());
        }
        let (before, rest) = self.dxrp.rest_of(&self.network, id, begun.bytes)?;
        let mut reader = MessageReader::new(rest.as_ref());
        let kind = match before {
            0 => {
                early = None;
                reader.read_into(&mut payload, |_, _, _| {})
            }
            _ => {
                let feed = |_, so_far: &mut Vec<u8>, _| {
                    if let Some(early) = &mut early {
                        early.feed(so_far);
                    }
                };
                reader.go_on(begun, &mut payload, feed).map(Some)
            }
        };
        if kind.map_err(AnswerError::from)? != Some(Kind::Pack) {
            return Err(AnswerError::CutOff.into());
        }
        let (buffers, seen) = (&mut Buffers::default(), &mut HashSet::new());
        match early {
            Some(early) => self.take_early(early, &mut payload, seen),
            None => self.take(&payload, &key, (buffers, seen), None),
        }
    }

    fn started(&self) -> MutexGuard<'_, Vec<Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
