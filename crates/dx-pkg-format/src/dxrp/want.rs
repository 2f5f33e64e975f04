//! WANT: which packages a client wants, and what it holds of which they could be made.

use dx_pkg_core::PackageId;

use super::filter::Filter;
use super::{FrameError, whole};
use crate::wire::{Reader, Writer};

/// A client's wish for packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The number of this stream, from 0.
    pub part: u16,
    /// Among how many streams the packages are divided, from 1.
    pub parts: u16,
    /// The packages.
    pub choice: Choice,
    /// Packages that the client holds in another version.
    pub held: Vec<Held>,
}

/// A set of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// These.
    Named(Vec<Wanted>),
    /// Some of a lock that both sides know.
    OfPlan {
        /// BLAKE3 of the lock in the form DXL.
        lock: [u8; 32],
        /// A bit for each entry of the lock, the lowest of the first byte first.
        bits: Vec<u8>,
    },
    /// Everything in the plan that this request asks for but what the filter contains.
    AllBut(Filter),
}

/// A package by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The id, which is that of its integrity.
    pub id: PackageId,
    /// The package.
    pub name: String,
    /// The version.
    pub version: String,
}

/// A package that a client holds, of which another version is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The id of the one that is wanted.
    pub wanted: PackageId,
    /// The id of the one that is held.
    pub id: PackageId,
    /// The version that is held, of the same package.
    pub version: String,
}

const NAMED: u8 = 0;
const OF_PLAN: u8 = 1;
const ALL_BUT: u8 = 2;

impl Want {
    /// The most streams that packages are divided among.
    pub const MOST_PARTS: u16 = 64;

    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(1024);
        out.bytes(&self.part.to_le_bytes());
        out.bytes(&self.parts.to_le_bytes());
        match &self.choice {
            Choice::Named(wanted) => {
                out.u8(NAMED);
                out.list(wanted, |out, wanted| {
                    out.bytes(wanted.id.as_bytes());
                    out.text(&wanted.name);
                    out.text(&wanted.version);
                });
            }
            Choice::OfPlan { lock, bits } => {
                out.u8(OF_PLAN);
                out.bytes(lock);
                out.blob(bits);
            }
            Choice::AllBut(filter) => {
                out.u8(ALL_BUT);
                filter.write(&mut out);
            }
        }
        out.list(&self.held, |out, held| {
            out.bytes(held.wanted.as_bytes());
            out.bytes(held.id.as_bytes());
            out.text(&held.version);
        });
        out.into_bytes()
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// It is cut off or too long, or its part is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "WANT", |reader| {
            let part = u16::from_le_bytes(reader.array()?);
            let parts = u16::from_le_bytes(reader.array()?);
            if part >= parts || parts > Self::MOST_PARTS {
                return None;
            }
            let choice = match reader.u8()? {
                NAMED => Choice::Named(reader.list(wanted)?),
                OF_PLAN => Choice::OfPlan { lock: reader.array()?, bits: reader.blob()?.to_vec() },
                ALL_BUT => Choice::AllBut(Filter::read(reader)?),
                _ => return None,
            };
            Some(Self { part, parts, choice, held: reader.list(held)? })
        })
    }
}

fn wanted(reader: &mut Reader<'_>) -> Option<Wanted> {
    Some(Wanted {
        id: PackageId::from_bytes(reader.array()?),
        name: reader.text()?.to_owned(),
        version: reader.text()?.to_owned(),
    })
}

fn held(reader: &mut Reader<'_>) -> Option<Held> {
    Some(Held {
        wanted: PackageId::from_bytes(reader.array()?),
        id: PackageId::from_bytes(reader.array()?),
        version: reader.text()?.to_owned(),
    })
}
