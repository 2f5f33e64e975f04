//! Requests of an account to a registry: what is sent, what a refusal means, and one-time
//! passwords.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use dx_pkg_compat::json_size::{PACKUMENT_VALUES, parse};
use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::PackageName;
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use dx_pkg_fetch::{Bytes, Credentials, Method, Request, StatusCode};
use dx_pkg_install::Session;
use serde_json::Value;
use url::Url;

pub use crate::error::{Refusal, RefusalKind};

use crate::AuthorError;
use crate::script::{Browser, Told};
use dx_pkg_compat::hosted::percent;

/// The header with a one-time password.
const OTP: HeaderName = HeaderName::from_static("npm-otp");
const COMMAND: HeaderName = HeaderName::from_static("npm-command");
const AUTH_TYPE: HeaderName = HeaderName::from_static("npm-auth-type");
const SCOPE: HeaderName = HeaderName::from_static("npm-scope");
/// The longest time that is waited for the end of a login in a browser.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// An answer of a registry.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Returns the body as JSON; null where it is none, or too much.
    #[must_use]
    pub fn json(&self) -> Value {
        parse(&self.body, PACKUMENT_VALUES).unwrap_or_default()
    }
}

/// What is sent beside method, path and body.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Headers.
    pub headers: Vec<(HeaderName, String)>,
    /// The `Authorization`, instead of the configured one.
    pub authorization: Option<String>,
    /// Whether there is to be no `Authorization`.
    pub is_anonymous: bool,
}

/// One registry, as one account asks it.
pub struct Registry<'s> {
    session: &'s Session,
    /// Its address; ends with `/`.
    pub base: Url,
    command: &'static str,
    scope: Option<String>,
    told: &'s dyn Told,
    otp: RefCell<Option<String>>,
    /// The token that is sent in place of the configured credentials.
    token: RefCell<Option<String>>,
}

impl<'s> Registry<'s> {
    /// Returns the registry of a package, or without a name the usual one, for the command
    /// `command`.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn of(
        session: &'s Session,
        name: Option<&str>,
        command: &'static str,
        told: &'s dyn Told,
    ) -> Result<Self, AuthorError> {
        let config = session.config();
        let name = name.and_then(|name| PackageName::parse(name).ok());
        let base = name.as_ref().map_or(config.registry(), |name| config.registry_for(name));
        let scope = name.as_ref().and_then(|name| name.scope().map(str::to_owned));
        let otp = RefCell::new(config.otp()?);
        let token = RefCell::default();
        Ok(Registry { session, base: base.clone(), command, scope, told, otp, token })
    }

    /// Returns the registry at another address.
    #[must_use]
    pub fn at(self, base: Url) -> Self {
        Registry { base, ..self }
    }

    /// Returns whether there are credentials for the registry.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        let config = self.session.config();
        self.token.borrow().is_some()
            || config.credentials_for(&self.base).is_some()
            || config.client_certificate_for(&self.base).is_some()
    }

    /// Returns its address for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        dx_pkg_fetch::redact_url(&self.base)
    }

    /// Sets the token of what follows.
    pub(crate) fn set_token(&self, token: String) {
        *self.token.borrow_mut() = Some(token);
    }

    /// Returns the settings.
    pub(crate) fn config(&self) -> &Config {
        self.session.config()
    }

    /// Tells something that is no warning.
    pub(crate) fn notice(&self, text: &str) {
        self.told.notice(text);
    }

    /// Sets the one-time password of what follows.
    pub fn set_otp(&self, otp: Option<String>) {
        if otp.is_some() {
            *self.otp.borrow_mut() = otp;
        }
    }

    /// Asks for JSON at a path below the registry.
    ///
    /// # Errors
    /// The registry refuses, or there is no answer.
    pub fn get(&self, path: &str) -> Result<Value, AuthorError> {
        Ok(self.send(&Method::GET, path, None, &Sent::default())?.json())
    }

    /// Asks for JSON; `None` where there is nothing at the path.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn find(&self, path: &str) -> Result<Option<Value>, AuthorError> {
        match self.get(path) {
            Ok(value) => Ok(Some(value)),
            Err(AuthorError::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends something that changes the registry. Where the registry wants a one-time password,
    /// asks the user for it, and sends it again.
    ///
    /// # Errors
    /// The registry refuses, or there is no answer.
    pub fn change(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, AuthorError> {
        self.change_with(method, path, body, &Sent::default())
    }

    /// Does the same with further headers.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub fn change_with(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        sent: &Sent,
    ) -> Result<Answer, AuthorError> {
        let refusal = match self.send(method, path, body, sent) {
            Err(AuthorError::Refused(refusal)) if refusal.kind == RefusalKind::OneTimePassword => {
                refusal
            }
            outcome => return outcome,
        };
        if !self.told.can_answer() {
            return Err(AuthorError::Refused(refusal));
        }
        let otp = match refusal.pages() {
            Some((page, done)) => {
                let browser = Browser::of(self.session);
                self.told.open_page("Authenticate your account at", page, &browser);
                let token = self.wait_for_token(done)?;
                token.get("token").and_then(Value::as_str).map(str::to_owned)
            }
            None => self.told.ask("This operation requires a one-time password.\nEnter OTP:"),
        };
        let Some(otp) = otp.filter(|otp| !otp.is_empty()) else {
            return Err(AuthorError::Refused(refusal));
        };
        self.set_otp(Some(otp));
        self.send(method, path, body, sent)
    }

    /// Waits until the user has done in a browser what the registry wants, and returns its answer.
    ///
    /// # Errors
    /// The registry refuses, or it takes too long.
    pub fn wait_for_token(&self, address: &str) -> Result<Value, AuthorError> {
        const SHORTEST: Duration = Duration::from_millis(200);
        let wrong = || AuthorError::Address { address: address.to_owned() };
        let url = Url::parse(address).map_err(|_| wrong())?;
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.send_to(&Method::GET, url.clone(), None, &Sent::default())?;
            if answer.status != StatusCode::ACCEPTED {
                return Ok(answer.json());
            }
            let pause = answer.headers.get("retry-after").and_then(|value| value.to_str().ok());
            let pause = pause.and_then(|text| text.trim().parse::<f64>().ok()).unwrap_or(1.0);
            let pause = Duration::try_from_secs_f64(pause).unwrap_or(SHORTEST).max(SHORTEST);
            waited += pause;
            if waited > PATIENCE || dx_pkg_os::process::cancelled_by_signal() != 0 {
                return Err(AuthorError::NoLogin { registry: self.shown() });
            }
            std::thread::sleep(pause);
        }
    }

    /// Sends a request to a path below the registry.
    ///
    /// # Errors
    /// The registry refuses, or there is no answer.
    pub fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        sent: &Sent,
    ) -> Result<Answer, AuthorError> {
        let address = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let url =
            Url::parse(&address).map_err(|_| AuthorError::Address { address: address.clone() })?;
        self.send_to(method, url, body, sent)
    }

    /// Sends a request to an address.
    pub(crate) fn send_to(
        &self,
        method: &Method,
        url: Url,
        body: Option<&Value>,
        sent: &Sent,
    ) -> Result<Answer, AuthorError> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let has_body = body.is_some();
        let mut request = match *method {
            Method::GET => Request::metadata(url.clone()),
            _ => Request::sending(method.clone(), url.clone(), body),
        };
        let mut header = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                request = request.clone().header(name, value);
            }
        };
        header(ACCEPT_ENCODING, "identity");
        header(COMMAND, self.command);
        header(AUTH_TYPE, &self.session.config().auth_type()?);
        if has_body {
            header(CONTENT_TYPE, "application/json");
        }
        if let Some(scope) = &self.scope {
            header(SCOPE, scope);
        }
        for (name, value) in &sent.headers {
            header(name.clone(), value);
        }
        let otp = self.otp.borrow().as_deref().map(HeaderValue::from_str);
        if let Some(Ok(otp)) = otp.filter(|_| url.origin() == self.base.origin()) {
            request = request.own_header(OTP, otp);
        }
        if !sent.is_anonymous {
            request = request.credentials(self.credentials(sent.authorization.clone()));
        }
        self.answer(method, &url, request)
    }

    /// Sends a request to another service than the registry, which gets nothing of the account's.
    pub(crate) fn ask_other(
        &self,
        method: &Method,
        url: Url,
        body: Option<&Value>,
        authorization: Option<String>,
    ) -> Result<Answer, AuthorError> {
        let mut request = match *method {
            Method::GET => Request::metadata(url.clone()),
            _ => {
                let body = body.map(|body| Bytes::from(body.to_string()));
                let json = HeaderValue::from_static("application/json");
                Request::sending(method.clone(), url.clone(), body).header(CONTENT_TYPE, json)
            }
        };
        request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(value) = authorization {
            let origin = url.origin();
            request = request.credentials(Arc::new(move |url: &Url| {
                (url.origin() == origin).then(|| HeaderValue::from_str(&value).ok())?
            }));
        }
        self.answer(method, &url, request)
    }

    fn answer(&self, method: &Method, url: &Url, request: Request) -> Result<Answer, AuthorError> {
        let network = self.session.context.network()?;
        let fetched = network.runtime.block_on(network.fetcher.get(request));
        match fetched {
            Ok(response) => {
                self.notices(&response.headers);
                let (status, headers, body) = (response.status, response.headers, response.body);
                Ok(Answer { status, headers, body })
            }
            Err(error) => Err(match &error.cause {
                FetchCause::Status { status, answer, .. } => {
                    self.notices(&answer.headers);
                    let shown = dx_pkg_fetch::redact_url(url);
                    let answer = (*status, &answer.headers, &answer.body);
                    AuthorError::Refused(Box::new(Refusal::read(method, shown, answer)))
                }
                _ => AuthorError::Fetch(Box::new(error)),
            }),
        }
    }

    /// Returns the credentials of the settings, which only addresses of the registry get.
    fn credentials(&self, authorization: Option<String>) -> Credentials {
        let (config, base) = (self.session.config().clone(), self.base.clone());
        let own = self.token.borrow().as_ref().map(|token| format!("Bearer {token}"));
        let authorization = authorization.or(own);
        Arc::new(move |url| {
            let value = match &authorization {
                Some(value) if url.origin() == base.origin() => value.clone(),
                Some(_) => return None,
                None => config.credentials_for_artifact(url, &base)?.header_value(),
            };
            HeaderValue::from_str(&value).ok()
        })
    }

    /// Tells what the registry has to say to the user.
    fn notices(&self, headers: &HeaderMap) {
        for notice in headers.get_all("npm-notice") {
            if let Ok(text) = notice.to_str() {
                self.told.notice(text);
            }
        }
    }
}

/// Returns a package's name as it stands in a path: npm escapes the slash of a scope only.
#[must_use]
pub fn escaped(name: &str) -> String {
    match name.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        Some((scope, own)) => format!("@{}%2f{}", percent(scope), percent(own)),
        None => percent(name),
    }
}
