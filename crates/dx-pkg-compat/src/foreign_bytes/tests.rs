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

/// Returns bytes with much that is special.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        any::<char>().prop_map(|character| character.to_string().into_bytes()),
        prop::char::range('\u{10ff00}', '\u{10ffff}')
            .prop_map(|character| character.to_string().into_bytes()),
        Just(vec![0xf4, 0x8f, 0xbc]),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn every_file_comes_back_as_it_was(bytes in files()) {
        let text = keep(bytes.clone());
        prop_assert_eq!(&*restored(&text, &text), &bytes[..]);
        prop_assert_eq!(replaced(&text), shown(&bytes));
    }
}

#[test]
fn characters_that_stand_for_bytes_may_be_in_a_file() {
    let held = "\u{10ffe9}\u{10ff00}";
    for file in [held.as_bytes().to_vec(), [held.as_bytes(), b"\xe9"].concat()] {
        let text = keep(file.clone());
        assert_eq!(&*restored(&text, &text), file);
        assert!(replaced(&text).starts_with(held));
    }
    // One that an edit brings is itself.
    assert_eq!(&*restored("x\u{10ffe9}", "x"), "x\u{10ffe9}".as_bytes());
}
