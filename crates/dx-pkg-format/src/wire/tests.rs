use super::*;

#[test]
fn the_checksum_is_xxh3() {
    assert_eq!(checksum(b""), 0x2d06_8005_38d3_94c2);
}

#[test]
fn reading_out_of_bounds_gives_zero() {
    assert_eq!(u32_at(&[1, 0, 0], 0), 0);
    assert_eq!(u32_at(&[1, 0, 0, 0], 1), 0);
    assert_eq!(u64_at(&[], usize::MAX), 0);
    assert_eq!(u16_at(&[1, 2, 3], 1), 0x0302);
}

#[test]
fn sections_that_overflow_are_truncated() {
    let mut sections = Sections::new("X", 8, 100);
    assert_eq!(sections.next(2, 4).unwrap(), 8..16);
    assert!(sections.next(u64::MAX, 8).is_err());
    assert!(sections.next(85, 1).is_err());
    assert_eq!(sections.next(84, 1).unwrap(), 16..100);
    sections.finish().unwrap();
}

#[test]
fn strings_come_back_and_repeat_only_once() {
    let mut builder = StringTableBuilder::default();
    let ids = ["", "a", "ü", "a", "b"].map(|text| builder.intern(text));
    assert_eq!(ids, [0, 1, 2, 1, 3]);
    assert_eq!(builder.push("a"), 4);
    let (count, bytes) = builder.counts().unwrap();
    assert_eq!((count, bytes), (5, 5));
    let mut out = Writer::default();
    builder.write(&mut out);
    let out = out.into_bytes();
    let (ends, text) = out.split_at(20);
    let table = StringTable::new(ends, text);
    table.validate("X").unwrap();
    assert_eq!(ids.map(|id| table.get(id)), ["", "a", "ü", "a", "b"]);
    assert_eq!(table.get(5), "");
    assert_eq!(table.get(u32::MAX), "");
}

#[test]
fn a_string_that_splits_a_character_is_refused() {
    let ends: Vec<u8> = [0u32, 1, 2].iter().flat_map(|end| end.to_le_bytes()).collect();
    assert!(StringTable::new(&ends, "ü".as_bytes()).validate("X").is_err());
    assert!(StringTable::new(&ends, b"ab").validate("X").is_ok());
    assert!(StringTable::new(&ends, b"abc").validate("X").is_err());
}

#[test]
fn lists_come_back_and_references_are_checked() {
    let mut builder = ListTableBuilder::default();
    assert_eq!(builder.intern(&[]), 0);
    assert_eq!(builder.intern(&[3, 1]), 1);
    assert_eq!(builder.intern(&[3, 1]), 1);
    let mut out = Writer::default();
    builder.write(&mut out);
    let out = out.into_bytes();
    let (ends, cells) = out.split_at(8);
    let table = ListTable::new(ends, cells);
    table.validate("X", 4).unwrap();
    assert!(table.validate("X", 3).is_err());
    assert_eq!(words(table.get(1)).collect::<Vec<_>>(), [3, 1]);
    assert!(table.get(0).is_empty());
    assert!(table.get(9).is_empty());
}
