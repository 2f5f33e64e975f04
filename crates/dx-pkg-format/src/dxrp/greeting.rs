//! The small messages: HELLO, KEY, MISSING, ERROR and END.

use dx_pkg_core::PackageId;

use super::{FrameError, VERSION, whole};
use crate::wire::{Reader, Writer};

/// The first four bytes of a HELLO.
const SIGNATURE: [u8; 4] = *b"DXRP";

/// What a side can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It plans, or wants plans.
    pub plan: bool,
    /// It sends or takes whole packages.
    pub pack: bool,
    /// It sends or takes differences between packages.
    pub delta: bool,
    /// It sends or takes packuments.
    pub meta: bool,
}

impl Capabilities {
    /// Everything that this build can do.
    pub const ALL: Self = Self { plan: true, pack: true, delta: true, meta: true };

    fn bits(self) -> u32 {
        u32::from(self.plan)
            | u32::from(self.pack) << 1
            | u32::from(self.delta) << 2
            | u32::from(self.meta) << 3
    }

    /// Bits that this version does not know are abilities that it does not use.
    fn of(bits: u32) -> Self {
        let has = |bit: u32| bits >> bit & 1 != 0;
        Self { plan: has(0), pack: has(1), delta: has(2), meta: has(3) }
    }
}

/// The first message of either side; that of a server has the version that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version that it speaks.
    pub lowest: u16,
    /// The highest version that it speaks.
    pub highest: u16,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Hello {
    /// Returns the HELLO of this build.
    #[must_use]
    pub fn new(capabilities: Capabilities) -> Self {
        Self { lowest: VERSION, highest: VERSION, capabilities }
    }

    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(16);
        out.bytes(&SIGNATURE);
        out.bytes(&self.lowest.to_le_bytes());
        out.bytes(&self.highest.to_le_bytes());
        out.u32(self.capabilities.bits());
        out.u32(0);
        out.into_bytes()
    }

    /// Decodes the message, of which later versions may have more.
    ///
    /// # Errors
    /// It is no HELLO, or of no version that this build speaks.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(bytes);
        let read = |reader: &mut Reader<'_>| {
            let signature: [u8; 4] = reader.array()?;
            let lowest = u16::from_le_bytes(reader.array()?);
            let highest = u16::from_le_bytes(reader.array()?);
            let capabilities = Capabilities::of(reader.u32()?);
            reader.u32()?;
            (signature == SIGNATURE).then_some(Self { lowest, highest, capabilities })
        };
        let hello = read(&mut reader).ok_or(FrameError::Malformed { message: "HELLO" })?;
        let (lowest, highest) = (hello.lowest, hello.highest);
        match (lowest..=highest).contains(&VERSION) {
            true => Ok(hello),
            false => Err(FrameError::Version { lowest, highest, supported: VERSION }),
        }
    }
}

/// The key by which a server signs what it says about packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// The point of an ECDSA key on P-256, not compressed: 65 bytes.
    pub point: [u8; 65],
}

impl ServerKey {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.point.to_vec()
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// It is not the point of a key.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let read =
            |reader: &mut Reader<'_>| reader.array().filter(|point: &[u8; 65]| point[0] == 4);
        whole(bytes, "KEY", read).map(|point| Self { point })
    }
}

/// The reason why a package is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The registry has no such package.
    Unknown = 1,
    /// The client may not have it.
    Refused = 2,
    /// It is too large for one message.
    TooLarge = 3,
    /// It cannot be had now.
    Unavailable = 4,
}

/// A package that is not sent; a client asks for its tarball instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The package.
    pub id: PackageId,
    /// The reason.
    pub reason: Reason,
}

impl Missing {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(33);
        out.bytes(self.id.as_bytes());
        out.u8(self.reason as u8);
        out.into_bytes()
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// It is cut off, or has an unknown reason.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "MISSING", |reader| {
            let id = PackageId::from_bytes(reader.array()?);
            let number = reader.u8()?;
            let reasons = [Reason::Unknown, Reason::Refused, Reason::TooLarge, Reason::Unavailable];
            let reason = reasons.into_iter().find(|reason| *reason as u8 == number)?;
            Some(Self { id, reason })
        })
    }
}

/// The kind of reason for which a whole request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Trouble {
    /// The request cannot be read.
    Malformed = 1,
    /// The server cannot plan this, or does not have what is asked for.
    Unsupported = 2,
    /// The client may not do this.
    Refused = 3,
    /// The request asks for too much.
    TooMuch = 4,
    /// The server cannot answer now.
    Unavailable = 5,
    /// The plan that the client names is not known here.
    UnknownPlan = 6,
}

/// The message by which a request fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What a client does about it.
    pub trouble: Trouble,
    /// The reason in words. It comes from another machine.
    pub message: String,
}

impl Refusal {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.message.len() + 5);
        out.u8(self.trouble as u8);
        out.text(&self.message);
        out.into_bytes()
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// It is cut off, or has an unknown kind of trouble.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "ERROR", |reader| {
            let number = reader.u8()?;
            let message = reader.text()?.to_owned();
            let troubles = [
                Trouble::Malformed,
                Trouble::Unsupported,
                Trouble::Refused,
                Trouble::TooMuch,
                Trouble::Unavailable,
                Trouble::UnknownPlan,
            ];
            let trouble = troubles.into_iter().find(|trouble| *trouble as u8 == number)?;
            Some(Self { trouble, message })
        })
    }
}

/// The last message of either side; a server counts in it what it has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// How many PACK, DELTA and MISSING messages there were.
    pub packages: u32,
    /// How many META messages there were.
    pub packuments: u32,
}

impl End {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(8);
        out.u32(self.packages);
        out.u32(self.packuments);
        out.into_bytes()
    }

    /// Decodes the message.
    ///
    /// # Errors
    /// It is cut off or too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "END", |reader| {
            Some(Self { packages: reader.u32()?, packuments: reader.u32()? })
        })
    }
}
