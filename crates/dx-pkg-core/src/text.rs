//! Text from outside, made safe to show: no terminal control sequences, no endless lines.

pub mod addresses;
pub mod suggest;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// How many bytes are looked at together where most are of one kind.
const CHUNK: usize = 64;

/// Returns `text` on one line, without control characters, escape sequences and invisible direction
/// marks, cut after `longest` characters.
pub fn plain_text(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len().min(longest + 4));
    let mut rest = text.chars().peekable();
    let mut kept = 0;
    while let Some(c) = rest.next() {
        let shown = match c {
            '\u{1b}' => {
                skip_escape_sequence(&mut rest);
                continue;
            }
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() || is_invisible(c) => continue,
            c => c,
        };
        if shown == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        if kept == longest {
            out.push('…');
            break;
        }
        out.push(shown);
        kept += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns the output of a program with its lines and indents. Control characters, escape sequences
/// and what cannot be seen are left out, but for colours where `keeps_colours` is set. A line that
/// was written over, as progress bars do, is shown as it was last.
pub fn output_text(text: &str, keeps_colours: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_coloured = false;
    for line in text.trim_end().split('\n') {
        let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
        let mut rest = last.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '\u{1b}' {
                let sequence = skip_escape_sequence(&mut rest);
                if keeps_colours && is_colour(&sequence) {
                    out.extend(["\u{1b}", &sequence]);
                    is_coloured = true;
                }
            } else if c == '\t' || is_joiner(c) || !(c.is_control() || is_invisible(c)) {
                out.push(c);
            }
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    if is_coloured {
        out.push_str("\u{1b}[0m");
    }
    out
}

/// Returns JSON with all that is no letter, digit or plain ASCII escaped, so that it can be shown.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let mut text = String::new();
    let (mut done, mut from) = (0, 0);
    while let Some(next) = not_plain(&json.as_bytes()[from..]) {
        let at = from + next;
        // What is not plain begins a character: those before are whole.
        let Some(c) = json[at..].chars().next() else { break };
        from = at + c.len_utf8();
        if c.is_alphanumeric() {
            continue;
        }
        text.push_str(&json[done..at]);
        c.encode_utf16(&mut [0; 2])
            .iter()
            .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        done = from;
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    text.push_str(&json[done..]);
    Cow::Owned(text)
}

/// Returns the place of the first byte that is neither plain ASCII nor the end of a line.
fn not_plain(bytes: &[u8]) -> Option<usize> {
    let is_plain = |byte: u8| (byte.wrapping_sub(b' ') <= b'~' - b' ') | (byte == b'\n');
    // Without an early end for each byte, many are compared at once.
    let all_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & is_plain(*byte));
    let mut from = 0;
    for chunk in bytes.chunks(CHUNK) {
        if !all_plain(chunk) {
            let place = chunk.iter().position(|byte| !is_plain(*byte));
            return place.map(|place| from + place);
        }
        from += chunk.len();
    }
    None
}

/// Skips the rest of an escape sequence (ECMA-48): CSI up to its final byte, OSC and the other
/// strings up to their terminator, else one character. Returns a CSI sequence.
fn skip_escape_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut sequence = String::new();
    match rest.next() {
        Some('[') => {
            sequence.push('[');
            for c in rest.by_ref() {
                sequence.push(c);
                if ('@'..='~').contains(&c) {
                    break;
                }
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while rest.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {}
        }
        _ => {}
    }
    sequence
}

/// Returns whether a CSI sequence chooses colours or another look of the text.
fn is_colour(sequence: &str) -> bool {
    let numbers = sequence.strip_prefix('[').and_then(|rest| rest.strip_suffix('m'));
    numbers.is_some_and(|numbers| numbers.chars().all(|c| matches!(c, '0'..='9' | ';' | ':')))
}

/// Returns whether a character joins or parts its neighbours, as emoji and some scripts need it.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200d}')
}

/// Returns whether a character changes the order or the lines of what is shown: marks, embeddings,
/// overrides and isolates of the bidirectional algorithm (UAX #9), separators of lines and
/// paragraphs, interlinear annotations.
fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Returns whether a character is one of those that spell hidden text: tags, and variation
/// selectors beyond the sixteen that emoji and letters are written with.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// Returns whether a character cannot be seen: those that Unicode lets a font ignore
/// (`Default_Ignorable_Code_Point`) but for the selectors of a letter's form, and those that
/// mislead.
fn is_invisible(c: char) -> bool {
    misleads(c)
        || is_tag(c)
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200d}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fff8}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
        )
}
