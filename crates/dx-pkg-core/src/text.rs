//! Text from outside, made safe to show: no terminal control sequences, no endless lines.

pub mod addresses;
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

/// Returns the output of a program with its lines and indents. Control characters and escape
/// sequences are left out, but for colours where `keeps_colours` is set. A line that was written
/// over, as progress bars do, is shown as it was last.
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
            } else if c == '\t' || !c.is_control() && !changes_direction(c) {
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

/// Returns whether a character changes the direction of writing.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
