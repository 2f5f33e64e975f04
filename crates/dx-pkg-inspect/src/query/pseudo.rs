//! The words behind a colon.

use std::collections::HashSet;
use std::rc::Rc;

use dx_pkg_compat::glob::{Segment, expand};
use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_core::{PackageName, Range, Spec};
use dx_pkg_resolve::graph::State;
use serde_json::{Map, Value};

use super::parse::{self, Part};
use super::select::Select;
use super::{Item, QueryError, matching, versions};
use crate::InspectError;
use crate::asked::{self, Asked};

impl Select<'_> {
    /// Returns the items that a word behind a colon is true of.
    pub(super) fn pseudo(
        &mut self,
        name: &str,
        arguments: Option<&[String]>,
        base: &[Item],
        target: Option<usize>,
    ) -> Result<Vec<Item>, InspectError> {
        let view = self.view;
        let packages = &view.graph.packages;
        let keep = |test: &dyn Fn(usize) -> bool| -> Vec<Item> {
            let is_one = |item: &Item| matches!(item, Item::Place(place) if test(*place));
            base.iter().copied().filter(is_one).collect()
        };
        Ok(match name {
            // As with npm, nothing is the root within `:is` and `:not`.
            "root" => keep(&|place| place == 0 && target.is_some()),
            "scope" => keep(&|place| Some(place) == target),
            "empty" => base
                .iter()
                .copied()
                .filter(|item| match item {
                    Item::Place(place) => packages[*place].requires.is_empty(),
                    Item::Missing(_) => true,
                })
                .collect(),
            "extraneous" => base
                .iter()
                .copied()
                .filter(|item| match item {
                    Item::Place(place) => packages[*place].extraneous,
                    Item::Missing(_) => true,
                })
                .collect(),
            "invalid" => keep(&|place| {
                view.dependents_of(place).any(|required| required.state == State::Invalid)
            }),
            "link" => keep(&|place| {
                packages[place].target.is_some() || place != 0 && packages[place].parent.is_none()
            }),
            "overridden" => keep(&|place| packages[place].is_overridden),
            "private" => base.iter().copied().filter(|item| self.is_private(*item)).collect(),
            "deduped" => keep(&|place| {
                let target = packages[place].target.unwrap_or(place);
                packages[target].required_by.len() > 1
            }),
            "missing" => {
                let is_missing = |at: &usize| view.graph.requirements[*at].state == State::Missing;
                (0..view.graph.requirements.len()).filter(is_missing).map(Item::Missing).collect()
            }
            "path" => self.at_path(arguments, base)?,
            "type" => self.of_type(arguments, base),
            "attr" => {
                let path = parse::path(arguments.unwrap_or_default())?;
                let holds = |item: &Item| {
                    let manifest = Value::Object(self.manifest(*item));
                    matching::at_end(&path, &manifest)
                        .iter()
                        .any(|one| matching::holds(&path.matcher, one))
                };
                base.iter().copied().filter(holds).collect()
            }
            "semver" => {
                let test = versions::Test::parse(arguments.unwrap_or_default())?;
                let mut found = Vec::new();
                for item in base {
                    if test.holds(&Value::Object(self.manifest(*item)))? {
                        found.push(*item);
                    }
                }
                found
            }
            "is" | "not" => {
                let selectors = parse::parse(&arguments.unwrap_or_default().join(", "))?;
                let found = self.all(&selectors, base, None)?;
                if name == "is" {
                    found
                } else {
                    let found: HashSet<Item> = found.into_iter().collect();
                    base.iter().copied().filter(|item| !found.contains(item)).collect()
                }
            }
            "has" => {
                let selectors = parse::parse(&arguments.unwrap_or_default().join(", "))?;
                let mut found = Vec::new();
                for item in base {
                    let own = match item {
                        Item::Place(place) => Some(*place),
                        Item::Missing(_) => None,
                    };
                    if !self.all(&selectors, &[*item], own)?.is_empty() {
                        found.push(*item);
                    }
                }
                found
            }
            "outdated" => self.outdated(arguments, base)?,
            "vuln" => self.vulnerable(arguments, base)?,
            _ => return Err(QueryError::NoPseudo { name: name.to_owned() }.into()),
        })
    }

    /// Returns the items whose folder fits a pattern.
    fn at_path(
        &self,
        arguments: Option<&[String]>,
        base: &[Item],
    ) -> Result<Vec<Item>, InspectError> {
        let text = arguments.unwrap_or_default().join(",");
        let text = text.trim_matches(['"', '\'']);
        if text.is_empty() {
            return Ok(base.to_vec());
        }
        let root = self.view.root.canonicalize().unwrap_or_else(|_| self.view.root.clone());
        let unreadable = || QueryError::Unreadable { text: text.to_owned() };
        let patterns: Vec<Vec<Segment>> = expand(text)
            .ok_or_else(unreadable)?
            .iter()
            .map(|one| segments(&absolute(&root.to_string_lossy(), one)))
            .collect();
        let fits = |item: &Item| {
            let Item::Place(place) = item else { return false };
            let target = self.view.graph.packages[*place].target.unwrap_or(*place);
            let folder = self.view.folder(target);
            let folder = folder.canonicalize().unwrap_or(folder);
            let folder = folder.to_string_lossy().into_owned();
            let names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
            patterns.iter().any(|pattern| fits(pattern, &names))
        };
        Ok(base.iter().copied().filter(fits).collect())
    }

    /// Returns what requirements of a type lead to.
    fn of_type(&self, arguments: Option<&[String]>, base: &[Item]) -> Vec<Item> {
        let Some(wanted) = arguments.and_then(|all| all.first()) else { return base.to_vec() };
        let is_one = |item: &Item| {
            self.dependents(*item).iter().any(|required| {
                let Ok(spec) = Spec::parse(&required.spec) else { return false };
                let found = required.to.is_some();
                found && (kind(&spec) == wanted || wanted == "registry" && spec.is_registry())
            })
        };
        base.iter().copied().filter(is_one).collect()
    }

    /// Returns the items of which a registry has a newer version.
    fn outdated(
        &mut self,
        arguments: Option<&[String]>,
        base: &[Item],
    ) -> Result<Vec<Item>, InspectError> {
        let kind = arguments.and_then(|all| all.first()).map_or("any", String::as_str);
        let looked_at: Vec<Item> = base
            .iter()
            .copied()
            .filter(|item| *item != Item::Place(0) && !self.is_private(*item))
            .collect();
        let names: Vec<String> = looked_at.iter().map(|item| self.name(*item)).collect();
        versions::load(self.session, &mut self.versions, &names)?;
        let mut found = Vec::new();
        for (item, name) in looked_at.into_iter().zip(names) {
            let all = self.versions.get(&name).cloned().unwrap_or_default();
            let context = self.contexts.entry(item).or_default();
            context.insert("versions".into(), (*all).clone().into());
            let newer = versions::newer(&all, &self.version(item));
            let is_one = match kind {
                _ if newer.is_empty() => false,
                "any" => true,
                "major" | "minor" | "patch" => {
                    let current = self.version(item);
                    newer.iter().any(|one| versions::difference(&current, one) == Some(kind))
                }
                "in-range" | "out-of-range" => {
                    let wants_inside = kind == "in-range";
                    let mut told = Vec::new();
                    for required in self.dependents(item) {
                        let range = Range::parse(&required.spec).ok();
                        let fits = |version: &&String| {
                            versions::satisfies(range.as_ref(), version) == wants_inside
                        };
                        let fitting: Vec<&String> = newer.iter().filter(fits).collect();
                        if !fitting.is_empty() {
                            let from = &self.view.graph.packages[required.from].path;
                            told.push(serde_json::json!({ "from": from, "versions": fitting }));
                        }
                    }
                    let is_one = !told.is_empty();
                    if is_one {
                        let key = if wants_inside { "inRange" } else { "outOfRange" };
                        let context = self.contexts.entry(item).or_default();
                        let outdated =
                            context.entry("outdated").or_insert_with(|| Map::new().into());
                        outdated[key] = told.into();
                    }
                    is_one
                }
                _ => false,
            };
            if is_one {
                found.push(item);
            }
        }
        Ok(found)
    }

    /// Returns the items of which a registry knows a vulnerability.
    fn vulnerable(
        &mut self,
        arguments: Option<&[String]>,
        base: &[Item],
    ) -> Result<Vec<Item>, InspectError> {
        let wanted = wanted_vulnerabilities(arguments)?;
        if base.is_empty() {
            return Ok(Vec::new());
        }
        let advisories = match &self.advisories {
            Some(known) => known.clone(),
            None => {
                let asked = Rc::new(self.ask_for_advisories(base)?);
                self.advisories = Some(asked.clone());
                asked
            }
        };
        let mut found = Vec::new();
        for item in base {
            let version = self.version(*item);
            let about = advisories.get(self.name(*item)).and_then(Value::as_array);
            let fitting: Vec<Value> = about
                .into_iter()
                .flatten()
                .filter(|one| versions::is_concerned(one, &version))
                .filter(|one| {
                    wanted.as_ref().is_none_or(|all| all.iter().any(|wanted| wanted.fits(one)))
                })
                .cloned()
                .collect();
            if !fitting.is_empty() {
                let context = self.contexts.entry(*item).or_default();
                context.clear();
                context.insert("advisories".into(), fitting.into());
                found.push(*item);
            }
        }
        Ok(found)
    }

    /// Asks registries for advisories about items. Names of a scope with a registry of its own are
    /// told to no other.
    fn ask_for_advisories(&self, base: &[Item]) -> Result<Value, InspectError> {
        let config = self.session.config();
        let mut questions: std::collections::BTreeMap<_, Map<String, Value>> =
            std::collections::BTreeMap::new();
        for item in base {
            if *item == Item::Place(0) || self.is_private(*item) {
                continue;
            }
            let name = self.name(*item);
            let parsed = PackageName::parse(&name);
            let registry =
                parsed.as_ref().map_or(config.registry(), |name| config.registry_for(name));
            let version = Value::from(self.version(*item));
            let versions = questions.entry(registry.clone()).or_default().entry(name);
            if let Value::Array(list) = versions.or_insert_with(|| Value::Array(Vec::new()))
                && !list.contains(&version)
            {
                list.push(version);
            }
        }
        let asked = questions.into_iter().map(|(registry, names)| Asked {
            url: asked::below(&registry, crate::audit::BULK_PATH),
            body: Some(Value::Object(names)),
            accept: None,
        });
        let mut found = Map::new();
        for answer in asked::all(self.session, asked.collect())? {
            let text =
                answer.map_err(|error| InspectError::AuditRefused { source: Box::new(error) })?;
            let members: Option<Map<String, Value>> = parse(&text, ANSWER_VALUES).ok();
            found.extend(members.unwrap_or_default());
        }
        Ok(Value::Object(found))
    }
}

/// Which vulnerabilities count.
#[derive(Default)]
struct Wanted {
    severities: Vec<String>,
    weaknesses: Vec<String>,
}

impl Wanted {
    fn fits(&self, advisory: &Value) -> bool {
        let severity = advisory.get("severity").and_then(Value::as_str).unwrap_or_default();
        let any = |list: &[String]| list.iter().any(|one| one == "*");
        let list = advisory.get("cwe").and_then(Value::as_array);
        let known: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
        let severity_fits = self.severities.is_empty()
            || any(&self.severities)
            || self.severities.iter().any(|one| one == severity);
        let weakness_fits = self.weaknesses.is_empty()
            || if any(&self.weaknesses) {
                !known.is_empty()
            } else {
                self.weaknesses.iter().all(|one| known.contains(&format!("CWE-{one}").as_str()))
            };
        severity_fits && weakness_fits
    }
}

/// Reads the arguments of `:vuln`; `None` where all vulnerabilities count.
fn wanted_vulnerabilities(
    arguments: Option<&[String]>,
) -> Result<Option<Vec<Wanted>>, InspectError> {
    let Some(arguments) = arguments.filter(|all| !all.is_empty()) else { return Ok(None) };
    let mut all = Vec::new();
    for selector in parse::parse(&arguments.join(", "))? {
        let mut wanted = Wanted::default();
        for part in selector {
            let Part::Member(matcher) = part else {
                return Err(QueryError::NoVulnerability.into());
            };
            let value = match matcher.operator.as_str() {
                "" => "*".to_owned(),
                "=" => matcher.value,
                _ => return Err(QueryError::NoVulnerability.into()),
            };
            match matcher.member.as_str() {
                "severity" => wanted.severities.push(value),
                "cwe" => wanted.weaknesses.push(value),
                _ => return Err(QueryError::NoVulnerability.into()),
            }
        }
        all.push(wanted);
    }
    Ok(Some(all))
}

/// Returns npm's word for the kind of a spec.
fn kind(spec: &Spec) -> &'static str {
    match spec {
        Spec::Range(_) => "range",
        Spec::Version(_) => "version",
        Spec::Tag(_) => "tag",
        Spec::Alias { .. } => "alias",
        Spec::Git(_) => "git",
        Spec::Directory(_) => "directory",
        Spec::Tarball(_) => "file",
        Spec::Remote(_) => "remote",
        Spec::Workspace(_) => "workspace",
    }
}

/// Returns a pattern as an absolute path, without `.` and `..`.
fn absolute(root: &str, pattern: &str) -> String {
    let whole =
        if pattern.starts_with('/') { pattern.to_owned() } else { format!("{root}/{pattern}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn segments(pattern: &str) -> Vec<Segment> {
    pattern.split('/').map(Segment::parse).collect()
}

/// Returns whether the names of folders fit a pattern.
fn fits(pattern: &[Segment], names: &[&str]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return names.is_empty() };
    match first {
        Segment::Any => {
            let visible = names.iter().take_while(|name| !name.starts_with('.')).count();
            // At the end it stands for what is below a folder, not for the folder.
            (usize::from(rest.is_empty())..=visible).any(|count| fits(rest, &names[count..]))
        }
        one => names
            .split_first()
            .is_some_and(|(name, names)| one.matches(name, false) && fits(rest, names)),
    }
}
