//! The bytes that terminals send for keys: those of ECMA-48, as xterm and its descendants use them.

/// The byte that a key's sequence begins with.
pub(super) const ESCAPE: u8 = 0x1b;
/// The bytes that a sequence of a key has at most.
const LONGEST: usize = 16;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The arrow up, or Ctrl-P.
    Up,
    /// The arrow down, or Ctrl-N.
    Down,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// The beginning.
    Home,
    /// The end.
    End,
    /// Enter.
    Enter,
    /// Escape alone.
    Escape,
    /// Ctrl-C.
    Interrupt,
    /// Any other key that writes something.
    Character(char),
}

/// Returns the first key of what was typed, and the number of its bytes. The key is `None` if it is
/// none of [`Key`]; everything is if more bytes are needed.
pub(super) fn decode(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let first = *bytes.first()?;
    match first {
        ESCAPE => decode_sequence(bytes),
        b'\r' | b'\n' => Some((Some(Key::Enter), 1)),
        0x03 => Some((Some(Key::Interrupt), 1)),
        // Ctrl-N and Ctrl-P move as in a shell.
        0x0e => Some((Some(Key::Down), 1)),
        0x10 => Some((Some(Key::Up), 1)),
        0..0x20 | 0x7f => Some((None, 1)),
        _ => {
            let length = match first {
                0..0x80 => 1,
                0xc0..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0.. => 4,
                _ => return Some((None, 1)),
            };
            let text = bytes.get(..length)?;
            let character = std::str::from_utf8(text).ok().and_then(|text| text.chars().next());
            match character {
                Some(character) => Some((Some(Key::Character(character)), length)),
                None => Some((None, 1)),
            }
        }
    }
}

fn decode_sequence(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    match bytes.get(1)? {
        b'[' | b'O' => {
            let rest = &bytes[2..];
            let length = rest.iter().position(|byte| (0x40..0x7f).contains(byte));
            let Some(length) = length else {
                return (rest.len() > LONGEST).then_some((None, bytes.len()));
            };
            let number = rest[..length].split(|byte| *byte == b';').next().unwrap_or_default();
            let key = match (rest[length], number) {
                (b'A', _) => Some(Key::Up),
                (b'B', _) => Some(Key::Down),
                (b'H', _) | (b'~', b"1" | b"7") => Some(Key::Home),
                (b'F', _) | (b'~', b"4" | b"8") => Some(Key::End),
                (b'~', b"5") => Some(Key::PageUp),
                (b'~', b"6") => Some(Key::PageDown),
                (b'M', _) => Some(Key::Enter),
                _ => None,
            };
            Some((key, 2 + length + 1))
        }
        // The second press of Escape, or a key with Alt.
        &ESCAPE => Some((Some(Key::Escape), 1)),
        _ => Some((None, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_bytes() {
        for (bytes, key) in [
            (b"\x1b[A".as_slice(), Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[1;5H", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\r", Key::Enter),
            (b"\x03", Key::Interrupt),
            (b" ", Key::Character(' ')),
            ("ß".as_bytes(), Key::Character('ß')),
        ] {
            assert_eq!(decode(bytes), Some((Some(key), bytes.len())), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_typed_ahead_stays() {
        assert_eq!(decode(b"\x1b[Bj"), Some((Some(Key::Down), 3)));
        assert_eq!(decode(b"jj"), Some((Some(Key::Character('j')), 1)));
    }

    #[test]
    fn unfinished_keys_wait_and_unknown_ones_are_left_out() {
        for unfinished in [b"".as_slice(), b"\x1b", b"\x1b[", b"\x1b[1;", b"\xc3"] {
            assert_eq!(decode(unfinished), None, "{unfinished:?}");
        }
        for (unknown, used) in
            [(b"\x1b[24~".as_slice(), 5), (b"\x1bx", 2), (b"\x80", 1), (b"\xc3x", 1), (b"\x01", 1)]
        {
            assert_eq!(decode(unknown), Some((None, used)), "{unknown:?}");
        }
        let endless = [b"\x1b[".as_slice(), &[b'1'; 20]].concat();
        assert_eq!(decode(&endless), Some((None, endless.len())));
    }
}
