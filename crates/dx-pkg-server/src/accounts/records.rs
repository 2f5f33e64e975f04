//! The stored users, tokens and organisations.
//!
//! | Where | What |
//! |---|---|
//! | document `user/<name>` | a user |
//! | document `org/<name>` | an organisation |
//! | object `accounts/tokens/<SHA-256>` | a token; created once, removed when it is revoked |

use crate::accounts::audit_log::AuditLog;
use crate::accounts::known::Known;
use crate::accounts::org::Org;
use crate::accounts::{Settings, Token, User, secret, user};
use crate::documents::{Change, Documents, Name};
use crate::failure::Failure;
use crate::storage::{Created, Key, Storage};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

const USER: &str = "user";
const ORG: &str = "org";
/// The tokens that are kept parsed.
const PARSED: usize = 10_000;

/// The accounts of a registry. Clones share their caches.
#[derive(Clone)]
pub(crate) struct Accounts {
    pub(super) storage: Storage,
    documents: Documents,
    pub(crate) settings: Arc<Settings>,
    pub(crate) log: AuditLog,
    pub(super) known: Arc<Known>,
    parsed: Arc<Mutex<HashMap<String, Arc<Token>>>>,
}

impl Accounts {
    /// Opens the accounts of a storage.
    pub(crate) fn new(storage: Storage, documents: Documents, settings: Settings) -> Self {
        Self {
            log: AuditLog::new(storage.folder()),
            storage,
            documents,
            settings: Arc::new(settings),
            known: Arc::default(),
            parsed: Arc::default(),
        }
    }

    /// Reads a user.
    pub(crate) async fn user(&self, name: &str) -> Result<Option<Arc<User>>, Failure> {
        Ok(self.documents.read::<User>(&Name::new(USER, name)).await?.value)
    }

    /// Reads a user, or fails with 404.
    pub(crate) async fn existing_user(&self, name: &str) -> Result<Arc<User>, Failure> {
        let missing = || Failure::not_found(format!("there is no user {name}"));
        self.user(name).await?.ok_or_else(missing)
    }

    /// Whether there was a user of this name, who was removed.
    pub(crate) async fn was_user(&self, name: &str) -> Result<bool, Failure> {
        let document = self.documents.read::<User>(&Name::new(USER, name)).await?;
        Ok(document.number > 0 && document.value.is_none())
    }

    /// Returns all users.
    pub(crate) async fn users(&self) -> Result<Vec<Arc<User>>, Failure> {
        let mut users = Vec::new();
        for name in self.documents.keys(USER).await? {
            users.extend(self.user(&name).await?);
        }
        Ok(users)
    }

    /// Creates a user; 409 where there is one of that name.
    pub(crate) async fn create_user(&self, new: User) -> Result<(), Failure> {
        user::check_name(&new.name)?;
        let name = Name::new(USER, &new.name);
        let create = |found: Option<&User>| match found {
            Some(_) => Err(Failure::conflict(format!("there is a user {} already", new.name))),
            None => Ok(Change::To(new.clone(), ())),
        };
        self.documents.change(&name, create).await
    }

    /// Changes a user and returns what became of it.
    pub(crate) async fn change_user(
        &self,
        name: &str,
        mut change: impl FnMut(&mut User) -> Result<(), Failure>,
    ) -> Result<User, Failure> {
        let decide = |found: Option<&User>| {
            let missing = || Failure::not_found(format!("there is no user {name}"));
            let mut user = found.cloned().ok_or_else(missing)?;
            change(&mut user)?;
            user.updated = now();
            Ok(Change::To(user.clone(), user))
        };
        self.documents.change(&Name::new(USER, name), decide).await
    }

    /// Removes a user with all tokens. Packages and organisations still have the name, which nobody
    /// can register again.
    pub(crate) async fn remove_user(&self, name: &str) -> Result<(), Failure> {
        self.remove_tokens(name).await?;
        let decide = |found: Option<&User>| match found {
            Some(_) => Ok(Change::<User, ()>::Remove(())),
            None => Err(Failure::not_found(format!("there is no user {name}"))),
        };
        self.documents.change(&Name::new(USER, name), decide).await?;
        // Those that were made meanwhile.
        self.remove_tokens(name).await
    }

    async fn remove_tokens(&self, user: &str) -> Result<(), Failure> {
        for token in self.tokens_of(user).await? {
            self.remove_token(&token.key).await?;
        }
        Ok(())
    }

    /// Returns all organisations.
    pub(crate) async fn orgs(&self) -> Result<Vec<Arc<Org>>, Failure> {
        let mut orgs = Vec::new();
        for name in self.documents.keys(ORG).await? {
            orgs.extend(self.org(&name).await?);
        }
        Ok(orgs)
    }

    /// Reads an organisation.
    pub(crate) async fn org(&self, name: &str) -> Result<Option<Arc<Org>>, Failure> {
        Ok(self.documents.read::<Org>(&Name::new(ORG, name)).await?.value)
    }

    /// Reads the organisation that a package's scope belongs to.
    pub(crate) async fn org_of(&self, package: &str) -> Result<Option<Arc<Org>>, Failure> {
        match package.strip_prefix('@').and_then(|name| name.split_once('/')) {
            Some((scope, _)) => self.org(scope).await,
            None => Ok(None),
        }
    }

    /// Changes an organisation, which `change` gets as it is, or `None`.
    pub(crate) async fn change_org<R>(
        &self,
        name: &str,
        mut change: impl FnMut(Option<Org>) -> Result<(Org, R), Failure>,
    ) -> Result<R, Failure> {
        let decide = |found: Option<&Org>| {
            let (org, result) = change(found.cloned())?;
            Ok(Change::To(org, result))
        };
        self.documents.change(&Name::new(ORG, name), decide).await
    }

    /// Creates a token with all rights of a user, who is created where there is none of that name.
    pub(crate) async fn create_token(&self, user: &str) -> Result<String, Failure> {
        if self.user(user).await?.is_none() {
            self.create_user(User::new(user, now())).await?;
        }
        let (token, text) = Token::new(user, now())?;
        self.store_token(&token).await?;
        Ok(text)
    }

    /// Stores a new token.
    pub(crate) async fn store_token(&self, token: &Token) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(token).map_err(Failure::internal)?;
        match self.storage.create(&token_key(&token.key), Bytes::from(bytes)).await? {
            Created::New => Ok(()),
            Created::Exists => Err(Failure::internal("two tokens are equal")),
        }
    }

    /// Finds a token by its text; `None` for one that was revoked or never was.
    pub(crate) async fn token(&self, text: &str) -> Result<Option<Arc<Token>>, Failure> {
        if !Token::is_one(text) {
            return Ok(None);
        }
        self.token_by_key(&secret::digest(text)).await
    }

    /// Finds a token by its key.
    pub(crate) async fn token_by_key(&self, key: &str) -> Result<Option<Arc<Token>>, Failure> {
        let object = token_key(key);
        if !self.storage.exists(&object) {
            self.tokens().remove(key);
            return Ok(None);
        }
        if let Some(token) = self.tokens().get(key) {
            return Ok(Some(Arc::clone(token)));
        }
        let Some(bytes) = self.storage.read(&object).await? else {
            return Ok(None);
        };
        let token: Token = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::internal(format!("{} is damaged: {error}", object.as_str()))
        })?;
        let token = Arc::new(token);
        let mut parsed = self.tokens();
        if parsed.len() >= PARSED {
            parsed.clear();
        }
        parsed.insert(key.to_owned(), Arc::clone(&token));
        Ok(Some(token))
    }

    /// Returns a user's tokens, the newest first. Those whose time is over are removed meanwhile.
    pub(crate) async fn tokens_of(&self, user: &str) -> Result<Vec<Arc<Token>>, Failure> {
        let mut found = Vec::new();
        for object in self.storage.list(&tokens_folder()).await? {
            let Some(token) = self.token_by_key(object.key.last()).await? else {
                continue;
            };
            if token.is_expired(now()) {
                self.remove_token(&token.key).await?;
            } else if token.user == user {
                found.push(token);
            }
        }
        found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.key.cmp(&b.key)));
        Ok(found)
    }

    /// Removes the tokens whose time is over, and answers of browsers that nobody fetched.
    pub(crate) async fn remove_expired(&self) -> Result<(), Failure> {
        self.tokens_of("").await?;
        self.remove_old_answers().await
    }

    /// Revokes a token.
    pub(crate) async fn remove_token(&self, key: &str) -> Result<(), Failure> {
        self.tokens().remove(key);
        self.storage.remove(&token_key(key)).await
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Token>>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the time in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Writes a time as npm does.
pub(crate) fn iso(milliseconds: u64) -> String {
    crate::time::timestamp(UNIX_EPOCH + std::time::Duration::from_millis(milliseconds))
}

fn tokens_folder() -> Key {
    Key::of("accounts").with("tokens")
}

fn token_key(key: &str) -> Key {
    tokens_folder().with(key)
}
