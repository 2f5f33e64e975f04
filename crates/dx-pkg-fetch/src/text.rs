//! Making what comes from outside fit to be shown: no terminal controls, no secrets, no endless lines.

use url::Url;

#[cfg(test)]
mod tests;

/// `text` without control characters, escape sequences and invisible direction marks, on one line, cut after
/// `longest` characters.
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

/// Skips the rest of an escape sequence (ECMA-48): CSI up to its final byte, OSC and the other strings up to their
/// terminator, else one character.
fn skip_escape_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while rest.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {}
        }
        _ => {}
    }
}

/// Zero-width characters and those that change the direction of writing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `url` without user, password, fragment and query (which may hold a signature).
pub fn redact_url(url: &Url) -> String {
    let mut shown = url.clone();
    // These fail only for addresses that cannot have them.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    shown.set_query(None);
    let mut shown = plain_text(shown.as_str(), 500);
    if url.query().is_some() {
        shown.push_str("?…");
    }
    shown
}

/// `text` made plain, and anything of the form `//user:password@` in it without its secret.
pub(crate) fn redact_text(text: &str) -> String {
    let text = plain_text(text, 300);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find("//") {
        let (before, after) = rest.split_at(start + 2);
        out.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => &after[at + 1..],
            None => after,
        };
    }
    out.push_str(rest);
    out
}
