//! The elements of DER (X.690), as far as certificates and keys are made of them.
//!
//! Reads without copying and checks every bound; input that is not DER gives `None`.

/// The tag of a whole number.
pub const INTEGER: u8 = 0x02;
/// The tag of bits, such as those of a key.
pub const BIT_STRING: u8 = 0x03;
/// The tag of bytes.
pub const OCTET_STRING: u8 = 0x04;
/// The tag of an identifier.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// The tag of a text in UTF-8.
pub const UTF8_STRING: u8 = 0x0c;
/// The tag of elements whose order counts.
pub const SEQUENCE: u8 = 0x30;
/// The tag of elements whose order does not count.
pub const SET: u8 = 0x31;

/// A reader of elements that follow each other.
#[derive(Clone, Copy)]
pub struct Reader<'d>(&'d [u8]);

/// An element.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    /// The kind of its contents.
    pub tag: u8,
    /// Its contents.
    pub contents: &'d [u8],
    /// Tag, length and contents.
    pub whole: &'d [u8],
}

impl<'d> Element<'d> {
    /// Returns a reader of the elements inside.
    #[must_use]
    pub fn inside(&self) -> Reader<'d> {
        Reader(self.contents)
    }
}

impl<'d> Reader<'d> {
    /// Returns a reader of the elements that `bytes` consist of.
    #[must_use]
    pub fn new(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    /// Returns whether no element follows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the next element, of less than 16 MiB; `None` at the end, and where none is whole.
    pub fn element(&mut self) -> Option<Element<'d>> {
        let (&tag, rest) = self.0.split_first()?;
        // Numbers above 30 take more bytes; nothing in a certificate has one.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.is_empty() || digits.len() > 3 {
                return None;
            }
            rest = after;
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        };
        let (contents, after) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, contents, whole })
    }

    /// Reads the next element, which must have this tag.
    pub fn expect(&mut self, tag: u8) -> Option<Element<'d>> {
        self.element().filter(|element| element.tag == tag)
    }

    /// Reads the next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Option<Element<'d>> {
        let mut ahead = *self;
        let found = ahead.expect(tag)?;
        *self = ahead;
        Some(found)
    }
}

/// Returns the bytes of a bit string that consists of whole bytes.
pub(super) fn whole_bytes<'d>(bit_string: &Element<'d>) -> Option<&'d [u8]> {
    bit_string.contents.split_first().filter(|(unused, _)| **unused == 0).map(|(_, bytes)| bytes)
}
