//! The elements of DER (X.690), as far as certificates and keys are made of them.
//!
//! Reads without copying and checks every bound; input that is not DER gives `None`.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The longest length of an element, in bytes; a certificate is far shorter.
const LONGEST: usize = 0xff_ffff;

/// A reader of elements that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'d>(&'d [u8]);

/// An element: its tag, its contents, and both with the length between them.
#[derive(Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) contents: &'d [u8],
    pub(super) whole: &'d [u8],
}

impl<'d> Element<'d> {
    /// Returns a reader of the elements inside.
    pub(super) fn inside(&self) -> Reader<'d> {
        Reader(self.contents)
    }
}

impl<'d> Reader<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the next element.
    pub(super) fn next(&mut self) -> Option<Element<'d>> {
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
        let (contents, after) = rest.split_at_checked(length.min(LONGEST))?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Element { tag, contents, whole })
    }

    /// Reads the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'d>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// Reads the next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Element<'d>> {
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
