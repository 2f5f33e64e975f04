//! Addresses and messages, made safe to show: no secrets.

use dx_pkg_core::text::addresses::{without_secrets, without_users};
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

/// Returns `text` made plain, without the secrets of any address in it.
pub(crate) fn redact_text(text: &str) -> String {
    let text = plain_text(text, 300);
    without_users(&without_secrets(&text)).into_owned()
}
