//! Questions to a registry: what is known of a package, which packages there are, where its pages
//! are, whether the registry answers. Nothing is changed but the store, by [`caching`].

pub mod addresses;
mod age;
pub mod caching;
mod card;
mod choice;
mod error;
mod person;
pub mod search;
pub mod view;

use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_compat::npm_registry::{Document, NpmRegistry};
use dx_pkg_core::PackageName;
use dx_pkg_install::Session;
use serde_json::Value;
use url::Url;

pub use error::QuestionError;

/// Asks for the full packument of a package.
///
/// # Errors
/// The package is unknown, or the registry does not answer.
pub fn document(session: &Session, name: &PackageName) -> Result<Document, QuestionError> {
    let network = session.context.network()?;
    let registry = registry(session)?;
    Ok(network.runtime.block_on(registry.document(name))?)
}

/// Asks whether the registry answers, and returns what it says.
///
/// # Errors
/// It does not.
pub fn ping(session: &Session) -> Result<Value, QuestionError> {
    let answer = answer(session, session.config().registry(), "-/ping")?;
    Ok(parse(&answer, ANSWER_VALUES).unwrap_or_else(|_| Value::Object(Default::default())))
}

/// Returns what is at `path` below a registry.
fn answer(session: &Session, at: &Url, path: &str) -> Result<Vec<u8>, QuestionError> {
    let network = session.context.network()?;
    let registry = registry(session)?;
    Ok(network.runtime.block_on(registry.answer(at, path)).map_err(Box::new)?)
}

/// Returns npm's registries, as the settings name them.
fn registry(session: &Session) -> Result<NpmRegistry, QuestionError> {
    let network = session.context.network()?;
    let config = session.config();
    let registry = NpmRegistry::new(network.fetcher.clone(), config.clone(), config.registry());
    Ok(registry.map_err(dx_pkg_acquire::AcquireError::from)?)
}
