//! The one origin of each name: published here, or fetched from one upstream.

use crate::config::{Address, Config};
use crate::pattern;
use dx_pkg_core::PackageName;
use std::sync::Arc;

/// An upstream registry.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Its name in the configuration; `upstream` for the first.
    pub(crate) id: String,
    pub(crate) address: Address,
    /// The value of `Authorization` that it is sent. Clients' own never are.
    pub(crate) authorization: Option<String>,
}

/// The origin that the configuration gives to a name.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Only what is published here.
    Hosted,
    /// Only what this upstream has.
    Upstream(Arc<Registry>),
    /// What is published here if anything ever was; else what the upstream has, if there is one.
    Open(Option<Arc<Registry>>),
}

/// The origins of all names.
pub(crate) struct Origins {
    rules: Vec<(String, Origin)>,
    rest: Origin,
    registries: Vec<Arc<Registry>>,
}

impl Origins {
    /// Reads the rules. Tokens come from the environment.
    pub(crate) fn new(config: &Config, variables: &[(String, String)]) -> Result<Self, String> {
        let mut registries = Vec::new();
        if let Some(address) = &config.upstream {
            let (id, address) = ("upstream".to_owned(), address.clone());
            registries.push(Arc::new(Registry { id, address, authorization: None }));
        }
        for (id, upstream) in &config.upstreams {
            let authorization = match &upstream.token_variable {
                Some(name) => {
                    let found = variables.iter().find(|(key, _)| key == name);
                    let (_, token) = found.ok_or_else(|| {
                        format!("the token of upstream {id} is to be in {name}, which is not set")
                    })?;
                    Some(format!("Bearer {token}"))
                }
                None => None,
            };
            let (id, address) = (id.clone(), upstream.url.clone());
            registries.push(Arc::new(Registry { id, address, authorization }));
        }
        let find = |id: &str| registries.iter().find(|own| own.id == id).cloned();
        let rest = Origin::Open(find("upstream"));
        let mut rules = Vec::new();
        for rule in &config.packages {
            let origin = match (rule.from.as_str(), find(&rule.from)) {
                ("hosted", _) => Origin::Hosted,
                (_, Some(registry)) => Origin::Upstream(registry),
                (from, None) => {
                    return Err(format!(
                        "packages {:?} come from {from:?}: there is none",
                        rule.names
                    ));
                }
            };
            rules.push((rule.names.clone(), origin));
        }
        Ok(Self { rules, rest, registries })
    }

    /// Returns the origin of a name.
    pub(crate) fn of(&self, name: &PackageName) -> &Origin {
        let rule = self.rules.iter().find(|(pattern, _)| matches(pattern, name.as_str()));
        rule.map_or(&self.rest, |(_, origin)| origin)
    }

    /// Returns all upstreams.
    pub(crate) fn registries(&self) -> &[Arc<Registry>] {
        &self.registries
    }
}

/// Returns whether a name fits a rule's pattern: as of all patterns, or `**`, which is any name.
fn matches(pattern: &str, name: &str) -> bool {
    pattern == "**" || pattern::matches(pattern, name)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything_within_a_scope() {
        for (pattern, name, fits) in [
            ("@acme/*", "@acme/a", true),
            ("@acme/*", "@acme2/a", false),
            ("*", "a", true),
            ("*", "@s/a", false),
            ("@*/*", "@s/a", true),
            ("**", "@s/a", true),
            ("a-*-b", "a-x-b", true),
            ("a-*-b", "a-x-c", false),
            ("left-pad", "left-pad", true),
            ("left", "left-pad", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
