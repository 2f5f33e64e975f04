//! Requests, put together from the bytes that arrive, whatever carries them.
//!
//! Nothing is allocated for what has not come. A request that is in disorder is refused at once.

use super::work::{FREE, Work};
use bytes::{Buf as _, BytesMut};
use dx_pkg_format::dxrp::{
    Capabilities, End, FrameError, FrameHead, HEAD, Hello, Kind, MetaQuestion, PlanQuestion,
    Refusal, Trouble, Want,
};
use tokio::sync::OwnedSemaphorePermit;

/// The most bytes of a request.
const MOST: u64 = 40 << 20;

/// A client's request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) hello: Option<Hello>,
    pub(super) plan: Option<PlanQuestion>,
    /// The question for a plan as it was encoded.
    pub(super) plan_bytes: Vec<u8>,
    pub(super) want: Option<Want>,
    /// Questions for packuments, and whether full ones are wanted.
    pub(super) meta: Option<(Vec<MetaQuestion>, bool)>,
    /// The room that it takes.
    room: Vec<OwnedSemaphorePermit>,
}

/// Puts requests together.
#[derive(Default)]
pub(super) struct Requests {
    /// Bytes of the frame that is arriving.
    buffer: BytesMut,
    /// The message that is arriving.
    message: Option<(Kind, Vec<u8>)>,
    request: Request,
    /// The kind of the last message.
    last: Option<Kind>,
    length: u64,
}

impl Requests {
    /// Takes bytes that have arrived.
    ///
    /// # Errors
    /// The request is too long, or there is no room for it.
    pub(super) fn feed(&mut self, bytes: &[u8], work: &Work) -> Result<(), Refusal> {
        self.length += bytes.len() as u64;
        if self.length > MOST {
            return Err(refusal(Trouble::TooMuch, format!("a request has at most {MOST} bytes")));
        }
        let counted = self.length.saturating_sub(FREE).div_ceil(1 << 20);
        while (self.request.room.len() as u64) < counted {
            let room = work.room_for_request().ok_or_else(|| {
                refusal(Trouble::Unavailable, "the registry is busy with long requests: try again")
            })?;
            self.request.room.push(room);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Returns whether nothing of a request has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.message.is_none() && self.last.is_none()
    }

    /// Returns a request that has arrived whole; `None` where more must come.
    ///
    /// # Errors
    /// What came is no request.
    pub(super) fn next(&mut self) -> Result<Option<Request>, Refusal> {
        loop {
            let Some((kind, payload)) = self.message().map_err(|error| malformed(&error))? else {
                return Ok(None);
            };
            self.take(kind, payload).map_err(|error| malformed(&error))?;
            if kind == Kind::End {
                self.last = None;
                self.length = self.buffer.len() as u64;
                return Ok(Some(std::mem::take(&mut self.request)));
            }
        }
    }

    /// Returns the next message that is whole.
    fn message(&mut self) -> Result<Option<(Kind, Vec<u8>)>, FrameError> {
        loop {
            let Some(head) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
            let head = FrameHead::decode(head)?;
            let (kind, message) = (head.kind, head.kind.name());
            if !is_clients(kind) {
                return Err(FrameError::OutOfOrder { message });
            }
            let before = match &self.message {
                Some((known, _)) if *known != kind => {
                    return Err(FrameError::OutOfOrder { message });
                }
                Some((_, payload)) => payload.len(),
                None => 0,
            };
            if (before + head.length) as u64 > kind.most() {
                return Err(FrameError::TooLong { message, most: kind.most() });
            }
            let Some(payload) = self.buffer.get(HEAD..HEAD + head.length) else { return Ok(None) };
            head.check(payload)?;
            let (_, whole) = self.message.get_or_insert_with(|| (kind, Vec::new()));
            whole.extend_from_slice(payload);
            self.buffer.advance(HEAD + head.length);
            if !head.more {
                return Ok(self.message.take());
            }
        }
    }

    /// Takes a message of a request, where it belongs.
    fn take(&mut self, kind: Kind, payload: Vec<u8>) -> Result<(), FrameError> {
        let rank = |kind: Kind| match kind {
            Kind::Hello => 1,
            Kind::PlanQuestion => 2,
            Kind::Want => 3,
            Kind::MetaQuestion => 4,
            _ => 5,
        };
        let is_in_order = match self.last {
            None => kind == Kind::Hello,
            Some(last) => rank(last) < rank(kind),
        };
        if !is_in_order {
            return Err(FrameError::OutOfOrder { message: kind.name() });
        }
        let request = &mut self.request;
        match kind {
            Kind::Hello => request.hello = Some(Hello::decode(&payload)?),
            Kind::PlanQuestion => {
                request.plan = Some(PlanQuestion::decode(&payload)?);
                request.plan_bytes = payload;
            }
            Kind::Want => request.want = Some(Want::decode(&payload)?),
            Kind::MetaQuestion => request.meta = Some(MetaQuestion::decode(&payload)?),
            _ => drop(End::decode(&payload)?),
        }
        self.last = Some(kind);
        Ok(())
    }
}

impl Request {
    /// Returns what the client can do.
    pub(super) fn capabilities(&self) -> Capabilities {
        self.hello.map(|hello| hello.capabilities).unwrap_or_default()
    }
}

/// Creates the refusal of a request.
pub(super) fn refusal(trouble: Trouble, message: impl Into<String>) -> Refusal {
    Refusal { trouble, message: message.into() }
}

fn malformed(error: &FrameError) -> Refusal {
    refusal(Trouble::Malformed, error.to_string())
}

fn is_clients(kind: Kind) -> bool {
    use Kind::{End, Hello, MetaQuestion, PlanQuestion, Want};
    matches!(kind, Hello | PlanQuestion | Want | MetaQuestion | End)
}
