//! The endpoints of any registry, tried one after the other. Nothing is changed unless that is
//! asked for.

mod write;

use axum::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, RANGE, VARY,
};
use dx_pkg_core::Integrity;
use dx_pkg_fetch::config::{FetchConfig, RetryPolicy};
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::header::{HeaderMap, HeaderName};
use dx_pkg_fetch::{Bytes, Fetcher, Method, Request};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;
use url::Url;

/// The content type of the abbreviated form.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// The longest document that is read, decompressed, in bytes.
const LARGEST: u64 = 256 << 20;

/// The result of trying an endpoint.
pub(crate) struct Tried {
    pub(crate) what: &'static str,
    /// `Err` with what is wrong.
    pub(crate) result: Result<(), String>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Creates what stands for an answer where there was none.
    fn none(reason: &str) -> Self {
        let body = reason.as_bytes().to_vec().into();
        Self { status: 0, headers: HeaderMap::new(), body }
    }

    fn header(&self, name: axum::http::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        if self.header(CONTENT_ENCODING) == "gzip" {
            let body = MultiGzDecoder::new(&self.body[..]).take(LARGEST);
            return serde_json::from_reader(body).unwrap_or(Value::Null);
        }
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

struct Registry {
    fetcher: Fetcher,
    base: Url,
    authorization: Option<HeaderValue>,
    tried: Vec<Tried>,
}

/// Tries a registry's endpoints with a package that it has; with the name of a package that it does
/// not have, the endpoints that change something, too.
pub(crate) async fn check(
    base: Url,
    package: &str,
    token: Option<&str>,
    new: Option<&str>,
) -> Vec<Tried> {
    let retry = RetryPolicy { tries: 1, ..RetryPolicy::default() };
    let fetcher = Fetcher::new(FetchConfig { retry, ..FetchConfig::default() });
    let authorization =
        token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
    let mut registry = Registry { fetcher, base, authorization, tried: Vec::new() };
    registry.general().await;
    registry.packument(&package.replace('/', "%2f")).await;
    registry.refusals().await;
    if let Some(name) = new {
        registry.changes(name).await;
    }
    registry.tried
}

impl Registry {
    async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        match self.base.join(path) {
            Ok(url) => self.send(Request::metadata(url), headers).await,
            Err(_) => Answer::none("the address cannot be made"),
        }
    }

    async fn send(&self, request: Request, headers: &[(HeaderName, &str)]) -> Answer {
        match self.fetch(request, headers).await {
            Ok(answer) => answer,
            Err(FetchCause::Status { status, answer, .. }) => {
                Answer { status: status.as_u16(), headers: answer.headers, body: answer.body }
            }
            Err(other) => Answer::none(&other.to_string()),
        }
    }

    async fn fetch(
        &self,
        mut request: Request,
        headers: &[(HeaderName, &str)],
    ) -> Result<Answer, FetchCause> {
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                request = request.header(name.clone(), value);
            }
        }
        let (authorization, origin) = (self.authorization.clone(), self.base.origin());
        request = request.credentials(Arc::new(move |url| {
            authorization.clone().filter(|_| url.origin() == origin)
        }));
        let response = self.fetcher.get(request).await.map_err(|error| error.cause)?;
        let status = response.status.as_u16();
        Ok(Answer { status, headers: response.headers, body: response.body })
    }

    /// Tries HEAD and a range of a tarball. The fetcher reads whole bodies only: it takes the
    /// absence of one for a body of the announced length that broke off, and a part for a body
    /// that begins with nothing, of which no length is known.
    async fn parts(&mut self, url: Url, length: u64) {
        let head = self.fetch(Request::sending(Method::HEAD, url.clone(), None), &[]).await;
        let result = match head {
            Err(FetchCause::Truncated { received: 0, expected: Some(told), .. })
                if told == length =>
            {
                Ok(())
            }
            Err(other) => Err(other.to_string()),
            Ok(answer) => Err(format!("{}, without its length", answer.status)),
        };
        self.tried.push(Tried { what: "HEAD of a tarball", result });
        let part = self.fetch(Request::tarball(url), &[(RANGE, "bytes=4-11")]).await;
        let result = match part {
            Err(FetchCause::Truncated { received: 0, expected: None, .. }) => Ok(()),
            Err(other) => Err(other.to_string()),
            Ok(answer) => Err(format!("{}, and {} bytes", answer.status, answer.body.len())),
        };
        self.tried.push(Tried { what: "Range of a tarball", result });
    }

    fn note(&mut self, what: &'static str, is_right: bool, said: impl Into<String>) {
        let result = if is_right { Ok(()) } else { Err(said.into()) };
        self.tried.push(Tried { what, result });
    }

    fn status(&mut self, what: &'static str, answer: &Answer, wanted: &[u16]) {
        let said = match answer.status {
            0 => String::from_utf8_lossy(&answer.body).into_owned(),
            status => format!("it answers {status}"),
        };
        self.note(what, wanted.contains(&answer.status), said);
    }

    async fn general(&mut self) {
        let answer = self.get("-/ping", &[]).await;
        self.status("ping", &answer, &[200]);
        let wanted = if self.authorization.is_some() { 200 } else { 401 };
        let answer = self.get("-/whoami", &[]).await;
        self.status("whoami", &answer, &[wanted]);
        let answer = self.get("-/npm/v1/keys", &[]).await;
        self.status("signing keys", &answer, &[200]);
        let answer = self.get("-/v1/search?text=a&size=1", &[]).await;
        self.note("search", answer.json()["objects"].is_array(), "there is no list of objects");
        let Ok(url) = self.base.join("-/npm/v1/security/advisories/bulk") else {
            return;
        };
        let body = json!({ "no-such-package-here": ["1.0.0"] }).to_string();
        let request = Request::sending(Method::POST, url, Some(body.into_bytes().into()));
        let answer = self.send(request, &[(CONTENT_TYPE, "application/json")]).await;
        self.status("bulk advisories", &answer, &[200]);
    }

    async fn packument(&mut self, path: &str) {
        let full = self.get(path, &[(ACCEPT, "application/json")]).await;
        self.status("full packument", &full, &[200]);
        let short = self.get(path, &[(ACCEPT, ABBREVIATED)]).await;
        let told = short.header(CONTENT_TYPE).to_owned();
        self.note(
            "abbreviated packument",
            told.starts_with(ABBREVIATED),
            format!("its type is {told:?}"),
        );
        let document = short.json();
        self.note("time in the abbreviated form", document["time"].is_object(), "there is none");
        let vary = short.header(VARY).to_ascii_lowercase();
        self.note("Vary: Accept", vary.contains("accept"), format!("it is {vary:?}"));
        let etag = short.header(ETAG).to_owned();
        let again = self.get(path, &[(ACCEPT, ABBREVIATED), (IF_NONE_MATCH, &etag)]).await;
        self.note(
            "ETag and 304",
            !etag.is_empty() && again.status == 304,
            format!("{}", again.status),
        );
        let latest = document["dist-tags"]["latest"].as_str().unwrap_or_default().to_owned();
        let answer = self.get(&format!("{path}/{latest}"), &[]).await;
        self.note("a version's manifest", answer.json()["version"] == latest, "it is another");
        let answer = self.get(&format!("-/package/{path}/dist-tags"), &[]).await;
        self.note("dist-tags", answer.json()["latest"] == latest, format!("{}", answer.status));
        let dist = &document["versions"][&latest]["dist"];
        self.note("signatures", dist["signatures"].is_array(), "the version has none");
        self.tarball(dist).await;
    }

    async fn tarball(&mut self, dist: &Value) {
        let text = |field: &str| dist[field].as_str().unwrap_or_default().to_owned();
        let (Ok(url), Ok(integrity)) =
            (text("tarball").parse::<Url>(), Integrity::parse(&text("integrity")))
        else {
            self.note("tarball", false, "the version has no address or integrity");
            return;
        };
        let said = format!("it leads to {}", url.host_str().unwrap_or_default());
        self.note("tarballs on the same server", url.origin() == self.base.origin(), said);
        let whole = self.send(Request::tarball(url.clone()), &[]).await;
        let is_right = integrity.verify(&whole.body).is_ok();
        self.note("tarball", is_right, "its bytes do not match the integrity");
        self.parts(url, whole.body.len() as u64).await;
    }

    async fn refusals(&mut self) {
        let answer = self.get("no-such-package-is-here-dx-check", &[]).await;
        self.status("404 for a missing name", &answer, &[404]);
        self.note("a reason in JSON", answer.json()["error"].is_string(), "there is none");
        let answer = self.get("-/npm/v1/attestations/no-such-package-is-here@1.0.0", &[]).await;
        self.status("404 for missing attestations", &answer, &[404]);
        let answer = self.get("%2e%2e%2f%2e%2e%2fetc%2fpasswd", &[]).await;
        let is_right = (400..500).contains(&answer.status);
        self.note("4xx for a path that leads elsewhere", is_right, format!("{}", answer.status));
    }
}
