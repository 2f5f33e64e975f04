//! The failure of a request, as clients see it: a status and a JSON body `{"error": …}`.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use dx_pkg_core::text::plain_text;

/// The longest text of a failure, in characters.
const LONGEST: usize = 500;

/// A request that is refused, or that could not be carried out.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {message}")]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    /// The text for the client.
    pub(crate) message: String,
    /// What only the log shows.
    pub(crate) detail: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Further fields of the body.
    pub(crate) fields: Vec<(&'static str, String)>,
}

impl Failure {
    /// Creates a failure with a status and a text for the client.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            detail: None,
            headers: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Creates a 400: the request itself is wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Creates a 401: the request needs a token, or a valid one.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .header(axum::http::header::WWW_AUTHENTICATE, "Bearer realm=\"dx-registry\"")
    }

    /// Creates a 403: the user may not do that, or nobody may.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// Creates a 404.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Creates a 409: the document has changed since it was read, or is there already.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// Creates a 500. Clients are told nothing but that; the log shows `detail`.
    pub(crate) fn internal(detail: impl std::fmt::Display) -> Self {
        let message = "the registry has a fault; its log says more";
        Self {
            detail: Some(detail.to_string()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }

    /// Adds a header to the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds a field to the body.
    pub(crate) fn with(mut self, field: &'static str, value: &str) -> Self {
        self.fields.push((field, value.to_owned()));
        self
    }

    /// Adds a text for the log.
    pub(crate) fn detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let message = plain_text(&self.message, LONGEST);
        let mut body = serde_json::json!({ "error": message });
        for (field, value) in self.fields {
            body[field] = value.into();
        }
        let body = body.to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}
