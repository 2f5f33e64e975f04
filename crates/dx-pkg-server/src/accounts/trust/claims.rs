//! The claims of identity tokens that a publisher is recognised by.

use crate::failure::Failure;
use serde_json::{Map, Value};

/// Checks the claims of a publisher that somebody wants to trust: too few would trust too many.
pub(super) fn check(kind: &str, claims: &Map<String, Value>) -> Result<(), Failure> {
    let needed: &[&str] = match kind {
        "github" => &["repository", "workflow_ref"],
        "gitlab" => &["project_path", "ci_config_ref_uri"],
        "circleci" => &["oidc.circleci.com/org-id", "oidc.circleci.com/project-id"],
        _ => &[],
    };
    for key in needed {
        if !claims.contains_key(*key) {
            let text = format!("a publisher of the type {kind:?} needs the claim {key:?}");
            return Err(Failure::bad_request(text));
        }
    }
    if claims.is_empty() {
        return Err(Failure::bad_request("a publisher needs claims that it is recognised by"));
    }
    for (key, value) in claims {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        let is_file = value.get("file").is_some_and(is_text);
        let is_list =
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_text));
        if !(is_text(value) || is_file || is_list) {
            let text =
                format!("the claim {key:?} is neither a text, nor a file, nor a list of texts");
            return Err(Failure::bad_request(text));
        }
    }
    Ok(())
}

/// Whether the token has all that is wanted. A file is the last part of a path before `@`, as in
/// `owner/project/.github/workflows/publish.yml@refs/heads/main`; a list is met by one of its texts.
pub(super) fn agree(wanted: &Map<String, Value>, token: &Value) -> bool {
    !wanted.is_empty()
        && wanted.iter().all(|(key, value)| {
            let Some(found) = token.get(key) else {
                return false;
            };
            match value {
                Value::String(text) => {
                    found.as_str() == Some(text.as_str())
                        || found.as_array().is_some_and(|list| {
                            list.iter().any(|item| item.as_str() == Some(text.as_str()))
                        })
                }
                Value::Array(texts) => texts.iter().any(|text| {
                    found == text || found.as_array().is_some_and(|list| list.contains(text))
                }),
                Value::Object(file) => {
                    let file = file.get("file").and_then(Value::as_str);
                    let path = found.as_str().unwrap_or_default().split('@').next();
                    file.is_some_and(|file| path.is_some_and(|path| ends_in(path, file)))
                }
                _ => false,
            }
        })
}

/// Whether a path's last parts are `file`.
fn ends_in(path: &str, file: &str) -> bool {
    let file = file.trim_start_matches('/');
    path == file || path.strip_suffix(file).is_some_and(|before| before.ends_with('/'))
}
