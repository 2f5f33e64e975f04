//! Plans as objects of the cache, so that a new process has them.
//!
//! Little-endian; a text is its length (u32) and UTF-8, a list the number of its items (u32) and
//! the items. Version of the form (u32, 2), question (blob), address of the registry (text), a list
//! of what it rests on (name, tag, whether it is published here), the PLAN message (blob), and a
//! list with whether each entry is installed on its platform; at the end the XXH3-64 of all that.

use super::super::frames::payload;
use super::compute::planned_of;
use super::{Computed, Question, Rest};
use dx_pkg_core::PackageName;
use dx_pkg_format::dxrp::Plan;
use dx_pkg_format::wire::{Reader, Writer, checksum};

const VERSION: u32 = 2;

/// Encodes an answer with a plan that does not depend on the time; `None` for any other.
pub(super) fn encode(computed: &Computed) -> Option<Vec<u8>> {
    let planned = computed.outcome.as_ref().ok().filter(|_| !computed.is_timed)?;
    let payload = payload(&planned.frames);
    let mut out = Writer::with_capacity(payload.len() + computed.rests.len() * 80);
    out.u32(VERSION);
    out.blob(&computed.question.bytes);
    out.text(&computed.question.base);
    out.list(&computed.rests, |out, rest| {
        out.text(rest.name.as_str());
        out.text(&rest.tag);
        out.flag(rest.is_hosted);
    });
    out.blob(&payload);
    out.list(&planned.entries, |out, entry| out.flag(entry.is_installed));
    let mut bytes = out.into_bytes();
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    Some(bytes)
}

/// Decodes an answer; `None` where the bytes are damaged or of another version.
pub(super) fn decode(bytes: &[u8]) -> Option<Computed> {
    let (bytes, sum) = bytes.split_last_chunk::<8>()?;
    if checksum(bytes) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut reader = Reader::new(bytes);
    if reader.u32()? != VERSION {
        return None;
    }
    let question = Question { bytes: reader.blob()?.into(), base: reader.text()?.into() };
    let rests = reader.list(|reader| {
        let name = PackageName::parse(reader.text()?).ok()?;
        Some(Rest { name, tag: reader.text()?.to_owned(), is_hosted: reader.flag()? })
    })?;
    let payload = reader.blob()?;
    let installed = reader.list(|reader| reader.flag())?;
    let plan = Plan::decode(payload).ok()?;
    let lock = zstd::bulk::decompress(&plan.lock, plan.unpacked as usize).ok()?;
    let planned = planned_of(&lock, payload, |at| installed.get(at).copied().unwrap_or(true))?;
    Some(Computed::new(question, rests, Ok(planned), false))
}
