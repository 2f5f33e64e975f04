//! The question for advisories: which registry is asked about which packages, and its answer.

use std::collections::{BTreeMap, HashSet};

use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_core::PackageName;
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::{FetchError, StatusCode};
use dx_pkg_install::Session;
use serde_json::{Map, Value};
use url::Url;

use crate::asked::{self, Asked};
use crate::{InspectError, View};

/// Where registries have advisories.
pub(crate) const PATH: &str = "-/npm/v1/security/advisories/bulk";

/// What registries advise of: the advisories by the package's name, in the answer's order.
pub(super) struct Advice {
    pub(super) advisories: Vec<(String, Vec<Value>)>,
    pub(super) refused: Vec<Refused>,
}

/// A registry of a scope that has no advisories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The registry.
    pub registry: String,
    /// The number of packages that were not audited.
    pub packages: usize,
}

/// Asks registries for advisories of packages. Names of a scope with a registry of its own are
/// told to no other registry.
///
/// # Errors
/// A registry that does not answer; a scope's registry may have no advisories.
pub(super) fn advice(
    view: &View,
    session: &Session,
    audited: &HashSet<usize>,
) -> Result<Advice, InspectError> {
    let mut questions: BTreeMap<&Url, Map<String, Value>> = BTreeMap::new();
    let mut seen: HashSet<(&str, Option<&str>)> = HashSet::new();
    let config = session.config();
    for place in 0..view.graph.packages.len() {
        if !audited.contains(&place) {
            continue;
        }
        let name = view.package_name(place);
        let parsed = PackageName::parse(name);
        let registry = parsed.as_ref().map_or(config.registry(), |name| config.registry_for(name));
        let version = view.facts(place).entry.version.as_deref();
        let versions = questions.entry(registry).or_default().entry(name);
        if let Value::Array(list) = versions.or_insert_with(|| Value::Array(Vec::new()))
            && seen.insert((name, version))
        {
            list.push(version.into());
        }
    }
    let registries: Vec<(Url, usize)> =
        questions.iter().map(|(registry, names)| ((*registry).clone(), names.len())).collect();
    let asked = questions.into_iter().map(|(registry, names)| Asked {
        url: asked::below(registry, PATH),
        body: Some(Value::Object(names)),
        accept: None,
    });
    let mut result = Advice { advisories: Vec::new(), refused: Vec::new() };
    let asked: Vec<Asked> = asked.collect();
    if asked.is_empty() {
        return Ok(result);
    }
    for ((registry, packages), answer) in registries.iter().zip(asked::all(session, asked)?) {
        match answer {
            Ok(text) => result.advisories.extend(parsed(registry, &text)?),
            Err(error) if registry != config.registry() && has_none(&error) => {
                let registry = dx_pkg_fetch::redact_url(registry);
                result.refused.push(Refused { registry, packages: *packages });
            }
            Err(error) => return Err(InspectError::AuditRefused { source: Box::new(error) }),
        }
    }
    Ok(result)
}

/// Returns whether an answer says that there is no such endpoint.
fn has_none(error: &FetchError) -> bool {
    matches!(&error.cause, FetchCause::Status { status, .. }
        if matches!(*status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::BAD_REQUEST | StatusCode::NOT_IMPLEMENTED))
}

fn parsed(registry: &Url, text: &[u8]) -> Result<Vec<(String, Vec<Value>)>, InspectError> {
    let unreadable = |why: String| InspectError::AuditUnreadable {
        registry: dx_pkg_fetch::redact_url(registry),
        why,
    };
    let members: Map<String, Value> =
        parse(text, ANSWER_VALUES).map_err(|error| unreadable(error.to_string()))?;
    let mut found = Vec::new();
    for (name, value) in members {
        let Value::Array(list) = value else {
            return Err(unreadable(format!("the advisories of {name} are no list")));
        };
        if !list.iter().all(Value::is_object) {
            return Err(unreadable(format!("an advisory of {name} is no object")));
        }
        found.push((name, list));
    }
    Ok(found)
}
