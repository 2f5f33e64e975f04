//! Requests to the issuers of identity tokens. Only addresses of issuers that the configuration or
//! a package's owners name are asked, and no redirect is followed.

use crate::failure::Failure;
use axum::http::StatusCode;
use dx_pkg_fetch::config::{BodyLimits, FetchConfig, RetryPolicy, Timeouts};
use dx_pkg_fetch::{Fetcher, Method, Request};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The time that an issuer has for an answer.
const TIME: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: u64 = 1 << 20;

/// A client of issuers.
#[derive(Clone)]
pub(crate) struct Issuers {
    fetcher: Fetcher,
}

impl Issuers {
    /// Creates a client.
    pub(crate) fn new() -> Self {
        let config = FetchConfig {
            user_agent: format!("dx-registry/{}", env!("CARGO_PKG_VERSION")),
            timeouts: Timeouts { connect: TIME, idle: TIME, total: TIME },
            retry: RetryPolicy { tries: 1, ..RetryPolicy::default() },
            limits: BodyLimits { metadata: LONGEST, ..BodyLimits::default() },
            ..FetchConfig::default()
        };
        Self { fetcher: Fetcher::new(config) }
    }

    /// Requests a JSON document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, Failure> {
        let fault = |error: &dyn std::fmt::Display| {
            let text = format!("the issuer of the identity token cannot be asked ({url})");
            Failure::new(StatusCode::BAD_GATEWAY, text).detail(error)
        };
        let parsed = url.parse().map_err(|error: url::ParseError| fault(&error))?;
        let request = Request::sending(Method::GET, parsed, None);
        let response = self.fetcher.get(request).await.map_err(|error| fault(&error))?;
        let body = crate::http::plain(&response.body, LONGEST)?;
        serde_json::from_slice(&body).map_err(|error| fault(&error))
    }
}
