//! Who a request comes from.

use crate::accounts::{Accounts, Token, User, now};
use crate::failure::Failure;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use std::sync::Arc;

/// Who a request comes from: anybody, or a user with a token or a password.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) login: Option<Login>,
    /// Why the credentials that came were not accepted.
    pub(crate) rejected: Option<Rejected>,
    /// The address of the client, behind proxies that are trusted.
    pub(crate) address: IpAddr,
    /// What came as `npm-otp`, and whether it is valid.
    pub(crate) one_time: OneTime,
    /// Where a browser gives the one-time password, if the client can wait for that.
    pub(crate) web: Option<WebAddresses>,
}

/// A user who has shown a token or a password.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) user: Arc<User>,
    /// The token; none where it was a password.
    pub(crate) token: Option<Arc<Token>>,
}

/// A reason not to accept credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    Unknown,
    Expired,
    /// The token is bound to other addresses.
    Address,
    Password,
    /// A password without the one-time password that its user has set up.
    SecondFactor,
    Form,
}

impl Rejected {
    /// Returns the reason for the client.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unknown => {
                "the token that was sent is not valid here (any more): use `npm login`"
            }
            Self::Expired => "the token that was sent has expired: use `npm login`, or a new token",
            Self::Address => "the token that was sent cannot be used from this address",
            Self::Password => "the name and the password that were sent do not belong together",
            Self::SecondFactor => "the password needs a one-time password beside it: use a token",
            Self::Form => "the Authorization header is neither Bearer nor Basic",
        }
    }
}

/// A one-time password in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneTime {
    Missing,
    Wrong,
    Right,
}

/// The two addresses of a question that a browser answers.
#[derive(Debug, Clone)]
pub(crate) struct WebAddresses {
    /// The page.
    pub(crate) page: String,
    /// Where the client asks whether it was answered.
    pub(crate) done: String,
}

impl Caller {
    /// Returns somebody who has not logged in.
    pub(crate) fn anybody(address: IpAddr) -> Self {
        Self { login: None, rejected: None, address, one_time: OneTime::Missing, web: None }
    }

    /// Returns the user, or a 401.
    pub(crate) fn login(&self) -> Result<&Login, Failure> {
        self.login.as_ref().ok_or_else(|| match self.rejected {
            Some(Rejected::SecondFactor) => self.no_one_time_password(),
            Some(Rejected::Address) => {
                Failure::new(StatusCode::UNAUTHORIZED, Rejected::Address.text())
                    .header(WWW_AUTHENTICATE, "ipaddress")
            }
            Some(rejected) => Failure::unauthorized(rejected.text()),
            None => Failure::unauthorized("this needs a login: use `npm login`"),
        })
    }

    /// Returns the user's name; for records.
    pub(crate) fn name(&self) -> &str {
        self.login.as_ref().map_or("", |login| login.user.name.as_str())
    }

    /// Requires the valid one-time password of a user who has a second factor.
    pub(crate) fn one_time_password(&self) -> Result<(), Failure> {
        match self.one_time {
            OneTime::Right => Ok(()),
            OneTime::Missing | OneTime::Wrong => Err(self.no_one_time_password()),
        }
    }

    fn no_one_time_password(&self) -> Failure {
        let text = match self.one_time {
            OneTime::Wrong => "the one-time password is not valid: use a new code",
            _ => "this needs a one-time password: repeat it with --otp=CODE",
        };
        let failure = Failure::new(StatusCode::UNAUTHORIZED, text).header(WWW_AUTHENTICATE, "OTP");
        match &self.web {
            Some(web) => {
                failure.with("authUrl", web.page.as_str()).with("doneUrl", web.done.as_str())
            }
            None => failure,
        }
    }

    /// Requires a login by which the account itself can be changed: a password, or a token with all
    /// rights, and the one-time password of those who have a second factor.
    pub(crate) fn account_holder(&self) -> Result<&Login, Failure> {
        let login = self.login()?;
        if login.token.as_ref().is_some_and(|token| !token.is_unlimited()) {
            return Err(Failure::forbidden(
                "a limited token cannot change the account or its tokens",
            ));
        }
        if login.user.active_second_factor().is_some() {
            self.one_time_password()?;
        }
        Ok(login)
    }
}

impl Accounts {
    /// Finds out who sends a request with these headers. Credentials that are not valid make it
    /// nobody's: what anybody may do is done for them too.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
        base: &str,
    ) -> Result<Caller, Failure> {
        let mut caller = Caller::anybody(address);
        let Some(sent) = headers.get(AUTHORIZATION) else {
            return Ok(caller);
        };
        match self.login(sent.to_str().unwrap_or_default(), address).await? {
            Ok(login) => caller.login = Some(login),
            Err(rejected) => caller.rejected = Some(rejected),
        }
        let Some(login) = &caller.login else {
            return Ok(caller);
        };
        if login.user.active_second_factor().is_none() {
            return Ok(caller);
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(code) = text("npm-otp").filter(|code| !code.is_empty()) {
            let valid = self.accepts_one_time(&login.user, code).await?;
            caller.one_time = if valid { OneTime::Right } else { OneTime::Wrong };
        } else if text("npm-auth-type") == Some("web") {
            caller.web = Some(self.ask(base, Some(&login.user.name), address).await?);
        }
        // A password is a login each time it is sent, and is nobody's without its second factor.
        if login.token.is_none() && caller.one_time != OneTime::Right {
            (caller.login, caller.rejected) = (None, Some(Rejected::SecondFactor));
        }
        Ok(caller)
    }

    async fn login(&self, sent: &str, address: IpAddr) -> Result<Result<Login, Rejected>, Failure> {
        let (scheme, value) = sent.split_once(' ').unwrap_or((sent, ""));
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.login_by_token(value, address).await;
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(Err(Rejected::Form));
        }
        let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((name, password)) = decoded.as_deref().and_then(|text| text.split_once(':'))
        else {
            return Ok(Err(Rejected::Form));
        };
        if Token::is_one(password) {
            return self.login_by_token(password, address).await;
        }
        let user = self.user_by_password(name, password, address).await?;
        Ok(user.map(|user| Login { user, token: None }).ok_or(Rejected::Password))
    }

    async fn login_by_token(
        &self,
        text: &str,
        address: IpAddr,
    ) -> Result<Result<Login, Rejected>, Failure> {
        let Some(token) = self.token(text).await? else {
            return Ok(Err(Rejected::Unknown));
        };
        if token.is_expired(now()) {
            return Ok(Err(Rejected::Expired));
        }
        if !token.may_come_from(address) {
            return Ok(Err(Rejected::Address));
        }
        let user = self.user(&token.user).await?;
        Ok(user.map(|user| Login { user, token: Some(token) }).ok_or(Rejected::Unknown))
    }
}
