//! The check that every changed line of a patch belongs to a hunk.
//!
//! Readers of patches pass over what stands between hunks. If a header states fewer lines than its
//! hunk has, as it does after an edit by hand, the rest would silently not be applied.

use super::PatchError;

/// Checks the patch.
pub(super) fn check(patch: &[u8]) -> Result<(), PatchError> {
    // The lines that are still to come of the old and the new file.
    let mut left = (0_u64, 0_u64);
    let mut is_after_hunk = false;
    for (number, line) in patch.split(|byte| *byte == b'\n').enumerate() {
        let refuse = |reason: &str| {
            Err(PatchError::Syntax { reason: format!("line {} {reason}", number + 1) })
        };
        if left != (0, 0) {
            match line.first() {
                Some(b'-') if left.0 > 0 => left.0 -= 1,
                Some(b'+') if left.1 > 0 => left.1 -= 1,
                Some(b'\\') => {}
                // Editors remove the space of an empty line.
                Some(b' ' | b'\r') | None if left.0 > 0 && left.1 > 0 => {
                    left = (left.0 - 1, left.1 - 1);
                }
                _ => return refuse("does not belong into its hunk, whose header counts others"),
            }
            is_after_hunk = true;
        } else if let Some(header) = line.strip_prefix(b"@@ -") {
            match counts(header) {
                Some(counts) => left = counts,
                None => return refuse("is no header of a hunk"),
            }
        } else {
            let is_header = [&b"--- "[..], b"+++ ", b"-- "].iter().any(|it| line.starts_with(it));
            let is_signature = line == b"--" || line == b"--\r";
            let is_change = matches!(line.first(), Some(b'+' | b'-' | b' '));
            if is_after_hunk && is_change && !is_header && !is_signature {
                return refuse("follows a hunk whose header counts fewer lines");
            }
            is_after_hunk &= line.starts_with(b"\\");
        }
    }
    match left {
        (0, 0) => Ok(()),
        _ => Err(PatchError::Syntax { reason: "it ends within a hunk".to_owned() }),
    }
}

/// Returns the numbers of lines in `1,2 +3,4 @@`.
fn counts(header: &[u8]) -> Option<(u64, u64)> {
    let header = str::from_utf8(header.get(..header.len().min(80))?)
        .or_else(|error| str::from_utf8(header.get(..error.valid_up_to()).unwrap_or_default()));
    let (old, rest) = header.ok()?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let count = |range: &str| match range.split_once(',') {
        Some((start, count)) => start.parse::<u64>().ok().and(count.parse().ok()),
        None => range.parse::<u64>().ok().map(|_| 1),
    };
    Some((count(old)?, count(new)?))
}
