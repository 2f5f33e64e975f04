use proptest::prelude::*;

use super::*;

/// Returns the text with one replacement character for each byte that is not UTF-8.
fn shown(bytes: &[u8]) -> String {
    let chunks = bytes.utf8_chunks().map(|chunk| {
        let marks = char::REPLACEMENT_CHARACTER.to_string().repeat(chunk.invalid().len());
        format!("{}{marks}", chunk.valid())
    });
    chunks.collect()
}

proptest! {
    #[test]
    fn every_file_comes_back_as_it_was(bytes in any::<Vec<u8>>()) {
        if let Some(text) = keep(bytes.clone()) {
            prop_assert_eq!(&*restored(&text, &text), &bytes[..]);
            prop_assert_eq!(replaced(&text), shown(&bytes));
        }
    }
}

#[test]
fn text_that_would_be_ambiguous_is_refused() {
    let held = "\u{10ffe9}";
    assert_eq!(keep([held.as_bytes(), b"\xe9"].concat()), None);
    // Without such bytes the character is itself, also once the text is edited.
    let text = keep(held.into()).unwrap();
    assert_eq!(&*restored("x\u{10ffe9}", "x"), "x\u{10ffe9}".as_bytes());
    assert_eq!(text, held);
}
