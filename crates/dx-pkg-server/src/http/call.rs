//! A request with what its answer needs.

use super::body;
use super::parts::Parts;
use super::path::query_value;
use crate::accounts::Caller;
use crate::failure::Failure;
use crate::state::AppState;
use axum::body::Body;
use axum::http::{Extensions, HeaderMap, HeaderName, Method};
use bytes::Bytes;
use dx_pkg_core::PackageName;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A request on its way through the routes.
pub(crate) struct Call {
    pub(crate) state: Arc<AppState>,
    pub(crate) method: Method,
    /// The path's decoded segments.
    pub(crate) segments: Vec<String>,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// The body; in a lock only so that calls can be shared.
    body: Mutex<Body>,
    /// The client's address: behind a trusted proxy, the one that it tells.
    pub(crate) client: IpAddr,
    /// The address of this registry as the client sees it, with a slash at the end.
    pub(crate) base: Arc<str>,
    /// What the connection adds: its [`Connection`](super::Connection), and the way to upgrade it.
    pub(crate) extensions: Extensions,
    /// Who sent it, once that was asked for: a recovery code is valid once.
    pub(crate) caller: OnceCell<Caller>,
    pub(super) parts: Parts,
}

impl Call {
    /// Creates the call of a request whose path was split.
    pub(crate) fn new(
        state: Arc<AppState>,
        request: axum::http::request::Parts,
        body: Body,
        segments: Vec<String>,
        (client, base): (IpAddr, Arc<str>),
    ) -> Self {
        Self {
            state,
            method: request.method,
            segments,
            query: request.uri.query().unwrap_or_default().to_owned(),
            headers: request.headers,
            body: Mutex::new(body),
            client,
            base,
            extensions: request.extensions,
            caller: OnceCell::new(),
            parts: Parts::default(),
        }
    }

    /// Returns the package's name in the path.
    ///
    /// # Errors
    /// 500 if the route's pattern has none.
    pub(crate) fn name(&self) -> Result<PackageName, Failure> {
        self.parts.name.clone().ok_or_else(|| Failure::internal("the route has no {name}"))
    }

    /// Returns what stands in the path for `{key}`; empty if the route's pattern has no such part.
    pub(crate) fn part(&self, key: &str) -> &str {
        let found = self.parts.values.iter().find(|(own, _)| *own == key);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Returns a parameter of the query, decoded.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query_value(&self.query, name)
    }

    /// Returns a header's text; `None` where there is none.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Takes the body out, to be read in another way than whole.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the body, gzip decoded, up to the limit for requests that publish nothing.
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Failure> {
        let limits = &self.state.config.limits;
        let (limit, time) = (limits.body.length(), limits.body_time.0);
        body::read(self.take_body(), &self.headers, limit, time).await
    }

    /// Reads the body as JSON.
    pub(crate) async fn json<T>(&mut self) -> Result<T, Failure>
    where
        T: DeserializeOwned + Send + 'static,
    {
        body::check_type(&self.headers)?;
        let bytes = self.bytes().await?;
        body::work(bytes, body::parse).await?
    }
}
