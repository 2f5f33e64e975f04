//! Text from outside, made safe to show: no terminal control sequences, no endless lines.

pub mod suggest;

#[cfg(test)]
mod tests;

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

/// Skips the rest of an escape sequence (ECMA-48): CSI up to its final byte, OSC and the other
/// strings up to their terminator, else one character.
fn skip_escape_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while rest.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {}
        }
        _ => {}
    }
}

/// Returns whether a character has no width or changes the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}
