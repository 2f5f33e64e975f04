//! Questions that a browser answers while a client waits: logins, and confirmations by one-time
//! password.
//!
//! The client gets two addresses. That of the page carries the digest of the secret which the other
//! one carries, with what the question is about and a signature over it; so nothing is stored until
//! a user answers, and who sees the page's address cannot fetch the result.
//!
//! | Object | What |
//! |---|---|
//! | `accounts/web-key` | the key of the signatures |
//! | `accounts/answers/<id>` | a user's answer |
//! | `accounts/taken/<id>` | the mark of the client that has fetched the answer |
//! | `accounts/confirmed/<SHA-256>` | what a confirmation gave, valid for minutes |

use crate::accounts::caller::WebAddresses;
use crate::accounts::{Accounts, Token, User, now, secret};
use crate::failure::Failure;
use crate::storage::{Created, Key};
use bytes::Bytes;
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use url::form_urlencoded::Serializer;

/// The time that a question is open, in milliseconds.
const OPEN: u64 = 10 * 60 * 1000;
/// The time that a confirmation is valid, in milliseconds.
const CONFIRMED: u64 = 5 * 60 * 1000;

/// What a browser is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The digest of the client's secret.
    pub(crate) id: String,
    /// The user who has to confirm something; none for a login.
    pub(crate) user: Option<String>,
    /// The time at which it was asked.
    pub(crate) asked: u64,
    /// The address of the client.
    pub(crate) from: String,
}

/// A user's answer.
#[derive(Serialize, Deserialize)]
struct Answered {
    user: String,
    until: u64,
    /// Whether the question was a login: what the user has answered decides what the client gets,
    /// not what the client asks for.
    #[serde(default)]
    is_login: bool,
}

/// What a waiting client gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody has answered yet.
    Waiting,
    /// The question is too old.
    Over,
    /// A token, or a confirmation to be sent as a one-time password.
    Given(String),
}

impl Accounts {
    /// Asks a question; `base` is the registry's address with a slash at the end.
    pub(crate) async fn ask(
        &self,
        base: &str,
        user: Option<&str>,
        from: IpAddr,
    ) -> Result<WebAddresses, Failure> {
        let secret = secret::random_hex(32)?;
        let question = Question {
            id: secret::digest(&secret),
            user: user.map(str::to_owned),
            asked: now(),
            from: from.to_string(),
        };
        let query = self.signed(&question).await?;
        let (page, asked) = (&question.id, question.asked);
        let kind = if user.is_some() { "confirm" } else { "login" };
        Ok(WebAddresses {
            page: format!("{base}-/ui/{kind}/{page}?{query}"),
            done: format!("{base}-/v1/done/{secret}?asked={asked}"),
        })
    }

    /// Reads a question from a page's address; 400 where it was altered, 410 where it is too old.
    pub(crate) async fn question(&self, id: &str, query: &str) -> Result<Question, Failure> {
        let value = |name: &str| {
            let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned())
        };
        let question = Question {
            id: id.to_owned(),
            user: value("user"),
            asked: value("asked").and_then(|text| text.parse().ok()).unwrap_or(0),
            from: value("from").unwrap_or_default(),
        };
        let signature = value("signature").unwrap_or_default();
        if !secret::same(&signature, &self.signature(&question).await?) {
            return Err(Failure::bad_request("this address is not one that the registry gave"));
        }
        if is_over(question.asked) {
            let text = "this page is too old: begin again in the terminal";
            return Err(Failure::new(axum::http::StatusCode::GONE, text));
        }
        Ok(question)
    }

    /// Records the user's answer.
    pub(crate) async fn answer(&self, question: &Question, user: &User) -> Result<(), Failure> {
        let answered = Answered {
            user: user.name.clone(),
            until: question.asked + OPEN,
            is_login: question.user.is_none(),
        };
        let bytes = serde_json::to_vec(&answered).map_err(Failure::internal)?;
        match self.storage.create(&answer_key(&question.id), Bytes::from(bytes)).await? {
            Created::New => Ok(()),
            Created::Exists => Err(Failure::conflict("this page was used already")),
        }
    }

    /// Gives the waiting client its result, once.
    pub(crate) async fn outcome(&self, secret: &str, asked: u64) -> Result<Outcome, Failure> {
        let key = answer_key(&secret::digest(secret));
        if is_over(asked) {
            return Ok(Outcome::Over);
        }
        if !self.storage.exists(&key) {
            return Ok(Outcome::Waiting);
        }
        let bytes = self.storage.read(&key).await?.unwrap_or_default();
        let Ok(answered) = serde_json::from_slice::<Answered>(&bytes) else {
            return Ok(Outcome::Waiting);
        };
        // Of several requests at once, one makes the mark. The answer stays, so that there is no
        // other.
        let taken = taken_key(&secret::digest(secret));
        if answered.until <= now() || self.storage.create(&taken, bytes).await? == Created::Exists {
            return Ok(Outcome::Over);
        }
        if answered.is_login {
            let (mut token, text) = Token::new(&answered.user, now())?;
            token.name = "web login".to_owned();
            self.store_token(&token).await?;
            return Ok(Outcome::Given(text));
        }
        let confirmation = secret::random_hex(32)?;
        let answered = Answered { user: answered.user, until: now() + CONFIRMED, is_login: false };
        let bytes = serde_json::to_vec(&answered).map_err(Failure::internal)?;
        let key = confirmed_key(&secret::digest(&confirmation));
        self.storage.create(&key, Bytes::from(bytes)).await?;
        Ok(Outcome::Given(confirmation))
    }

    /// Whether `code` is what a browser's confirmation gave to this user, minutes ago at most.
    pub(super) async fn confirmed_in_browser(
        &self,
        user: &User,
        code: &str,
    ) -> Result<bool, Failure> {
        if code.len() != 64 {
            return Ok(false);
        }
        let key = confirmed_key(&secret::digest(code));
        let Some(bytes) = self.storage.read(&key).await? else {
            return Ok(false);
        };
        let answered: Answered = serde_json::from_slice(&bytes).map_err(Failure::internal)?;
        Ok(answered.user == user.name && answered.until > now())
    }

    /// Removes answers and confirmations that nobody can use any more.
    pub(crate) async fn remove_old_answers(&self) -> Result<(), Failure> {
        for folder in ["answers", "taken", "confirmed"] {
            for object in self.storage.list(&Key::of("accounts").with(folder)).await? {
                let bytes = self.storage.read(&object.key).await?.unwrap_or_default();
                let answered = serde_json::from_slice::<Answered>(&bytes);
                if answered.is_ok_and(|answered| answered.until <= now()) {
                    self.storage.remove(&object.key).await?;
                }
            }
        }
        Ok(())
    }

    async fn signed(&self, question: &Question) -> Result<String, Failure> {
        let signature = self.signature(question).await?;
        let mut query = Serializer::new(String::new());
        if let Some(user) = &question.user {
            query.append_pair("user", user);
        }
        query.append_pair("asked", &question.asked.to_string());
        query.append_pair("from", &question.from);
        query.append_pair("signature", &signature);
        Ok(query.finish())
    }

    async fn signature(&self, question: &Question) -> Result<String, Failure> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.web_key().await?);
        let Question { id, user, asked, from } = question;
        let text = serde_json::json!([id, user, asked, from]).to_string();
        Ok(secret::hex(hmac::sign(&key, text.as_bytes()).as_ref()))
    }

    /// Returns the key of the signatures, which the first to need it makes.
    async fn web_key(&self) -> Result<Bytes, Failure> {
        let key = Key::of("accounts").with("web-key");
        if let Some(bytes) = self.storage.read(&key).await? {
            return Ok(bytes);
        }
        self.storage.create(&key, Bytes::from(secret::random_hex(32)?)).await?;
        let missing = || Failure::internal("the key of web logins is gone");
        self.storage.read(&key).await?.ok_or_else(missing)
    }
}

/// Whether a question that was asked then is closed; one from the future is, too.
fn is_over(asked: u64) -> bool {
    let now = now();
    asked.saturating_add(OPEN) <= now || asked > now + OPEN
}

fn answer_key(id: &str) -> Key {
    Key::of("accounts").with("answers").with(id)
}

fn taken_key(id: &str) -> Key {
    Key::of("accounts").with("taken").with(id)
}

fn confirmed_key(digest: &str) -> Key {
    Key::of("accounts").with("confirmed").with(digest)
}
