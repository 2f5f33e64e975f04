//! Passwords: their slow hashes, made and checked at logins only.

use crate::failure::Failure;
use crate::storage::blocking;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use axum::http::StatusCode;
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// The shortest password that is accepted, in characters.
const SHORTEST: usize = 8;
/// The longest, in bytes.
const LONGEST: usize = 1024;

/// Hashes at the same time: each takes 19 MiB and a core for some 20 ms.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// Returns the argon2id hash of a new password, in PHC form.
pub(crate) async fn hash(password: &str) -> Result<String, Failure> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        let text = format!("a password needs at least {SHORTEST} characters");
        return Err(Failure::bad_request(text));
    }
    let _permit = HASHING.acquire().await.map_err(Failure::internal)?;
    let password = password.to_owned();
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(Failure::internal)?;
    let hashing = move || {
        let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
        hash.map(|hash| hash.to_string())
    };
    blocking(hashing).await?.map_err(Failure::internal)
}

/// Whether `password` is the one that `hash` was made of. Without a hash as much time is spent, so
/// that names of users cannot be found out by it.
pub(crate) async fn verify(password: &str, hash: Option<&str>) -> Result<bool, Failure> {
    /// The hash of a password that nobody knows.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
        bm9ib2R5LWhhcy10aGlz$0b2mbBhE6U0qJZ3a2kq7x1c0x0o5n4X9gqg1v1yWq0Y";
    if password.len() > LONGEST {
        return Ok(false);
    }
    let known = hash.is_some();
    let (password, hash) = (password.to_owned(), hash.unwrap_or(NOBODY).to_owned());
    let Ok(_permit) = HASHING.acquire().await else {
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the registry is stopping"));
    };
    let verifying = move || {
        let hash = PasswordHash::new(&hash).map_err(|error| error.to_string())?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    let verified: Result<bool, String> = blocking(verifying).await?;
    Ok(verified.map_err(Failure::internal)? && known)
}
