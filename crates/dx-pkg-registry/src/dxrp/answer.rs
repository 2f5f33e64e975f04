//! One request to a server, and its answer, read message by message.

use std::io::Read;
use std::time::Duration;

use dx_pkg_core::Coded;
use dx_pkg_core::text::plain_text;
use dx_pkg_format::dxrp::{
    Capabilities, End, FrameError, Hello, Kind, MetaAnswer, Missing, Plan, Refusal, ServerKey,
    Trouble, Want, encode_message,
};

use super::stream::{Begun, MessageReader, StreamError};

/// The reason why an answer is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The stream is broken, or is none of DXRP.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The stream ends before the answer does.
    #[error("the answer of a DXRP server ends before all has come")]
    CutOff,
    /// The server has sent fewer or more messages than it says.
    #[error("a DXRP server says that it has sent {said} messages, but {came} came")]
    Count {
        /// What it says.
        said: u64,
        /// How many came.
        came: u64,
    },
    /// The server refuses.
    #[error("the DXRP server refuses: {message}")]
    Refused {
        /// The kind of reason.
        trouble: Trouble,
        /// The server's words, made plain.
        message: String,
    },
}

impl From<FrameError> for AnswerError {
    fn from(error: FrameError) -> Self {
        Self::Stream(error.into())
    }
}

impl Coded for AnswerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stream(error) => error.code(),
            Self::CutOff | Self::Count { .. } => "DX_DXRP_STREAM",
            Self::Refused { .. } => "DX_DXRP_REFUSED",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Stream(error) => error.hint(),
            _ => None,
        }
    }
}

/// Returns the bytes of a request. `plan` is an encoded PLAN? message.
#[must_use]
pub fn encode_request(plan: Option<&[u8]>, want: Option<&Want>) -> Vec<u8> {
    let mut out = encode_message(Kind::Hello, &Hello::new(Capabilities::ALL).encode());
    if let Some(plan) = plan {
        out.extend_from_slice(&encode_message(Kind::PlanQuestion, plan));
    }
    if let Some(want) = want {
        out.extend_from_slice(&encode_message(Kind::Want, &want.encode()));
    }
    out.extend_from_slice(&encode_message(Kind::End, &End::default().encode()));
    out
}

/// A part of an answer.
#[derive(Debug)]
pub enum Part {
    /// The plan.
    Plan(Plan),
    /// A package, whole or as a difference: the message is in the caller's buffer.
    Package,
    /// A package that is not sent.
    Missing(Missing),
    /// A packument.
    Meta(MetaAnswer),
    /// All has come.
    End,
}

/// The order of messages, as a number that never falls.
const PLANS: u8 = 0;
const PACKAGES: u8 = 1;
const METAS: u8 = 2;

/// An answer that is being read.
#[derive(Debug)]
pub struct Answer<R> {
    reader: MessageReader<R>,
    key: ServerKey,
    capabilities: Capabilities,
    stage: u8,
    packages: u32,
    metas: u32,
}

impl<R: Read> Answer<R> {
    /// Reads how an answer begins: version and key of the server. No message may take longer than
    /// `limit`.
    ///
    /// # Errors
    /// The stream is broken, the server speaks another version, or refuses.
    pub fn begin(source: R, limit: Duration) -> Result<Self, AnswerError> {
        let mut reader = MessageReader::new(source).within(limit);
        let mut payload = Vec::new();
        expect(&mut reader, Kind::Hello, &mut payload)?;
        let capabilities = Hello::decode(&payload)?.capabilities;
        expect(&mut reader, Kind::Key, &mut payload)?;
        let key = ServerKey::decode(&payload)?;
        Ok(Self { reader, key, capabilities, stage: PLANS, packages: 0, metas: 0 })
    }

    /// Returns the server's key.
    pub fn key(&self) -> &ServerKey {
        &self.key
    }

    /// Returns what the server can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Returns the stream, for the next request after [`Part::End`].
    pub fn into_inner(self) -> R {
        self.reader.into_inner()
    }

    /// Returns the message within which the stream broke off; its beginning is in the payload.
    pub fn begun(&self) -> Option<Begun> {
        self.reader.begun()
    }

    /// Reads the next part. `payload` is a buffer to be used again, and holds the message of a
    /// package; `grows` is called before each frame of a message with its kind, what has come of it
    /// and the bytes that the frame adds: it may wait, and may take what is there.
    ///
    /// # Errors
    /// The stream is broken, a message does not belong where it came, or the server refuses.
    pub fn next(
        &mut self,
        payload: &mut Vec<u8>,
        grows: impl FnMut(Kind, &mut Vec<u8>, usize),
    ) -> Result<Part, AnswerError> {
        let kind = self.reader.read_into(payload, grows)?.ok_or(AnswerError::CutOff)?;
        let out_of_order = || FrameError::OutOfOrder { message: kind.name() };
        let stage = match kind {
            Kind::Plan => PLANS,
            Kind::Pack | Kind::Delta | Kind::Missing => PACKAGES,
            Kind::Meta | Kind::End => METAS,
            Kind::Error => return Err(refusal(payload)?),
            _ => return Err(out_of_order().into()),
        };
        if stage < self.stage {
            return Err(out_of_order().into());
        }
        self.stage = stage;
        match kind {
            Kind::Plan => {
                self.stage = PACKAGES;
                Ok(Part::Plan(Plan::decode(payload)?))
            }
            Kind::Missing => {
                self.packages = self.packages.saturating_add(1);
                Ok(Part::Missing(Missing::decode(payload)?))
            }
            Kind::Meta => {
                self.metas = self.metas.saturating_add(1);
                Ok(Part::Meta(MetaAnswer::decode(payload)?))
            }
            Kind::End => {
                let End { packages, packuments } = End::decode(payload)?;
                let said = u64::from(packages) + u64::from(packuments);
                let came = u64::from(self.packages) + u64::from(self.metas);
                match (packages, packuments) == (self.packages, self.metas) {
                    true => Ok(Part::End),
                    false => Err(AnswerError::Count { said, came }),
                }
            }
            _ => {
                self.packages = self.packages.saturating_add(1);
                Ok(Part::Package)
            }
        }
    }
}

/// Reads a message that must be of this kind.
fn expect<R: Read>(
    reader: &mut MessageReader<R>,
    kind: Kind,
    payload: &mut Vec<u8>,
) -> Result<(), AnswerError> {
    match reader.read_into(payload, |_, _, _| {})? {
        Some(found) if found == kind => Ok(()),
        Some(Kind::Error) => Err(refusal(payload)?),
        Some(found) => Err(FrameError::OutOfOrder { message: found.name() }.into()),
        None => Err(AnswerError::CutOff),
    }
}

fn refusal(payload: &[u8]) -> Result<AnswerError, AnswerError> {
    let Refusal { trouble, message } = Refusal::decode(payload)?;
    Ok(AnswerError::Refused { trouble, message: plain_text(&message, 300) })
}

#[cfg(test)]
mod tests;
