//! Any text as something to be printed: no control character is left, and what is safe stays as it
//! is. Any bytes as a text file that is kept through an edit.

use dx_pkg_compat::foreign_bytes::{keep, replaced, restored};
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::text::{output_text, plain_text};

const LONGEST: usize = 200;
const REPLACED: char = char::REPLACEMENT_CHARACTER;

pub(crate) fn run(data: &[u8]) {
    let kept = keep(data.to_vec());
    assert_eq!(restored(&kept, &kept), data);
    assert_eq!(replaced(&kept).chars().filter(|c| *c != REPLACED).count(), valid(data));
    let text = String::from_utf8_lossy(data);
    let plain = plain_text(&text, LONGEST);
    assert!(!plain.contains(char::is_control), "{plain:?}");
    assert!(plain.chars().count() <= LONGEST + 1, "{plain:?}");
    if plain.chars().count() <= LONGEST {
        assert_eq!(plain_text(&plain, LONGEST), plain);
    }
    let output = output_text(&text, false);
    assert!(!output.contains(|c: char| c.is_control() && c != '\t' && c != '\n'), "{output:?}");
    assert_eq!(output_text(&output, false), output);
    let coloured = output_text(&text, true);
    assert!(!coloured.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\u{1b}')));
    let redacted = redact_urls(&text);
    assert_eq!(redact_urls(&redacted), redacted);
    let with_secret = format!("https://user:hunter22@host/ {text}");
    assert!(!redact_urls(&with_secret).contains("hunter22") || text.contains("hunter22"));
}

/// Returns the number of characters other than the one that replaces others.
fn valid(data: &[u8]) -> usize {
    data.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(|c| *c != REPLACED).count()
}
