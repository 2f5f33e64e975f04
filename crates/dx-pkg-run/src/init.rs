//! A new `package.json`, or one completed, as `npm init` writes it.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::ManifestError;
use dx_pkg_compat::npmrc::{Config, ConfigError};
use dx_pkg_core::{PackageName, Version};
use dx_pkg_install::InstallError;
use dx_pkg_os::files::{Durability, write_user_file};
use serde_json::{Map, Value};

mod folder;
mod form;
mod normal;

use folder::Contents;
use form::Form;

use crate::RunError;

/// npm's script `test` of a package without tests.
const NO_TEST: &str = "echo \"Error: no test specified\" && exit 1";

/// Somebody who answers questions.
pub trait Answers {
    /// Asks a question and returns the answer, the default for an empty one; `None` where nobody
    /// answers any more.
    fn answer(&self, question: &str, default: &str) -> Option<String>;

    /// Shows a text.
    fn show(&self, text: &str);
}

/// What became of a `package.json`.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Written {
        /// The file.
        path: PathBuf,
        /// Its contents, with npm's indentation.
        text: String,
    },
    /// The user does not want it.
    Aborted,
    /// Nobody answered.
    Canceled,
}

/// Writes the `package.json` of the package in a folder, which may have one.
///
/// # Errors
/// The file cannot be read or written, or a value for it is not valid.
pub fn init(
    folder: &Path,
    config: &Config,
    scope: Option<&str>,
    answers: Option<&dyn Answers>,
) -> Result<Outcome, RunError> {
    let path = folder.join("package.json");
    let written = read_text(&path)?;
    let mut package = match &written {
        Some(text) => parsed(&path, text)?,
        None => Map::new(),
    };
    let form = Form::of(written.as_deref());
    normal::begin(&mut package);
    let valid = package.get("version").and_then(Value::as_str);
    if valid.is_none_or(|version| Version::parse_loose(version).is_err()) {
        package.shift_remove("version");
    }
    let contents = Contents::of(folder);
    let draft = Draft { config, scope, answers, contents: &contents };
    let Some(fields) = draft.fields(&package)? else { return Ok(Outcome::Canceled) };
    let had = |key: &str| fields.get(key).is_some();
    let (has_author, has_license) = (had("author"), had("license"));
    let description = fields.get("description").cloned();
    for (key, value) in fields {
        package.insert(key, value);
    }
    normal::finish(&mut package, &contents)?;
    for (key, is_kept) in [("license", has_license), ("author", has_author)] {
        if !is_kept {
            package.shift_remove(key);
        }
    }
    if package.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
        match description {
            Some(description) => drop(package.insert("description".to_owned(), description)),
            None => drop(package.shift_remove("description")),
        }
    }
    let text = Form::default().write(&package);
    if let Some(answers) = answers {
        answers.show(&format!("About to write to {}:\n\n{text}\n", path.display()));
        let Some(answer) = answers.answer("Is this OK?", "yes") else {
            return Ok(Outcome::Canceled);
        };
        if !answer.to_ascii_lowercase().starts_with('y') {
            return Ok(Outcome::Aborted);
        }
        normal::sort(&mut package);
    }
    save(folder, &path, written.as_deref(), &form.write(&package))?;
    Ok(Outcome::Written { path, text })
}

/// Returns the object that a file holds.
fn parsed(path: &Path, text: &str) -> Result<Map<String, Value>, RunError> {
    match parse_manifest(path, text)?.raw {
        Value::Object(package) => Ok(package),
        _ => Err(InstallError::from(ManifestError::NotAnObject { found: "no object" }).into()),
    }
}

/// Writes the file, unless that would change nothing but white space around it.
fn save(folder: &Path, path: &Path, before: Option<&str>, text: &str) -> Result<(), RunError> {
    if before.is_some_and(|before| before.trim() == text.trim()) {
        return Ok(());
    }
    let written = write_user_file(folder, "package.json", text.as_bytes(), Durability::Rename);
    written.map_err(|error| AcquireError::io(format!("writing {}", path.display()), error).into())
}

/// The values of the fields of a new `package.json`, asked for or not.
struct Draft<'d> {
    config: &'d Config,
    scope: Option<&'d str>,
    answers: Option<&'d dyn Answers>,
    contents: &'d Contents,
}

/// The fields in npm's order; `None` where nobody answers.
type Fields = Option<Map<String, Value>>;

impl Draft<'_> {
    fn fields(&self, package: &Map<String, Value>) -> Result<Fields, RunError> {
        let mut fields = Map::new();
        let is_missing = |key: &str| package.get(key).is_none_or(|value| !is_truthy(value));
        let text_of = |key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
        macro_rules! ask {
            ($question:expr, $default:expr, $check:expr) => {
                match self.ask($question, $default, $check) {
                    Some(answer) => answer,
                    None => return Ok(None),
                }
            };
        }
        let any = |_: &str| Ok(());
        let mut set = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));

        let name = ask!("package name:", &self.name(package), check_name);
        set("name", name.into());
        let version = text_of("version").or_else(|| self.setting("version"));
        let version = version.filter(|version| check_version(version).is_ok());
        let usual = || Ok::<_, ConfigError>(self.config.init_version()?.to_string());
        let version = version.map_or_else(usual, Ok)?;
        set("version", ask!("version:", &version, check_version).into());
        if is_missing("description") {
            set("description", ask!("description:", "", any).into());
        }
        if is_missing("main") {
            set("main", ask!("entry point:", &self.contents.main(), any).into());
        }
        if is_missing("bin")
            && let Some(bin) = self.contents.bin()
        {
            set("bin", bin.into());
        }
        if let Some(directories) = self.contents.directories() {
            set("directories", directories);
        }
        if is_missing("scripts") {
            let found = self.contents.test_command();
            let test = ask!("test command:", found.unwrap_or_default(), any);
            let test = if test.is_empty() { NO_TEST.to_owned() } else { test };
            set("scripts", serde_json::json!({ "test": test }));
        }
        if is_missing("repository") {
            let url = self.contents.repository().unwrap_or_default();
            set("repository", ask!("git repository:", &url, any).into());
        }
        if is_missing("keywords") {
            let words = ask!("keywords:", "", any);
            match self.answers {
                None => set("keywords", "".into()),
                Some(_) if words.is_empty() => {}
                Some(_) => set(
                    "keywords",
                    words.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect(),
                ),
            }
        }
        let author = ask!("author:", &self.author(package)?.unwrap_or_default(), any);
        if !author.is_empty() {
            set("author", author.into());
        }
        let license = text_of("license").or_else(|| self.setting("license"));
        let license = license.map_or_else(|| self.config.init_license(), |text| Ok(Some(text)))?;
        let license = ask!("license:", &license.unwrap_or_default(), check_license);
        if !license.is_empty() {
            set("license", license.into());
        }
        let module_type = text_of("type").map_or_else(|| self.config.init_type(), Ok)?;
        set("type", ask!("type:", &module_type, any).into());
        match (package.get("private"), self.config.init_private()?) {
            (Some(private), _) => set("private", private.clone()),
            (None, Some(private)) => set("private", private.into()),
            (None, None) => {}
        }
        Ok(Some(fields))
    }

    /// Returns the answer to a question once it is valid, or the default where nobody is asked.
    fn ask(
        &self,
        question: &str,
        default: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Option<String> {
        let Some(answers) = self.answers else { return Some(default.to_owned()) };
        loop {
            let answer = answers.answer(question, default)?;
            match check(&answer) {
                Ok(()) => return Some(answer),
                Err(reason) => answers.show(&reason),
            }
        }
    }

    /// Returns the value of a setting by its old name, which counts first: `init.version`.
    fn setting(&self, name: &str) -> Option<String> {
        let (value, _) = self.config.raw(&format!("init.{name}"))?;
        value.text().filter(|text| !text.is_empty())
    }

    /// Returns the name: that in the file or of the folder, as a name has to be.
    fn name(&self, package: &Map<String, Value>) -> String {
        let own = package.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = own.unwrap_or(&self.contents.name);
        let name = name.strip_prefix("node-").unwrap_or(name);
        let name = name.strip_suffix(".js").or_else(|| name.strip_suffix("-js")).unwrap_or(name);
        let name = name.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase();
        let Some(scope) = self.scope.filter(|scope| !scope.is_empty()) else { return name };
        let scope = scope.trim_start_matches('@');
        let bare = match name.split_once('/') {
            Some((own, bare)) if own.starts_with('@') => bare,
            _ => &name,
        };
        format!("@{scope}/{bare}")
    }

    /// Returns the author: that in the file, or of the settings.
    fn author(&self, package: &Map<String, Value>) -> Result<Option<String>, RunError> {
        if let Some(author) = package.get("author").filter(|author| is_truthy(author)) {
            return Ok(Some(normal::person_text(author)));
        }
        let config = self.config;
        let given = |name: &str, own: Result<Option<String>, ConfigError>| {
            self.setting(name).map_or(own, |value| Ok(Some(value)))
        };
        let name = given("author.name", config.init_author_name())?;
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
        let email = given("author.email", config.init_author_email())?;
        let url = given("author.url", config.init_author_url().map(|url| url.map(Into::into)))?;
        let part = |value: Option<String>, open: &str, close: &str| {
            value
                .filter(|it| !it.is_empty())
                .map_or_else(String::new, |it| format!(" {open}{it}{close}"))
        };
        Ok(Some(format!("{name}{}{}", part(email, "<", ">"), part(url, "(", ")"))))
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_lower = name.to_lowercase() == name;
    match PackageName::parse(name) {
        Ok(_) if is_lower => Ok(()),
        Ok(_) => Err("Sorry, a package's name has no capital letters.".to_owned()),
        Err(error) => Err(format!("Sorry, {error}.")),
    }
}

fn check_version(version: &str) -> Result<(), String> {
    Version::parse(version).map(|_| ()).map_err(|_| format!("Invalid version: {version:?}"))
}

/// Checks the form of a licence: an SPDX expression, `UNLICENSED`, or where to read it.
fn check_license(license: &str) -> Result<(), String> {
    let is_id = |word: &str| {
        let word = word.trim_matches(['(', ')']);
        !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "-.+".contains(letter))
    };
    let is_place = license.strip_prefix("SEE LICENSE IN ").is_some_and(|file| !file.is_empty());
    let words: Vec<&str> = license.split_whitespace().collect();
    let joined = |word: &&str| matches!(*word, "AND" | "OR" | "WITH");
    let is_expression = words.len() % 2 == 1
        && words.iter().step_by(2).all(|word| is_id(word) && !joined(word))
        && words.iter().skip(1).step_by(2).all(joined);
    if license.is_empty() || is_place || is_expression {
        return Ok(());
    }
    Err("A licence is an SPDX expression, such as MIT or (MIT OR Apache-2.0).".to_owned())
}

/// Returns whether JavaScript takes a value for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
