//! Addresses and messages, made safe to show: no secrets.

use dx_pkg_core::text::plain_text;
use url::Url;

#[cfg(test)]
mod tests;

/// Returns `url` as text without user, password, fragment and query (which may hold a signature).
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

/// Returns `text` made plain, without the user and password of any `//user:password@` in it.
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
