//! Users and their tokens.

use crate::documents::{Change, Documents, Name};
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The users and tokens of a registry.
pub(crate) struct Accounts {
    documents: Documents,
}

/// What is kept of a token: never itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) user: String,
}

impl Accounts {
    pub(crate) fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// Creates a token of 256 random bits for a user, and returns its text.
    pub(crate) async fn create_token(&self, user: &str) -> Result<String, Failure> {
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(Failure::internal)?;
        let text = format!("dxr_{}", hex(&random));
        let token = Token { user: user.to_owned() };
        let name = Self::token_name(&text);
        self.documents.change(&name, |_| Ok(Change::To(token.clone(), ()))).await?;
        Ok(text)
    }

    /// Returns the token of this text; `None` where there is none.
    pub(crate) async fn token(&self, text: &str) -> Result<Option<Arc<Token>>, Failure> {
        Ok(self.documents.read::<Token>(&Self::token_name(text)).await?.value)
    }

    fn token_name(text: &str) -> Name {
        Name::new("token", &hex(&Sha256::digest(text.as_bytes())))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
