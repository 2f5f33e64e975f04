//! A position in JSON text. It finds where a value ends, as strictly as a parser, without building
//! anything; so a value that was read before is recognised by its bytes.
//!
//! Every method returns `None` for damaged JSON and for what is rare (escapes in a key, deep
//! nesting): the caller then reads the whole with a parser that knows all cases and words errors.

/// The deepest nesting that is followed; the parser stops at 128.
const DEEPEST: usize = 100;

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A position in JSON text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// Skips whitespace and returns the byte after it.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Takes `byte`, after whitespace.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Returns whether nothing but whitespace follows.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Takes a string without escapes and returns its text.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        self.find_special()?;
        let text = self.text.get(start..self.at)?;
        (*self.bytes().get(self.at)? == b'"').then(|| self.at += 1)?;
        Some(text)
    }

    /// Takes a whole number without sign, fraction and exponent, of at most 15 digits, which any
    /// representation of numbers holds exactly.
    pub(super) fn small_number(&mut self) -> Option<u64> {
        self.peek()?;
        let start = self.at;
        let mut number = 0;
        while let Some(digit @ b'0'..=b'9') = self.bytes().get(self.at) {
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
            if self.at - start > 15 {
                return None;
            }
        }
        let is_first_zero = self.bytes().get(start) == Some(&b'0');
        let length = self.at - start;
        let goes_on = matches!(self.bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        (length > 0 && !goes_on && !(is_first_zero && length > 1)).then_some(number)
    }

    /// Takes any value and returns its text.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.peek()?;
        let start = self.at;
        self.skip(0)?;
        self.text.get(start..self.at)
    }

    /// Takes a value that is, byte for byte, `known`: the text of an object, an array or a string.
    /// Takes nothing where it is another.
    #[inline]
    pub(super) fn known_value(&mut self, known: &str) -> Option<&'a str> {
        // Of other values a prefix can be a value too.
        if !known.starts_with(['{', '[', '"']) {
            return None;
        }
        self.peek()?;
        let end = self.at.checked_add(known.len())?;
        (self.bytes().get(self.at..end)? == known.as_bytes()).then_some(())?;
        let text = self.text.get(self.at..end)?;
        self.at = end;
        Some(text)
    }

    /// Takes the members of an object, each by `member`, which takes the value of the key.
    #[inline]
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'a str) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            let key = self.plain_string()?;
            self.take(b':')?;
            member(self, key)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.take(b'}'),
                _ => return None,
            }
        }
    }

    fn skip(&mut self, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => self.skip_object(depth),
            b'[' => self.skip_array(depth),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            b'n' => self.skip_word("null"),
            _ => self.skip_number(),
        }
    }

    fn skip_object(&mut self, depth: usize) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            self.take(b'"').map(|()| self.at -= 1)?;
            self.skip_string()?;
            self.take(b':')?;
            self.skip(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.take(b'}'),
                _ => return None,
            }
        }
    }

    fn skip_array(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            return self.take(b']');
        }
        loop {
            self.skip(depth + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return self.take(b']'),
                _ => return None,
            }
        }
    }

    /// Skips the string that begins here.
    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.find_special()?;
            match self.bytes().get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.skip_escape()?,
                _ => return None,
            }
        }
    }

    fn skip_escape(&mut self) -> Option<()> {
        let length = match self.bytes().get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' => {
                let digits = self.bytes().get(self.at + 2..self.at + 6)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
            }
            _ => return None,
        };
        self.at += length;
        Some(())
    }

    fn skip_word(&mut self, word: &str) -> Option<()> {
        let rest = self.bytes().get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn skip_number(&mut self) -> Option<()> {
        if self.bytes().get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let is_zero = self.bytes().get(self.at) == Some(&b'0');
        let digits = self.skip_digits()?;
        (!is_zero || digits == 1).then_some(())?;
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes().get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Some(())
    }

    /// Skips at least one digit; returns how many there were.
    fn skip_digits(&mut self) -> Option<usize> {
        let rest = self.bytes().get(self.at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(digits)
    }

    /// Moves to the next byte that ends a string, begins an escape or may not be in a string.
    #[inline]
    fn find_special(&mut self) -> Option<()> {
        let rest = self.bytes().get(self.at..)?;
        let (words, last) = rest.as_chunks::<8>();
        for (position, word) in words.iter().enumerate() {
            let found = special_bytes(u64::from_le_bytes(*word));
            if found != 0 {
                self.at += position * 8 + (found.trailing_zeros() / 8) as usize;
                return Some(());
            }
        }
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        self.at += words.len() * 8 + last.iter().position(is_special)?;
        Some(())
    }
}

/// Returns a word whose lowest set bit is in the first byte of `word` that is a quote, a backslash
/// or a control character. Bytes above that one may be marked wrongly.
#[inline]
fn special_bytes(word: u64) -> u64 {
    let is_below = |word: u64, limit: u64| word.wrapping_sub(EACH * limit) & !word;
    let quote = is_below(word ^ (EACH * u64::from(b'"')), 1);
    let backslash = is_below(word ^ (EACH * u64::from(b'\\')), 1);
    (is_below(word, 0x20) | quote | backslash) & HIGH
}
