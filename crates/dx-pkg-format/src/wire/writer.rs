//! The counterpart of [`Reader`](super::Reader): appends one field after another.

/// Appends little-endian fields to bytes.
///
/// A length or count beyond 32 bits is written as the largest [`u32`], which no reader finds the
/// bytes for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Returns a writer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { out: Vec::with_capacity(capacity) }
    }

    /// Appends bytes as they are, without their length.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends a byte.
    #[inline]
    pub fn u8(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Appends a [`u32`].
    #[inline]
    pub fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// Appends consecutive [`u32`]s, without their count.
    pub fn words(&mut self, words: impl IntoIterator<Item = u32>) {
        words.into_iter().for_each(|word| self.u32(word));
    }

    /// Appends a [`u64`].
    #[inline]
    pub fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Appends a truth value as a byte, 1 or 0.
    #[inline]
    pub fn flag(&mut self, flag: bool) {
        self.u8(flag.into());
    }

    /// Appends the length of `bytes` as [`u32`], then the bytes.
    pub fn blob(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes(bytes);
    }

    /// Appends the length of `text` in bytes as [`u32`], then the text.
    pub fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    /// Appends the number of `items` as [`u32`], then each item by `write`.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    /// Appends a list of texts.
    pub fn texts<T: AsRef<str>>(&mut self, texts: &[T]) {
        self.list(texts, |writer, text| writer.text(text.as_ref()));
    }

    /// Appends zeros until `length` bytes are written; where there are as many already, nothing.
    pub fn zeros_to(&mut self, length: usize) {
        self.out.resize(self.out.len().max(length), 0);
    }

    /// Returns how many bytes are written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Returns whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Returns the bytes written so far.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Returns the bytes that were written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }
}
