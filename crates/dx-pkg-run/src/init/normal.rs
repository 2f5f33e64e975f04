//! npm's normalisation of a `package.json` that `npm init` writes.

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::spec::HostedRepository;
use dx_pkg_core::{PackageName, Spec, Version};
use serde_json::{Map, Value, json};

use super::folder::Contents;
use super::is_truthy;
use crate::RunError;

type Package = Map<String, Value>;

/// The order of fields in a file that npm sorts; others follow.
const ORDER: [&str; 39] = [
    "name",
    "version",
    "private",
    "description",
    "keywords",
    "homepage",
    "bugs",
    "repository",
    "funding",
    "license",
    "author",
    "maintainers",
    "contributors",
    "type",
    "imports",
    "exports",
    "main",
    "browser",
    "types",
    "bin",
    "man",
    "directories",
    "files",
    "workspaces",
    "scripts",
    "config",
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "optionalDependencies",
    "bundledDependencies",
    "bundleDependencies",
    "engines",
    "os",
    "cpu",
    "publishConfig",
    "devEngines",
    "licenses",
];

/// Puts the fields into npm's order.
pub(super) fn sort(package: &mut Package) {
    let mut rest = std::mem::take(package);
    for key in ORDER.into_iter().chain(["overrides"]) {
        if let Some(value) = rest.shift_remove(key) {
            package.insert(key.to_owned(), value);
        }
    }
    package.extend(rest);
}

/// Normalises a file that was read, before anything is added to it.
pub(super) fn begin(package: &mut Package) {
    package.retain(|key, _| !key.starts_with('_'));
    if let Some(bundled) = package.shift_remove("bundledDependencies")
        && !package.contains_key("bundleDependencies")
    {
        package.insert("bundleDependencies".to_owned(), bundled);
    }
    bundle(package);
    if package.get("overrides").is_some_and(|it| it.as_object().is_none_or(Map::is_empty)) {
        package.shift_remove("overrides");
    }
    drop_repeated(package);
    match package.get_mut("scripts") {
        Some(Value::Object(scripts)) => scripts.retain(|_, script| script.is_string()),
        Some(_) => drop(package.shift_remove("scripts")),
        None => {}
    }
    if let Some(url) = text(package, "funding").filter(|url| !url.is_empty()) {
        package.insert("funding".to_owned(), json!({ "url": url }));
    }
    commands(package);
}

/// Normalises the file once the fields are in it.
pub(super) fn finish(package: &mut Package, contents: &Contents) -> Result<(), RunError> {
    bundle(package);
    add_scripts(package, contents);
    commands(package);
    add_types(package, contents);
    check_name(package)?;
    if let Some(version) = text(package, "version")
        && let Ok(clean) = Version::parse_loose(&version)
    {
        package.insert("version".to_owned(), clean.to_string().into());
    }
    repository(package);
    if let Some(described) = contents.description()
        && !package.get("description").is_some_and(is_truthy)
    {
        package.insert("description".to_owned(), described.into());
    }
    keywords(package);
    pages(package);
    for key in ["maintainers", "contributors"] {
        if let Some(Value::Array(people)) = package.get_mut(key) {
            people.iter_mut().for_each(|person| *person = person_object(person));
        }
    }
    if let Some(author) = package.get("author").filter(|author| is_truthy(author)) {
        let author = person_text(&person_object(author));
        package.insert("author".to_owned(), author.into());
    }
    for key in ["readme", "readmeFilename", "_id", "gitHead"] {
        package.shift_remove(key);
    }
    if !package.get("repository").is_some_and(is_truthy) {
        package.shift_remove("repository");
    }
    drop_repeated(package);
    Ok(())
}

fn text(package: &Package, key: &str) -> Option<String> {
    package.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Makes a list of `bundleDependencies`.
fn bundle(package: &mut Package) {
    let names = |value: Option<&Value>| -> Vec<Value> {
        let object = value.and_then(Value::as_object);
        object
            .map(|object| object.keys().map(|name| name.as_str().into()).collect())
            .unwrap_or_default()
    };
    let list = match package.get("bundleDependencies") {
        None | Some(Value::Array(_)) => return,
        Some(Value::Bool(false)) => Vec::new(),
        Some(Value::Bool(true)) => names(package.get("dependencies")),
        Some(object @ Value::Object(_)) => names(Some(object)),
        Some(_) => return drop(package.shift_remove("bundleDependencies")),
    };
    package.insert("bundleDependencies".to_owned(), list.into());
}

/// Takes out of `dependencies` what `optionalDependencies` has.
fn drop_repeated(package: &mut Package) {
    let optional = package.get("optionalDependencies").and_then(Value::as_object);
    let names: Vec<String> = optional.map(|it| it.keys().cloned().collect()).unwrap_or_default();
    let Some(Value::Object(dependencies)) = package.get_mut("dependencies") else { return };
    dependencies.retain(|name, _| !names.contains(name));
    if dependencies.is_empty() {
        package.shift_remove("dependencies");
    }
}

/// Makes an object of `bin`, with names and paths as npm links them.
fn commands(package: &mut Package) {
    if !package.contains_key("bin") {
        return;
    }
    let manifest = Manifest::from_value(json!({
        "name": package.get("name"),
        "bin": package.get("bin"),
    }));
    let bin = manifest.map(|manifest| manifest.bin).unwrap_or_default();
    if bin.is_empty() {
        package.shift_remove("bin");
        return;
    }
    let bin = bin.into_iter().map(|(name, path)| (name, Value::from(path)));
    package.insert("bin".to_owned(), Value::Object(bin.collect()));
}

/// Adds the scripts that npm implies, and takes folders of commands out of the others.
fn add_scripts(package: &mut Package, contents: &Contents) {
    let has = |name: &str| {
        let scripts = package.get("scripts").and_then(Value::as_object);
        scripts.and_then(|scripts| scripts.get(name)).is_some_and(is_truthy)
    };
    let gyp = contents.has_gyp()
        && !has("install")
        && !has("preinstall")
        && package.get("gypfile") != Some(&Value::Bool(false));
    let entry = package.entry("scripts".to_owned()).or_insert_with(|| json!({}));
    let Some(scripts) = entry.as_object_mut() else { return };
    if gyp {
        scripts.insert("install".to_owned(), "node-gyp rebuild".into());
    }
    for script in scripts.values_mut() {
        let Some(written) = script.as_str() else { continue };
        let bare = written.strip_prefix("./").unwrap_or(written);
        if let Some(command) = bare.strip_prefix("node_modules/.bin/") {
            *script = command.to_owned().into();
        }
    }
    if gyp {
        package.insert("gypfile".to_owned(), true.into());
    }
}

/// Adds `types` where the declarations lie beside the entry.
fn add_types(package: &mut Package, contents: &Contents) {
    if package.contains_key("types") || package.contains_key("typings") {
        return;
    }
    let main = text(package, "main").unwrap_or_else(|| "index.js".to_owned());
    let main = main.trim_start_matches("./");
    let (folder, name) = main.rsplit_once('/').map_or(("", main), |(folder, name)| (folder, name));
    let stem =
        name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or(name, |(stem, _)| stem);
    let joined = if folder.is_empty() { stem.to_owned() } else { format!("{folder}/{stem}") };
    let declarations = format!("./{joined}.d.ts");
    if contents.has(&declarations) {
        package.insert("types".to_owned(), declarations.into());
    }
}

fn check_name(package: &mut Package) -> Result<(), RunError> {
    let name = text(package, "name").unwrap_or_default().trim().to_owned();
    if PackageName::parse(&name).is_err() && !name.is_empty() {
        return Err(RunError::Field {
            key: "name",
            value: name,
            reason: "it is no name of a package; give one in package.json, or answer the questions",
        });
    }
    package.insert("name".to_owned(), name.into());
    Ok(())
}

/// Makes an object of `repository`, with the address that npm writes.
fn repository(package: &mut Package) {
    if let Some(url) = text(package, "repository").filter(|url| !url.is_empty()) {
        package.insert("repository".to_owned(), json!({ "type": "git", "url": url }));
    }
    let Some(Value::Object(repository)) = package.get_mut("repository") else { return };
    let Some(url) = repository.get("url").and_then(Value::as_str) else { return };
    if let Ok(Spec::Git(git)) = Spec::parse(url)
        && let Some(hosted) = &git.hosted
    {
        let committish = git.committish.as_ref().map(|it| format!("#{it}")).unwrap_or_default();
        let is_ssh = url.contains("ssh://") || url.starts_with("git@");
        let start = if is_ssh { "ssh://git@" } else { "https://" };
        let address = format!("git+{start}{}.git{committish}", place_of(hosted));
        repository.insert("url".to_owned(), address.into());
    }
}

/// Returns the host and path of a repository on a hosting site.
fn place_of(hosted: &HostedRepository) -> String {
    let user = hosted.user.as_ref().map(|user| format!("{user}/")).unwrap_or_default();
    format!("{}/{user}{}", hosted.site.domain(), hosted.project)
}

/// Adds the pages of a repository on a hosting site: for bugs and the package's own.
fn pages(package: &mut Package) {
    let url = package.get("repository").and_then(|it| it.get("url")).and_then(Value::as_str);
    let git = url.and_then(|url| Spec::parse(url).ok());
    let hosted = match &git {
        Some(Spec::Git(git)) => git.hosted.as_ref(),
        _ => None,
    };
    let page = hosted.map(|hosted| format!("https://{}", place_of(hosted)));
    if let Some(bugs) = text(package, "bugs").filter(|bugs| !bugs.is_empty()) {
        let at = bugs.find('@').zip(bugs.rfind('.')).is_some_and(|(at, dot)| at < dot);
        if bugs.contains("://") {
            package.insert("bugs".to_owned(), json!({ "url": bugs }));
        } else if at {
            package.insert("bugs".to_owned(), json!({ "email": bugs }));
        }
    } else if let Some(page) = page.as_ref().filter(|_| !package.get("bugs").is_some_and(is_truthy))
    {
        package.insert("bugs".to_owned(), json!({ "url": format!("{page}/issues") }));
    }
    if let Some(page) = page.filter(|_| !package.get("homepage").is_some_and(is_truthy)) {
        package.insert("homepage".to_owned(), format!("{page}#readme").into());
    }
    if let Some(homepage) =
        text(package, "homepage").filter(|it| !it.is_empty() && !it.contains(':'))
    {
        package.insert("homepage".to_owned(), format!("http://{homepage}").into());
    }
}

/// Makes a list of `keywords`.
fn keywords(package: &mut Package) {
    let words: Vec<Value> = match package.get("keywords") {
        None => return,
        Some(Value::String(words)) => words.split(", ").map(|word| word.trim().into()).collect(),
        Some(Value::Array(words)) => words.clone(),
        Some(_) => return drop(package.shift_remove("keywords")),
    };
    let words = words.into_iter().filter(|word| word.as_str().is_some_and(|word| !word.is_empty()));
    package.insert("keywords".to_owned(), words.collect());
}

/// Returns a person as npm's object.
fn person_object(person: &Value) -> Value {
    let text = match person.as_str() {
        Some(text) => text.to_owned(),
        None => person_text(person),
    };
    let within = |open: char, close: char| {
        let (_, rest) = text.split_once(open)?;
        rest.split_once(close).map(|(inner, _)| inner.to_owned()).filter(|inner| !inner.is_empty())
    };
    let name = text.split(['(', '<']).next().unwrap_or_default().trim();
    let mut object = Map::new();
    if !name.is_empty() {
        object.insert("name".to_owned(), name.into());
    }
    for (key, value) in [("email", within('<', '>')), ("url", within('(', ')'))] {
        if let Some(value) = value {
            object.insert(key.to_owned(), value.into());
        }
    }
    Value::Object(object)
}

/// Returns a person as a line of text.
pub(super) fn person_text(person: &Value) -> String {
    if let Some(text) = person.as_str() {
        return text.to_owned();
    }
    let field = |keys: [&str; 2]| {
        keys.into_iter()
            .find_map(|key| person.get(key).and_then(Value::as_str))
            .filter(|it| !it.is_empty())
    };
    let name = person.get("name").and_then(Value::as_str).unwrap_or_default();
    let email = field(["email", "mail"]).map(|it| format!(" <{it}>")).unwrap_or_default();
    let url = field(["url", "web"]).map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{name}{email}{url}")
}
