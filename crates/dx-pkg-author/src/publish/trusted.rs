//! Trusted publishing: the identity token of a job is exchanged for one of the registry, so that
//! nobody keeps a token.

use dx_pkg_compat::npmrc::Config;
use dx_pkg_fetch::Method;
use dx_pkg_install::Environment;
use serde_json::Value;

use super::jobs::{self, Service};
use super::provenance::is_public;
use crate::registry::{Registry, Sent, escaped};

/// What came of the exchange.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// There is no identity token to exchange.
    NotTried,
    /// The registry gave a token, which the requests from now on have. Provenance is written where
    /// nobody said otherwise, if repository and package are public.
    Done {
        /// Whether it is.
        with_provenance: bool,
    },
    /// It did not; other credentials may be there.
    Failed(String),
}

/// Exchanges the identity token of the job for a token to publish the package with.
pub(super) fn exchange(
    registry: &Registry<'_>,
    environment: &Environment,
    config: &Config,
    name: &str,
) -> Exchange {
    let Some(service) = Service::of(environment) else { return Exchange::NotTried };
    let token = match environment.variable("NPM_ID_TOKEN") {
        Some(token) => token.to_owned(),
        None if service == Service::GitHub && jobs::may_ask(environment) => {
            let host = registry.base.host_str().unwrap_or_default();
            match jobs::github_token(registry, environment, &format!("npm:{host}")) {
                Ok(token) => token,
                Err(error) => return Exchange::Failed(error.to_string()),
            }
        }
        None => return Exchange::NotTried,
    };
    // npm resolves the path from the registry's host, whatever path the registry is at.
    let path = format!("/-/npm/v1/oidc/token/exchange/package/{}", escaped(name));
    let Ok(url) = registry.base.join(&path) else {
        return Exchange::Failed(format!("{path} cannot be asked"));
    };
    let sent = Sent { authorization: Some(format!("Bearer {token}")), ..Sent::default() };
    let answer = match registry.send_to(&Method::POST, url, None, &sent) {
        Ok(answer) => answer.json(),
        Err(error) => return Exchange::Failed(error.to_string()),
    };
    let Some(own) = answer.get("token").and_then(Value::as_str).filter(|own| !own.is_empty())
    else {
        return Exchange::Failed("the answer has no token".to_owned());
    };
    registry.set_token(own.to_owned());
    let is_unsaid = config.raw("provenance").is_none() && config.raw("provenance-file").is_none();
    let is_open = || {
        let claims = jobs::claims(&token).unwrap_or_default();
        let says = |key: &str| claims.get(key).is_some_and(|value| value == "public");
        match service {
            Service::GitHub => says("repository_visibility"),
            Service::GitLab => {
                says("project_visibility") && environment.variable("SIGSTORE_ID_TOKEN").is_some()
            }
            Service::CircleCi => false,
        }
    };
    let with_provenance = is_unsaid && is_open() && is_public(registry, name).unwrap_or(false);
    Exchange::Done { with_provenance }
}
