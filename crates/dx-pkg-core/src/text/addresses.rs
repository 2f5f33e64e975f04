//! The secrets in addresses: users, passwords, and tokens and signatures in queries.
//!
//! All that is shown, locked, cached or handed to a script goes through here.

use std::borrow::Cow;
use std::ops::Range;

use super::CHUNK;

#[cfg(test)]
mod tests;

/// What stands in place of a secret that is shown to be there.
const HIDDEN: &str = "***";

/// Returns a text with the user and password of every address in it, and the tokens and signatures
/// in queries, replaced by `***`. So are tokens in the paths by which they are revoked.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = slashes(&text[at..]) {
        let start = at + found + 2;
        let address = address(&text[start..]);
        at = start + address.len();
        let mut user = user_info(address);
        // The user of `ssh://git@host` is no secret.
        if text[..start].ends_with("ssh://") && !address[..user].contains(':') {
            user = 0;
        }
        let rest = &address[user..];
        let query = rest.find('?').map(|mark| mark + 1).filter(|mark| has_secret(&rest[*mark..]));
        let token = token_in_path(&rest[..query.unwrap_or(rest.len())]);
        if user == 0 && query.is_none() && token.is_none() {
            continue;
        }
        shown.push_str(&text[done..start]);
        if user > 0 {
            shown.push_str(HIDDEN);
        }
        let query = query.unwrap_or(rest.len());
        match token {
            Some(token) => {
                shown.push_str(&rest[..token.start]);
                shown.push_str(HIDDEN);
                shown.push_str(&rest[token.end..query]);
            }
            None => shown.push_str(&rest[..query]),
        }
        hide_secrets(&rest[query..], &mut shown);
        done = at;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// Returns where an address names a token in its path, as those do by which a registry revokes it.
fn token_in_path(address: &str) -> Option<Range<usize>> {
    const BEFORE: [&str; 2] = ["/-/user/token/", "/-/npm/v1/tokens/token/"];
    let bytes = address.as_bytes();
    let behind = |at: usize| {
        let before = BEFORE.iter().find(|before| bytes[at..].starts_with(before.as_bytes()))?;
        Some(at + before.len())
    };
    let start =
        (0..bytes.len()).find_map(|at| if bytes[at] == b'/' { behind(at) } else { None })?;
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
    let length = address[start..].find(|c| !is_of_token(c)).unwrap_or(address.len() - start);
    (length > 0).then_some(start..start + length)
}

/// Returns a text without the users and passwords of the addresses in it.
#[must_use]
pub fn without_users(text: &str) -> Cow<'_, str> {
    let mut plain = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = slashes(&text[at..]) {
        let start = at + found + 2;
        let user = user_info(address(&text[start..]));
        at = start;
        if user > 0 {
            plain.push_str(&text[done..start]);
            done = start + user + 1;
            at = done;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(&text[done..]);
    Cow::Owned(plain)
}

/// Returns the place of the first `//`.
fn slashes(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_start = |(a, b): (&u8, &u8)| (*a == b'/') & (*b == b'/');
    let mut from = 0;
    // Without an early end for each byte, many are compared at once.
    for chunk in bytes.chunks(CHUNK) {
        let after = &bytes[from + 1..bytes.len().min(from + 1 + chunk.len())];
        let pairs = || chunk.iter().zip(after);
        if pairs().fold(false, |any, pair| any | is_start(pair)) {
            return pairs().position(is_start).map(|place| from + place);
        }
        from += chunk.len();
    }
    None
}

/// Returns an `http:` or `https:` address as it may be recorded: without user, password, tokens and
/// signatures, and without its fragment, which no server sees. Any other text stays as it is.
#[must_use]
pub fn recordable(address: &str) -> Cow<'_, str> {
    let is_http = ["https://", "http://"].iter().any(|scheme| {
        address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if !is_http {
        return Cow::Borrowed(address);
    }
    let plain = without_users(address.split('#').next().unwrap_or_default());
    let Some((before, query)) = plain.split_once('?').filter(|(_, query)| has_secret(query)) else {
        let is_whole = plain.len() == address.len();
        return if is_whole { Cow::Borrowed(address) } else { Cow::Owned(plain.into_owned()) };
    };
    let kept: Vec<&str> = query.split('&').filter(|part| !is_secret(part)).collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    Cow::Owned(format!("{before}{mark}{}", kept.join("&")))
}

/// Returns the text up to where an address in it ends.
fn address(text: &str) -> &str {
    let ends = |character: char| character.is_whitespace() || ",\"'<>`\\".contains(character);
    &text[..text.find(ends).unwrap_or(text.len())]
}

/// Returns the length of user and password at the start of an address after its `//`.
fn user_info(address: &str) -> usize {
    let authority = &address[..address.find(['/', '?', '#']).unwrap_or(address.len())];
    if let Some(at) = authority.rfind('@') {
        return at;
    }
    // A password with an unescaped `/`, `?` or `#` looks like a port that is no number.
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_port = port.ends_with(']') || port.bytes().all(|byte| byte.is_ascii_digit());
    if is_port { 0 } else { address.rfind('@').unwrap_or(0) }
}

/// Returns whether a query has a secret.
fn has_secret(query: &str) -> bool {
    query.split(['&', '?', ';', '#']).any(is_secret)
}

/// Returns whether `name=value` in a query is a secret, by its name.
fn is_secret(part: &str) -> bool {
    /// Endings of names, without what is neither letter nor digit.
    const SECRETS: [&str; 18] = [
        "hmac",
        "policy",
        "session",
        "ticket",
        "token",
        "signature",
        "sig",
        "secret",
        "password",
        "passwd",
        "pass",
        "pwd",
        "key",
        "keyid",
        "auth",
        "authorization",
        "jwt",
        "credential",
    ];
    /// The least length of a secret that stands without a name.
    const LONG: usize = 20;
    let Some((name, value)) = part.split_once('=') else {
        return part.len() >= LONG && part.bytes().any(|byte| byte.is_ascii_digit());
    };
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    let name: String = letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let stem = name.strip_suffix('s').unwrap_or(&name);
    let is_signed = ["xamz", "xgoog"].iter().any(|prefix| name.starts_with(prefix));
    !value.is_empty()
        && (is_signed
            || SECRETS.iter().any(|secret| name.ends_with(secret) || stem.ends_with(secret)))
}

/// Adds a query with the values of its secrets hidden.
fn hide_secrets(query: &str, shown: &mut String) {
    for part in query.split_inclusive(['&', '?', ';', '#']) {
        let end = part.len() - usize::from(part.ends_with(['&', '?', ';', '#']));
        match part[..end].split_once('=') {
            named if is_secret(&part[..end]) => {
                if let Some((name, _)) = named {
                    shown.push_str(name);
                    shown.push('=');
                }
                shown.push_str(HIDDEN);
                shown.push_str(&part[end..]);
            }
            _ => shown.push_str(part),
        }
    }
}
