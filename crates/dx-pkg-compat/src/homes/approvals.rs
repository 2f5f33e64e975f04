//! Approvals of scripts in the forms of pnpm, Yarn and Bun, read as rules of `allowScripts`.
//!
//! A form approves or denies what its manager means by it, and never more than npm's would: a name
//! is a package of the registry, a range or a pattern is no rule. Forms that approve everything
//! are no rules either: only the user's own settings may do that.

use dx_pkg_core::{PackageName, Spec, Version};
use serde_json::{Map, Value};

use super::{Home, Manager};
use crate::manifest::{AllowScripts, Manifest};

#[cfg(test)]
mod tests;

/// The field of npm's own form, for messages.
const NPMS: &str = "allowScripts";
/// The last major version of pnpm that reads the field `pnpm` of a manifest, and lists of names.
const LAST_PNPM_WITH_LISTS: u64 = 10;

/// What a project says about its dependencies' scripts in other forms than npm's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvals {
    rules: Vec<Rule>,
    /// What counts for nothing, with the reason, in words.
    pub ignored: Vec<String>,
    /// The file that `onlyBuiltDependenciesFile` names, and the place where it does.
    pub file: Option<(String, String)>,
    /// Whether scripts that nobody has decided on are an error (`strictDepBuilds`).
    pub strict: bool,
}

/// A package, and whether its scripts may run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// The form that has it, such as `trustedDependencies`.
    form: String,
    /// The package, as a key of `allowScripts`.
    key: String,
    verdict: bool,
}

/// The settings of pnpm that hold lists of names, and what a list says of them.
const LISTS: [(&str, bool); 3] = [
    ("onlyBuiltDependencies", true),
    ("neverBuiltDependencies", false),
    ("ignoredBuiltDependencies", false),
];

impl Approvals {
    /// Reads the forms of the project's manifest and of its manager's settings file.
    #[must_use]
    pub fn of(manifest: &Manifest, home: &Home) -> Self {
        let mut read = Approvals::default();
        let Value::Object(map) = &manifest.raw else { return read };
        let is_pnpm = home.owner.manager == Manager::Pnpm;
        let major = home.owner.major.filter(|_| is_pnpm);
        if let Some(trusted) = map.get("trustedDependencies") {
            read.add_list("trustedDependencies", trusted, true, Some(manifest));
        }
        if let Some(Value::Object(meta)) = map.get("dependenciesMeta") {
            read.add_dependencies_meta(meta);
        }
        if let Some(Value::Object(pnpm)) = map.get("pnpm") {
            if major.is_some_and(|major| major > LAST_PNPM_WITH_LISTS) {
                read.ignore_newer(pnpm);
            } else {
                read.add_pnpm(pnpm, |key| format!("pnpm.{key}"), major);
            }
        }
        if let (true, Value::Object(settings)) = (is_pnpm, &home.file) {
            read.add_pnpm(settings, |key| format!("{key} in pnpm-workspace.yaml"), major);
            read.strict = settings.get("strictDepBuilds") == Some(&Value::Bool(true));
        }
        read
    }

    /// Adds the names in the file that [`Self::file`] names.
    pub fn add_file(&mut self, place: &str, text: &str) {
        match serde_json::from_str(text) {
            Ok(value @ Value::Array(_)) => self.add_list(place, &value, true, None),
            _ => self.ignored.push(format!("{place}: the file is no list of names in JSON")),
        }
    }

    fn add_pnpm(
        &mut self,
        settings: &Map<String, Value>,
        place: impl Fn(&str) -> String,
        major: Option<u64>,
    ) {
        if let Some(Value::Object(builds)) = settings.get("allowBuilds") {
            for (key, verdict) in builds {
                // Another value is the mark of a package that nobody has decided on.
                if let Value::Bool(verdict) = verdict {
                    self.add(&place("allowBuilds"), key, *verdict);
                }
            }
        }
        let is_old = major.is_none_or(|major| major <= LAST_PNPM_WITH_LISTS);
        for (key, verdict) in LISTS {
            let Some(list) = settings.get(key) else { continue };
            // What an older pnpm denied stays denied.
            if is_old || !verdict {
                self.add_list(&place(key), list, verdict, None);
            } else {
                self.ignored.push(format!(
                    "{}: pnpm {} reads allowBuilds instead",
                    place(key),
                    major.unwrap_or_default()
                ));
            }
        }
        if let Some(Value::String(file)) = settings.get("onlyBuiltDependenciesFile")
            && is_old
        {
            self.file = Some((place("onlyBuiltDependenciesFile"), file.clone()));
        }
    }

    /// Notes that a newer pnpm does not read the manifest's field `pnpm`.
    fn ignore_newer(&mut self, pnpm: &Map<String, Value>) {
        let keys = LISTS.map(|(key, _)| key).into_iter().chain(["allowBuilds"]);
        for key in keys.filter(|key| pnpm.contains_key(*key)) {
            self.ignored.push(format!(
                "pnpm.{key}: pnpm reads it in pnpm-workspace.yaml only since version 11"
            ));
        }
    }

    /// Adds a list of names. Where `manifest` is given, the name of something that the project
    /// itself requires from outside a registry stands for that place.
    fn add_list(&mut self, form: &str, list: &Value, verdict: bool, manifest: Option<&Manifest>) {
        let Value::Array(names) = list else {
            if *list != Value::Null {
                self.ignored.push(format!("{form}: it must be a list of package names"));
            }
            return;
        };
        for name in names {
            let Some(name) = name.as_str() else {
                self.ignored.push(format!("{form}: {name} is no package name"));
                continue;
            };
            self.add(form, name, verdict);
            if let Some(place) = manifest.and_then(|manifest| place_of(manifest, name)) {
                self.add(form, place, verdict);
            }
        }
    }

    /// Adds `built` of `dependenciesMeta`, whose keys are names, or names with one version.
    fn add_dependencies_meta(&mut self, meta: &Map<String, Value>) {
        for (key, meta) in meta {
            if let Some(Value::Bool(verdict)) = meta.get("built") {
                self.add("dependenciesMeta.built", key, *verdict);
            }
        }
    }

    fn add(&mut self, form: &str, key: &str, verdict: bool) {
        if key.contains('*') && !key.ends_with("@*") {
            self.ignored.push(format!("{form}: {key:?} is a pattern; name each package"));
            return;
        }
        let mut read = AllowScripts::default();
        read.add(key, verdict);
        self.ignored.extend(read.ignored.into_iter().map(|reason| format!("{form}: {reason}")));
        let rule = |(key, verdict)| Rule { form: form.to_owned(), key, verdict };
        self.rules.extend(read.rules.into_iter().map(rule));
    }

    /// Returns the rules, each as a key of `allowScripts` with its verdict.
    pub fn rules(&self) -> impl Iterator<Item = (String, bool)> {
        self.rules.iter().map(|rule| (rule.key.clone(), rule.verdict))
    }

    /// Returns a sentence for each package that one form allows and another denies, npm's among
    /// them. The denial counts.
    #[must_use]
    pub fn contradictions(&self, manifest: &Manifest) -> Vec<String> {
        let npms = manifest.allow_scripts.iter().map(|(key, verdict)| (NPMS, key, *verdict));
        let others = self.rules.iter().map(|rule| (rule.form.as_str(), &rule.key, rule.verdict));
        let rules: Vec<(&str, &String, bool)> = npms.chain(others).collect();
        let mut sentences = Vec::new();
        for (allowing, allowed, _) in rules.iter().filter(|(.., verdict)| *verdict) {
            let mut denying = rules.iter().filter(|(form, denied, verdict)| {
                !verdict && form != allowing && overlap(allowed, denied)
            });
            if let Some((denying, denied, _)) = denying.next() {
                let sentence = format!(
                    "{allowing} allows the scripts of {allowed}, and {denying} denies those of \
                     {denied}: the denial counts"
                );
                if !sentences.contains(&sentence) {
                    sentences.push(sentence);
                }
            }
        }
        sentences
    }
}

/// Returns the spec by which the project requires a package from outside a registry.
fn place_of<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    let Manifest { dependencies, dev_dependencies, optional_dependencies, .. } = manifest;
    let sections = [dependencies, dev_dependencies, optional_dependencies];
    let (_, spec) = sections.into_iter().flatten().find(|(own, _)| own == name)?;
    let is_place = |spec: Spec| {
        matches!(spec, Spec::Directory(_) | Spec::Tarball(_) | Spec::Remote(_) | Spec::Git(_))
    };
    Spec::parse(spec).is_ok_and(is_place).then_some(spec)
}

/// Returns whether two keys are about the same package in the same version.
fn overlap(one: &str, other: &str) -> bool {
    match (parts(one), parts(other)) {
        (Some((name, version)), Some((other, second))) => {
            name == other && (version.is_none() || second.is_none() || version == second)
        }
        _ => one == other,
    }
}

/// Returns the name and the version of a rule's key; `None` where it names a place.
fn parts(key: &str) -> Option<(&str, Option<&str>)> {
    let at = key.char_indices().skip(1).find(|(_, character)| *character == '@');
    let (name, version) = at.map_or((key, None), |(at, _)| (&key[..at], Some(&key[at + 1..])));
    let is_registry = PackageName::parse(name).is_ok()
        && version.is_none_or(|version| Version::parse(version).is_ok());
    is_registry.then_some((name, version))
}
