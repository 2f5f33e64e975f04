//! The cursors of small files: fields are read as written, and no bytes make a reader panic.

use dx_pkg_format::FormatError;
use dx_pkg_format::wire::{Frame, Reader, Writer};
use proptest::prelude::*;

const FRAME: Frame = Frame { format: "DXW", signature: *b"DXW\0", version: 3 };

/// One field of a file.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Array([u8; 5]),
    Byte(u8),
    Word(u32),
    Number(u64),
    Flag(bool),
    Blob(Vec<u8>),
    Text(String),
    Texts(Vec<String>),
    Pairs(Vec<(String, u64)>),
}

impl Field {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Array(array) => writer.bytes(array),
            Self::Byte(byte) => writer.u8(*byte),
            Self::Word(word) => writer.u32(*word),
            Self::Number(number) => writer.u64(*number),
            Self::Flag(flag) => writer.flag(*flag),
            Self::Blob(blob) => writer.blob(blob),
            Self::Text(text) => writer.text(text),
            Self::Texts(texts) => writer.texts(texts),
            Self::Pairs(pairs) => writer.list(pairs, |writer, (name, number)| {
                writer.text(name);
                writer.u64(*number);
            }),
        }
    }

    /// Reads a field of the same kind.
    fn read(&self, reader: &mut Reader<'_>) -> Option<Self> {
        Some(match self {
            Self::Array(_) => Self::Array(reader.array()?),
            Self::Byte(_) => Self::Byte(reader.u8()?),
            Self::Word(_) => Self::Word(reader.u32()?),
            Self::Number(_) => Self::Number(reader.u64()?),
            Self::Flag(_) => Self::Flag(reader.flag()?),
            Self::Blob(_) => Self::Blob(reader.blob()?.to_vec()),
            Self::Text(_) => Self::Text(reader.text()?.to_owned()),
            Self::Texts(_) => Self::Texts(reader.texts()?),
            Self::Pairs(_) => {
                Self::Pairs(reader.list(|reader| Some((reader.text()?.to_owned(), reader.u64()?)))?)
            }
        })
    }
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        any::<[u8; 5]>().prop_map(Field::Array),
        any::<u8>().prop_map(Field::Byte),
        any::<u32>().prop_map(Field::Word),
        any::<u64>().prop_map(Field::Number),
        any::<bool>().prop_map(Field::Flag),
        any::<Vec<u8>>().prop_map(Field::Blob),
        any::<String>().prop_map(Field::Text),
        prop::collection::vec(any::<String>(), 0..5).prop_map(Field::Texts),
        prop::collection::vec(any::<(String, u64)>(), 0..5).prop_map(Field::Pairs),
    ]
}

fn write(fields: &[Field]) -> Vec<u8> {
    let mut writer = FRAME.begin(0);
    fields.iter().for_each(|field| field.write(&mut writer));
    Frame::finish(writer)
}

proptest! {
    #[test]
    fn fields_are_read_as_they_were_written(fields in prop::collection::vec(field(), 0..12)) {
        let bytes = write(&fields);
        let mut reader = FRAME.open(&bytes).unwrap();
        for field in &fields {
            let read = field.read(&mut reader);
            prop_assert_eq!(read.as_ref(), Some(field));
        }
        prop_assert!(reader.is_empty());
        prop_assert_eq!(reader.u8(), None);
    }

    #[test]
    fn fields_cut_short_end_the_reading(
        fields in prop::collection::vec(field(), 1..6),
        cut: prop::sample::Index,
    ) {
        let bytes = write(&fields);
        let body = &bytes[Frame::SIZE..];
        prop_assume!(!body.is_empty());
        let mut reader = Reader::new(&body[..cut.index(body.len())]);
        prop_assert!(fields.iter().any(|field| field.read(&mut reader).is_none()));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        fields in prop::collection::vec(field(), 0..12),
        bytes: Vec<u8>,
    ) {
        let mut reader = Reader::new(&bytes);
        for field in &fields {
            let _ = field.read(&mut reader);
            prop_assert!(bytes.ends_with(reader.rest()));
        }
    }

    #[test]
    fn a_file_with_another_byte_is_refused(
        fields in prop::collection::vec(field(), 0..6),
        at: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let mut bytes = write(&fields);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(FRAME.open(&bytes).is_err());
    }
}

#[test]
fn a_count_beyond_the_bytes_ends_the_reading() {
    let mut reader = Reader::new(&[255, 255, 255, 255, 1, 0, 0, 0, b'a']);
    assert_eq!(reader.texts(), None);
    assert_eq!(Reader::new(&[255, 255, 255, 255, 1]).blob(), None);
}

#[test]
fn a_text_that_is_not_utf_8_is_refused() {
    assert_eq!(Reader::new(&[1, 0, 0, 0, 0xff]).text(), None);
    assert_eq!(Reader::new(&[1, 0, 0, 0, 0xff]).blob(), Some(&[0xff][..]));
}

#[test]
fn a_frame_tells_another_format_from_damage() {
    let bytes = write(&[Field::Text("text".to_owned())]);
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        FRAME.open(&bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(with(0, b'X'), FormatError::Signature { format: "DXW" });
    assert_eq!(with(4, 9), FormatError::Version { format: "DXW", found: 9, supported: 3 });
    assert!(matches!(with(6, 1), FormatError::Corrupt { .. }));
    assert_eq!(with(20, 0), FormatError::Checksum { format: "DXW", part: "contents" });
    assert!(FRAME.open(&bytes[..12]).is_err());
}

#[test]
fn a_frame_begins_with_signature_version_and_checksum() {
    let mut writer = FRAME.begin(8);
    writer.u64(5);
    assert_eq!((writer.len(), writer.is_empty()), (24, false));
    writer.zeros_to(32);
    writer.zeros_to(4);
    let bytes = Frame::finish(writer);
    assert_eq!(bytes[..8], *b"DXW\0\x03\0\0\0");
    assert_eq!(bytes[8..16], dx_pkg_format::wire::checksum(&bytes[16..]).to_le_bytes());
    assert_eq!(bytes.len(), 32);
}
