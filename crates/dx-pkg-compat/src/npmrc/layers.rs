//! Merging files, variables and flags into one value for each key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{Entries, Entry};
use super::error::{is_secret, redact_urls};
use super::expand::expand;
use super::trust::{self, ProjectRule, Refused, Verdict};
use super::value::RawValue;
use super::{ConfigError, ConfigSources, ConfigWarning, ProjectHome, Source, ini};

type Settings = Vec<(String, RawValue)>;

/// What is to be known of settings for merging them.
#[derive(Clone, Copy)]
pub(super) struct KeyRules {
    /// Whether an empty value means nothing for a setting.
    pub(super) needs_value: fn(&str, &RawValue) -> bool,
    /// What a project's file may do about a setting.
    pub(super) project: fn(&str) -> ProjectRule,
    /// Whether a setting is about registries and the way to them.
    pub(super) is_for_registries: fn(&str) -> bool,
}

/// All layers in one.
#[derive(Default)]
pub(super) struct Merged {
    /// The effective values.
    pub(super) entries: Entries,
    /// Demands of the project for an age of versions, beside those of a weaker layer.
    pub(super) also_demanded: Entries,
    /// Every address that a layer gives a registry, also where a stronger layer has another, and
    /// whether that layer is trusted.
    pub(super) registries: Vec<(String, bool)>,
}

/// Merges all layers, the stronger over the weaker.
pub(super) fn merge(
    sources: &ConfigSources<'_>,
    rules: KeyRules,
    warnings: &mut Vec<ConfigWarning>,
) -> Result<Merged, ConfigError> {
    let shared = |path: &Path| Arc::<Path>::from(path);
    let mut merging = Merging { sources, rules, warnings };
    let mut merged = Merged::default();
    if let Some((path, text)) = sources.global {
        let global = merging.read(ini::parse(text), &Source::Global(shared(path)))?;
        merged.add(global, &Source::Global(shared(path)));
    }
    if let Some((path, text)) = sources.user {
        let user = merging.read(ini::parse(text), &Source::User(shared(path)))?;
        merged.add(user, &Source::User(shared(path)));
    }
    let environment = merging.read(environment(sources.env), &Source::Environment)?;
    let flags = merging.read(flags(sources.flags), &Source::Flag)?;
    let stronger = environment.iter().chain(&flags);
    let named = |(key, value): &(String, RawValue)| (key == TRUSTED).then(|| value.clone());
    let trusted = stronger.filter_map(named).next_back();
    let trusted = trusted.or_else(|| merged.entries.get(TRUSTED).map(|entry| entry.value.clone()));
    if let Some((path, text)) = sources.project {
        let mut settings = ini::parse(text);
        if sources.npmrc_is_for_registries {
            merging.keep_registries(&mut settings, path);
        }
        let file = ProjectFile { path, text, is_of_another_user: sources.is_of_another_user };
        merging.read_project(&mut merged, file, settings, trusted.as_ref())?;
    }
    if let Some(ProjectHome { path, settings, is_of_another_user }) = sources.home {
        let file = ProjectFile { path, text: "", is_of_another_user };
        merging.read_project(&mut merged, file, settings.to_vec(), trusted.as_ref())?;
    }
    merged.add(environment, &Source::Environment);
    merged.add(flags, &Source::Flag);
    Ok(merged)
}

/// The setting that lists the folders of trusted projects.
const TRUSTED: &str = "trusted-projects";

impl Merged {
    fn add(&mut self, settings: Settings, source: &Source) {
        for (key, value) in settings {
            self.set(key, value, source);
        }
    }

    fn set(&mut self, key: String, value: RawValue, source: &Source) {
        if is_registry(&key) {
            self.registries.extend(value.text().map(|address| (address, source.is_trusted())));
        }
        self.entries.insert(key, Entry::new(value, source.clone()));
    }
}

/// What merging works with.
struct Merging<'m> {
    sources: &'m ConfigSources<'m>,
    rules: KeyRules,
    warnings: &'m mut Vec<ConfigWarning>,
}

/// A file of the project.
#[derive(Clone, Copy)]
struct ProjectFile<'f> {
    path: &'f Path,
    /// Its text, for the numbers of lines in warnings.
    text: &'f str,
    /// Whether it belongs to a user who has no say here.
    is_of_another_user: bool,
}

impl Merging<'_> {
    /// Adds the settings of a file of the project, as far as the user trusts it.
    fn read_project(
        &mut self,
        merged: &mut Merged,
        file: ProjectFile<'_>,
        settings: Settings,
        trusted: Option<&RawValue>,
    ) -> Result<(), ConfigError> {
        let path = file.path;
        let home = home(self.sources.env);
        let is_trusted =
            trusted.is_some_and(|folders| trust::is_trusted(path, folders, home.as_deref()));
        let source = Source::Project(Arc::from(path), is_trusted);
        if file.is_of_another_user && !is_trusted {
            let folder = path.parent().unwrap_or(path).display().to_string();
            self.warnings.push(ConfigWarning::OtherOwner { origin: source, folder });
            return Ok(());
        }
        let project = self.read(settings, &source)?;
        if is_trusted {
            merged.add(project, &source);
        } else {
            self.add_project(merged, project, (path, file.text), &source);
        }
        Ok(())
    }

    /// Keeps registries, credentials and the settings of the network, which are all that pnpm 11
    /// reads in `.npmrc`, and names the others.
    fn keep_registries(&mut self, settings: &mut Settings, path: &Path) {
        let mut others = Vec::new();
        settings.retain(|(key, _)| {
            let is_kept = (self.rules.is_for_registries)(key);
            if !is_kept {
                others.push(redact_urls(key));
            }
            is_kept
        });
        if !others.is_empty() {
            let origin = Source::Project(Arc::from(path), false);
            self.warnings.push(ConfigWarning::NotOfPnpm { keys: others, origin });
        }
    }

    /// Returns the settings of a layer that count, with variables expanded.
    fn read(&mut self, settings: Settings, source: &Source) -> Result<Settings, ConfigError> {
        let mut read = Settings::with_capacity(settings.len());
        for (key, value) in settings {
            let expanded = expand_setting(&key, value, source, self.sources.env, self.warnings)?;
            let Some((key, value)) = expanded else { continue };
            let needs_value = self.rules.needs_value;
            if *source == Source::Flag
                || !is_absent(&key, &value, source, needs_value, self.warnings)
            {
                read.push((key, value));
            }
        }
        Ok(read)
    }

    /// Adds the settings of a project's file, as far as it may set them.
    fn add_project(
        &mut self,
        merged: &mut Merged,
        settings: Settings,
        (path, text): (&Path, &str),
        source: &Source,
    ) {
        let mut refused = Refused::default();
        let mut also = Entries::new();
        for (key, value) in settings {
            match (self.rules.project)(&key).verdict(&key, value, &merged.entries) {
                Verdict::Use(value) => merged.set(key, value, source),
                Verdict::AlsoDemand(value) => {
                    also.insert(key, Entry::new(value, source.clone()));
                }
                Verdict::Idle => {}
                Verdict::Refused => refused.add(&key, ini::line_of(text, &key)),
            }
        }
        merged.also_demanded = also;
        self.warnings.extend(refused.warning(path, source.clone()));
    }
}

fn is_registry(key: &str) -> bool {
    key == "registry" || key.starts_with('@') && key.ends_with(":registry")
}

/// Returns whether an empty value counts as none, so that a weaker layer or the default applies.
fn is_absent(
    key: &str,
    value: &RawValue,
    source: &Source,
    needs_value: fn(&str, &RawValue) -> bool,
    warnings: &mut Vec<ConfigWarning>,
) -> bool {
    if !matches!(value, RawValue::Text(text) if text.trim().is_empty()) {
        return false;
    }
    let is_registry = is_registry(key);
    if is_registry {
        warnings.push(ConfigWarning::EmptyRegistry { key: key.to_owned(), origin: source.clone() });
    }
    is_registry || needs_value(key, value)
}

/// Expands `${NAME}` if the source may use variables, and drops settings that must not be used.
fn expand_setting(
    key: &str,
    value: RawValue,
    source: &Source,
    env: &[(String, String)],
    warnings: &mut Vec<ConfigWarning>,
) -> Result<Option<(String, RawValue)>, ConfigError> {
    let lookup = |name: &str| variable(env, name).map(str::to_owned);
    let mut used = Vec::new();
    let mut unset = Vec::new();
    let mut expand_text = |text: &str| {
        let expanded = expand(text, &lookup);
        used.extend(expanded.used);
        unset.extend(expanded.unset);
        expanded.text
    };
    let expanded_key = expand_text(key);
    let value = value.map_text(&mut |text| expand_text(text.trim()));
    if let (false, Some(variable)) = (source.is_trusted(), used.into_iter().next()) {
        let (key, origin) = (key.to_owned(), source.clone());
        if key == "registry" || key.ends_with(":registry") {
            return Err(ConfigError::RegistryFromEnvironment { key, variable, origin });
        }
        warnings.push(ConfigWarning::EnvInProject { key, variable, origin });
        return Ok(None);
    }
    if let Some(variable) = unset.into_iter().next() {
        warnings.push(ConfigWarning::EnvUnset {
            key: key.to_owned(),
            variable,
            origin: source.clone(),
        });
        if is_secret(key) {
            return Ok(None);
        }
    }
    Ok(Some((expanded_key, value)))
}

fn flags(flags: &[(String, String)]) -> Settings {
    let mut settings = Settings::new();
    for (key, value) in flags {
        match settings.iter_mut().find(|(other, _)| other == key) {
            Some((_, RawValue::List(list))) => list.push(value.clone()),
            Some((_, single)) => {
                let first = single.text().into_iter();
                *single = RawValue::List(first.chain([value.clone()]).collect());
            }
            None => settings.push((key.clone(), RawValue::from_ini(value))),
        }
    }
    settings
}

/// Returns the `npm_config_*` variables that are not empty; of two spellings the lower-case one
/// wins.
pub(super) fn environment(env: &[(String, String)]) -> Settings {
    let mut settings: Vec<(&str, String, &str)> = env
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.as_str(), setting_name(name)?, value.as_str())))
        .collect();
    settings.sort_unstable();
    settings.into_iter().map(|(_, key, value)| (key, RawValue::from_ini(value.trim()))).collect()
}

/// Returns the setting that an environment variable stands for: `NPM_CONFIG_STRICT_SSL` is
/// `strict-ssl`. A name that starts with `//` after the prefix is kept as it is.
fn setting_name(variable: &str) -> Option<String> {
    let prefix = variable.get(.."npm_config_".len())?;
    if !prefix.eq_ignore_ascii_case("npm_config_") {
        return None;
    }
    let name = &variable[prefix.len()..];
    if name.starts_with("//") {
        return Some(name.to_owned());
    }
    let (first, rest) = name.split_at_checked(1)?;
    Some(format!("{first}{}", rest.replace('_', "-")).to_lowercase())
}

/// Returns the value that the environment gives a setting, for those that are needed before the
/// files are read, such as `userconfig`.
#[must_use]
pub fn environment_setting(env: &[(String, String)], key: &str) -> Option<String> {
    let settings = environment(env);
    let found = settings.into_iter().rfind(|(name, _)| name == key);
    found.and_then(|(_, value)| value.text())
}

/// Returns an environment variable by its exact name.
pub(super) fn variable<'e>(env: &'e [(String, String)], name: &str) -> Option<&'e str> {
    let found = env.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Returns the user's home folder.
pub(super) fn home(env: &[(String, String)]) -> Option<PathBuf> {
    let folder = variable(env, "HOME").or_else(|| variable(env, "USERPROFILE"))?;
    (!folder.is_empty()).then(|| PathBuf::from(folder))
}
