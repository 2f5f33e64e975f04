use dx_pkg_format::wire::Frame;
use proptest::prelude::*;

use super::*;

fn sample() -> Vec<Entry<'static>> {
    let answer = Answer {
        etag: Some("\"etag\""),
        last_modified: None,
        fetched_ms: 1,
        fresh_until_ms: u64::MAX,
        stale_until_ms: 3,
        credential: 4,
    };
    let entry = |name, form, pack| Entry {
        name,
        form,
        place: Place { pack, offset: 5, length: 6 },
        checksum: 7,
        answer,
    };
    vec![
        entry("@scope/a", Form::Full, 1),
        entry("a", Form::Abbreviated, 0),
        Entry {
            answer: Answer { etag: None, last_modified: Some(""), ..answer },
            ..entry("a", Form::Full, 1)
        },
        entry("b", Form::Abbreviated, 0),
    ]
}

fn encoded() -> Vec<u8> {
    encode(&["one.pack", "two.pack"], &sample()).unwrap()
}

#[test]
fn an_index_of_version_1_is_read_and_written_the_same() {
    let golden: &[u8] = include_bytes!("../../../tests/golden/dxi-v1.dxi");
    let index = Index::decode(golden).unwrap();
    assert_eq!(index.packs().collect::<Vec<_>>(), ["one.pack", "two.pack"]);
    assert_eq!(index.entries().collect::<Vec<_>>(), sample());
    assert!(encoded() == golden);
}

#[test]
fn an_entry_is_found_by_name_and_form() {
    let bytes = encoded();
    let index = Index::decode(&*bytes).unwrap();
    for entry in sample() {
        assert_eq!(index.find(entry.name, entry.form), Some(entry));
    }
    assert_eq!(index.find("b", Form::Full), None);
    assert_eq!(index.find("", Form::Abbreviated), None);
    assert_eq!(index.find("c", Form::Abbreviated), None);
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let bytes = encoded();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(Index::decode(&*damaged).is_err(), "byte {at}");
        assert!(Index::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn nothing_under_a_right_checksum_makes_reading_panic() {
    let bytes = encoded();
    for at in Frame::SIZE..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut altered = bytes.clone();
            altered[at] = value;
            Frame::write_checksum(&mut altered);
            if let Ok(index) = Index::decode(&*altered) {
                let names: Vec<_> = index.entries().map(|entry| entry.name.to_owned()).collect();
                assert!(names.iter().all(|name| {
                    [Form::Abbreviated, Form::Full]
                        .iter()
                        .any(|form| index.find(name, *form).is_some())
                }));
            }
        }
    }
}

#[test]
fn entries_that_do_not_ascend_are_refused() {
    let mut entries = sample();
    entries.swap(0, 1);
    assert!(Index::decode(encode(&["", ""], &entries).unwrap()).is_err());
    entries[1] = entries[0];
    assert!(Index::decode(encode(&["", ""], &entries).unwrap()).is_err());
}

proptest! {
    #[test]
    fn any_index_comes_back(
        names in
            prop::collection::btree_map(("\\PC{0,8}", any::<bool>()), any::<[u64; 3]>(), 0..40),
        texts in prop::collection::vec(prop::option::of("\\PC{0,8}"), 2),
    ) {
        let entry = |((name, full), [a, b, c]): (&'_ (String, bool), &'_ [u64; 3])| {
            let form = if *full { Form::Full } else { Form::Abbreviated };
            let answer = Answer {
                etag: texts[0].clone(),
                last_modified: texts[1].clone(),
                fetched_ms: *a,
                fresh_until_ms: *b,
                stale_until_ms: *c,
                credential: a ^ b,
            };
            let place = Place { pack: (a % 3) as usize, offset: *b, length: *c };
            (name.clone(), form, place, *c, answer)
        };
        let owned: Vec<_> = names.iter().map(entry).collect();
        let entries: Vec<Entry<'_>> = owned
            .iter()
            .map(|(name, form, place, checksum, answer)| Entry {
                name,
                form: *form,
                place: *place,
                checksum: *checksum,
                answer: answer.borrowed(),
            })
            .collect();
        let bytes = encode(&["x", "y", "x"], &entries).unwrap();
        let index = Index::decode(&*bytes).unwrap();
        prop_assert_eq!(index.entries().collect::<Vec<_>>(), entries.clone());
        for entry in entries {
            prop_assert_eq!(index.find(entry.name, entry.form), Some(entry));
        }
    }
}
