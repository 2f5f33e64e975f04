//! Lists of strings and of pairs of strings, read in place: consecutive `u32`s that refer to
//! strings.

use super::u32_at;

/// The strings that the cells of a list refer to.
pub trait Strings<'a>: Copy {
    /// Returns the string with this reference; the empty string where there is none.
    fn string(self, reference: u32) -> &'a str;
}

/// A list of strings, in order.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a, S> {
    cells: &'a [u8],
    strings: S,
}

impl<'a, S: Strings<'a>> Texts<'a, S> {
    /// Returns a list of the references in `cells`, each a [`u32`].
    #[must_use]
    pub fn new(cells: &'a [u8], strings: S) -> Self {
        Self { cells, strings }
    }

    /// Returns the strings in order.
    #[must_use]
    pub fn iter(self) -> Self {
        self
    }

    /// Returns whether no string is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

impl<'a, S: Strings<'a>> Iterator for Texts<'a, S> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (cell, rest) = self.cells.split_at_checked(4)?;
        self.cells = rest;
        Some(self.strings.string(u32_at(cell, 0)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let texts = self.cells.len() / 4;
        (texts, Some(texts))
    }
}

impl<'a, S: Strings<'a>> ExactSizeIterator for Texts<'a, S> {}

/// A list of pairs of strings, in order.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a, S> {
    cells: &'a [u8],
    strings: S,
}

impl<'a, S: Strings<'a>> Pairs<'a, S> {
    /// Returns a list of the references in `cells`, two [`u32`]s for each pair.
    #[must_use]
    pub fn new(cells: &'a [u8], strings: S) -> Self {
        Self { cells, strings }
    }

    /// Returns the pairs in order.
    #[must_use]
    pub fn iter(self) -> Self {
        self
    }

    /// Returns whether no pair is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Returns the value of the first pair whose key is `key`.
    #[must_use]
    pub fn value_of(mut self, key: &str) -> Option<&'a str> {
        self.find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

impl<'a, S: Strings<'a>> Iterator for Pairs<'a, S> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (pair, rest) = self.cells.split_at_checked(8)?;
        self.cells = rest;
        Some((self.strings.string(u32_at(pair, 0)), self.strings.string(u32_at(pair, 4))))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let pairs = self.cells.len() / 8;
        (pairs, Some(pairs))
    }
}

impl<'a, S: Strings<'a>> ExactSizeIterator for Pairs<'a, S> {}
