//! The reason that a registry gives for refusing a request.

use super::encoding;
use dx_pkg_core::text::plain_text;
use dx_pkg_fetch::StatusCode;
use dx_pkg_fetch::error::ErrorAnswer;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// The most characters of a reason that are shown.
const LONGEST: usize = 300;

/// Answers that tell no more than the status does.
const SAYS_NOTHING: [&str; 6] = [
    "not found",
    "not_found",
    "document not found",
    "forbidden",
    "unauthorized",
    "authentication required",
];

/// Returns the reason that an error answer gives, on one line: from its body (the known members of
/// a JSON document, the title of a page, or text) and from npm's header for notices.
pub(super) fn reason(status: StatusCode, answer: &ErrorAnswer) -> Option<String> {
    let codings = encoding::codings(&answer.headers);
    let undone = encoding::undo(&answer.body, &codings, encoding::LARGEST_OTHER).ok().flatten();
    let body = String::from_utf8_lossy(undone.as_deref().unwrap_or(&answer.body));
    let said = match serde_json::from_str::<Value>(&body) {
        Ok(document) => told_by(&document),
        Err(_) if body.trim_start().starts_with('<') => title(&body).map(str::to_owned),
        Err(_) => Some(body.into_owned()),
    };
    let notice = answer.headers.get("npm-notice").and_then(|notice| notice.to_str().ok());
    let parts: Vec<_> = said
        .iter()
        .map(String::as_str)
        .chain(notice)
        .map(|part| plain_text(part, LONGEST))
        .filter(|part| tells_more(part, status))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn tells_more(text: &str, status: StatusCode) -> bool {
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let canonical = status.canonical_reason().unwrap_or_default().to_ascii_lowercase();
    // Pages are often titled `403 Forbidden`.
    let bare = text.strip_prefix(status.as_str()).unwrap_or(&text).trim();
    !bare.is_empty() && bare != canonical && !SAYS_NOTHING.contains(&bare)
}

/// Returns what a document tells. npm's own registry and most others have `error`; CouchDB adds
/// `reason`; Azure has `message`, Artifactory a list `errors`, and RFC 9457 `title` and `detail`.
fn told_by(document: &Value) -> Option<String> {
    let text =
        |key: &str| document.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let joined = |first: Option<&str>, second: Option<&str>| match (first, second) {
        (Some(first), Some(second)) if first != second => Some(format!("{first}: {second}")),
        (first, second) => first.or(second).map(str::to_owned),
    };
    match document {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => list.iter().find_map(told_by),
        Value::Object(fields) if !fields.is_empty() => joined(text("error"), text("reason"))
            .or_else(|| text("message").map(str::to_owned))
            .or_else(|| joined(text("title"), text("detail")))
            .or_else(|| {
                ["error", "errors", "summary"].iter().find_map(|key| told_by(fields.get(*key)?))
            })
            .or_else(|| Some(document.to_string())),
        _ => None,
    }
}

/// Returns the title of an error page, where servers name the reason.
fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    page.get(start..end)
}
