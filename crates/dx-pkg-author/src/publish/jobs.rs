//! Jobs of continuous integration: which service runs one, and its identity tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dx_pkg_fetch::Method;
use dx_pkg_install::Environment;
use serde_json::Value;
use url::Url;

use crate::AuthorError;
use crate::registry::Registry;

/// A service of continuous integration that gives its jobs an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
    /// CircleCI, whose identities npm does not use for provenance.
    CircleCi,
}

impl Service {
    /// Returns the service that runs the command.
    pub(super) fn of(environment: &Environment) -> Option<Self> {
        let known = [
            ("GITHUB_ACTIONS", Self::GitHub),
            ("GITLAB_CI", Self::GitLab),
            ("CIRCLECI", Self::CircleCi),
        ];
        let found = known.into_iter().find(|(key, _)| environment.variable(key).is_some());
        found.map(|(_, service)| service)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
            Self::CircleCi => "CircleCI",
        }
    }
}

/// Returns whether a job of GitHub Actions may ask for identity tokens.
pub(super) fn may_ask(environment: &Environment) -> bool {
    ["URL", "TOKEN"]
        .iter()
        .all(|end| environment.variable(&format!("ACTIONS_ID_TOKEN_REQUEST_{end}")).is_some())
}

/// Asks GitHub Actions for an identity token for an audience.
///
/// # Errors
/// The service does not give one.
pub(super) fn github_token(
    registry: &Registry<'_>,
    environment: &Environment,
    audience: &str,
) -> Result<String, AuthorError> {
    let address = environment.variable("ACTIONS_ID_TOKEN_REQUEST_URL").unwrap_or_default();
    let wrong = || AuthorError::Address { address: address.to_owned() };
    let mut url = Url::parse(address).map_err(|_| wrong())?;
    url.query_pairs_mut().append_pair("audience", audience);
    let token = environment.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN").unwrap_or_default();
    let answer = registry.ask_other(&Method::GET, url, None, Some(format!("Bearer {token}")))?;
    let value = answer.json().get("value").and_then(Value::as_str).map(str::to_owned);
    value.filter(|value| !value.is_empty()).ok_or_else(wrong)
}

/// Returns what an identity token says, which is not verified here.
pub(super) fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?.trim_end_matches('=');
    let payload = payload.replace('+', "-").replace('/', "_");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
