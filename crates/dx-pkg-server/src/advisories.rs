//! Known vulnerabilities, as upstreams know them: asked for in bulk, remembered for a while.
//!
//! Only names that come from an upstream are asked about there; the registry's own never leave.

use crate::failure::Failure;
use crate::http::plain;
use crate::lru::Lru;
use crate::origin::Registry;
use crate::upstream::{Refusal, Upstreams};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time for which an answer is not asked for again.
const FRESH: Duration = Duration::from_secs(300);
/// The time for which an answer is used while the upstream fails.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// The memory for answers, in bytes.
const MEMORY: usize = 16 << 20;
/// The longest answer of an upstream, in bytes.
const LONGEST: u64 = 64 << 20;
const PATH: &str = "-/npm/v1/security/advisories/bulk";

/// The names that are asked about, each with its versions.
pub(crate) type Question = BTreeMap<String, BTreeSet<String>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    registry: String,
    name: String,
    versions: Arc<BTreeSet<String>>,
}

#[derive(Clone)]
struct Known {
    entries: Arc<Vec<Value>>,
    since: Instant,
}

/// What is remembered of vulnerabilities.
pub(crate) struct Advisories {
    known: Lru<Key, Known>,
}

/// What came of a question.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The vulnerabilities by name.
    pub(crate) found: Map<String, Value>,
    /// Whether the upstream does not know the question, so that nobody has answered.
    pub(crate) unanswered: bool,
}

impl Default for Advisories {
    fn default() -> Self {
        Self { known: Lru::new(MEMORY) }
    }
}

impl Advisories {
    /// Asks an upstream about names that come from it.
    ///
    /// # Errors
    /// 5xx where the upstream fails and an answer is not remembered either: an empty answer would
    /// read as "no vulnerabilities".
    pub(crate) async fn ask(
        &self,
        upstreams: &Upstreams,
        registry: &Registry,
        question: Question,
    ) -> Result<Reply, Failure> {
        let (mut reply, mut open, mut old) = (Reply::default(), Vec::new(), Vec::new());
        for (name, versions) in question {
            let key = Key { registry: registry.id.clone(), name, versions: Arc::new(versions) };
            match self.known.get(&key) {
                Some(known) if known.since.elapsed() < FRESH => reply.add(&key.name, &known),
                known => {
                    old.push(known.filter(|known| known.since.elapsed() < STALE));
                    open.push(key);
                }
            }
        }
        if open.is_empty() {
            return Ok(reply);
        }
        let body: BTreeMap<&str, &BTreeSet<String>> =
            open.iter().map(|key| (key.name.as_str(), &*key.versions)).collect();
        let body = serde_json::to_vec(&body).map_err(Failure::internal)?;
        match upstreams.client().ask(registry, PATH, Some(Bytes::from(body))).await {
            Ok(answer) => {
                let answer = plain(&answer, LONGEST)?;
                let mut answer: Map<String, Value> =
                    serde_json::from_slice(&answer).map_err(|error| {
                        let text = "the upstream's answer about vulnerabilities makes no sense";
                        Failure::new(StatusCode::BAD_GATEWAY, text).detail(error)
                    })?;
                for key in open {
                    let entries = match answer.remove(&key.name) {
                        Some(Value::Array(entries)) => entries,
                        _ => Vec::new(),
                    };
                    let known = Known { entries: Arc::new(entries), since: Instant::now() };
                    reply.add(&key.name, &known);
                    let bytes = 128 + key.versions.len() * 24 + known.entries.len() * 600;
                    self.known.put(key, known, bytes);
                }
                Ok(reply)
            }
            Err(Refusal::Missing) => Ok(Reply { unanswered: true, ..reply }),
            Err(Refusal::Failed(failure)) => {
                for (key, known) in open.iter().zip(old) {
                    match known {
                        Some(known) => reply.add(&key.name, &known),
                        None => return Err(failure),
                    }
                }
                Ok(reply)
            }
        }
    }
}

impl Reply {
    fn add(&mut self, name: &str, known: &Known) {
        if !known.entries.is_empty() {
            self.found.insert(name.to_owned(), json!(&*known.entries));
        }
    }
}
