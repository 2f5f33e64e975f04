//! Messages that are kept as their frames.

use dx_pkg_format::dxrp::{FrameHead, HEAD, Kind};

/// Returns the payload of the frames of one message.
pub(super) fn payload(mut frames: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(frames.len());
    while let Some((head, rest)) = frames.split_first_chunk::<HEAD>() {
        let Ok(head) = FrameHead::decode(head) else { break };
        let Some((part, rest)) = rest.split_at_checked(head.length) else { break };
        payload.extend_from_slice(part);
        frames = rest;
    }
    payload
}

/// Returns whether these are the frames of one PACK or DELTA message.
pub(super) fn are_sound(mut frames: &[u8]) -> bool {
    loop {
        let Some((head, rest)) = frames.split_first_chunk::<HEAD>() else { return false };
        let Ok(head) = FrameHead::decode(head) else { return false };
        let Some((payload, rest)) = rest.split_at_checked(head.length) else { return false };
        let is_kind = matches!(head.kind, Kind::Pack | Kind::Delta);
        if !is_kind || head.check(payload).is_err() {
            return false;
        }
        if !head.more {
            return rest.is_empty();
        }
        frames = rest;
    }
}
