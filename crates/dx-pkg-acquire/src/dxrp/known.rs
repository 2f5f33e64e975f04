//! The record of what is known of a registry's protocol.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | 16 bytes | the beginning of all formats here; signature `DXK\0`, version 1 |
//! | 16 | u8 | carrier: 0 none, 1 raw, 2 HTTP |
//! | 17 | u64 | when the registry was asked, in milliseconds since 1970 |
//! | 25 | u8 | whether a key follows |
//! | 26 | 65 bytes | the key |

use dx_pkg_format::dxrp::ServerKey;
use dx_pkg_format::wire::Frame;

const FRAME: Frame = Frame { format: "record of a protocol", signature: *b"DXK\0", version: 1 };
/// The time for which an answer is believed, in milliseconds: a registry learns DXRP when its
/// server is updated.
const BELIEVED_MS: u64 = 3 * 24 * 60 * 60 * 1000;

/// How a registry speaks DXRP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Not at all.
    #[default]
    None = 0,
    /// Over a connection of its own.
    Raw = 1,
    /// In the bodies of HTTP.
    Http = 2,
}

/// What is known of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) carrier: Carrier,
    /// When it was asked, in milliseconds since 1970; 0 for never.
    pub(super) asked_ms: u64,
    /// The key that it signs with.
    pub(super) key: Option<ServerKey>,
}

impl Known {
    /// Returns whether the registry need not be asked.
    pub(super) fn is_fresh(&self, now_ms: u64) -> bool {
        self.asked_ms <= now_ms && now_ms - self.asked_ms < BELIEVED_MS
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = FRAME.begin(80);
        out.u8(self.carrier as u8);
        out.u64(self.asked_ms);
        out.flag(self.key.is_some());
        if let Some(key) = &self.key {
            out.bytes(&key.point);
        }
        Frame::finish(out)
    }

    /// Decodes a record; `None` if it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = FRAME.open(bytes).ok()?;
        let carriers = [Carrier::None, Carrier::Raw, Carrier::Http];
        let number = reader.u8()?;
        let carrier = carriers.into_iter().find(|carrier| *carrier as u8 == number)?;
        let asked_ms = reader.u64()?;
        let key = match reader.flag()? {
            true => Some(ServerKey::decode(&reader.array::<65>()?).ok()?),
            false => None,
        };
        reader.is_empty().then_some(Self { carrier, asked_ms, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_damage_is_seen() {
        let mut point = [7; 65];
        point[0] = 4;
        for key in [None, Some(ServerKey { point })] {
            let known = Known { carrier: Carrier::Http, asked_ms: 12, key };
            let bytes = known.encode();
            assert_eq!(Known::decode(&bytes), Some(known));
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1;
                assert_eq!(Known::decode(&damaged), None, "byte {at}");
            }
        }
    }

    #[test]
    fn an_answer_is_believed_for_some_days_and_not_from_the_future() {
        let known = |asked_ms| Known { asked_ms, ..Known::default() };
        let now = 10 * BELIEVED_MS;
        assert!(known(now).is_fresh(now) && known(now - BELIEVED_MS + 1).is_fresh(now));
        assert!(!known(now - BELIEVED_MS).is_fresh(now));
        assert!(!known(now + 1).is_fresh(now) && !known(0).is_fresh(now));
    }
}
