//! The manifests of packages as npm shows them: those on disk, or entries of the lockfile, with the
//! changes that npm makes in memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use dx_pkg_acquire::files::read_text;
use dx_pkg_core::Spec;
use dx_pkg_core::spec::{GitSpec, HostedSite};
use serde_json::{Map, Value, json};
use url::Url;

use crate::fund::is_true;
use crate::{Source, View};

/// The members of an object.
pub(crate) type Members = Map<String, Value>;

/// The manifests of a project's packages, each read once.
pub(crate) struct Manifests<'v> {
    view: &'v View,
    /// The entries of the lockfile, where manifests are its entries.
    locked: Option<Members>,
    known: RefCell<HashMap<usize, Rc<Members>>>,
}

impl<'v> Manifests<'v> {
    /// Returns the manifests that are on disk.
    pub(crate) fn installed(view: &'v View) -> Self {
        Manifests { view, locked: None, known: RefCell::default() }
    }

    /// Returns the manifests of what a view was read from.
    pub(crate) fn of_view(view: &'v View) -> Self {
        let locked = match view.source {
            Source::Installed => None,
            Source::Locked => Some(locked(view)),
        };
        Manifests { view, locked, known: RefCell::default() }
    }

    /// Returns the manifest of a package; of a link, that of the folder it leads to.
    pub(crate) fn of(&self, place: usize) -> Rc<Members> {
        let place = self.view.graph.packages[place].target.unwrap_or(place);
        if let Some(known) = self.known.borrow().get(&place) {
            return known.clone();
        }
        let members = Rc::new(self.read(place));
        self.known.borrow_mut().insert(place, members.clone());
        members
    }

    fn read(&self, place: usize) -> Members {
        let package = &self.view.graph.packages[place];
        // Folders of the project are read from disk in any case.
        let entry = match &self.locked {
            Some(locked) if package.parent.is_some() => locked.get(&package.path),
            _ => None,
        };
        let mut members = match entry {
            Some(Value::Object(members)) => {
                let mut members = members.clone();
                if !members.get("name").is_some_and(is_true) {
                    members.insert("name".into(), package.name.clone().into());
                }
                members
            }
            _ => self.folder(place),
        };
        normalise(&mut members);
        members
    }
}

impl Manifests<'_> {
    /// Returns the manifest in a folder; its entry of the lockfile where the folder has none.
    fn folder(&self, place: usize) -> Members {
        let found = on_disk(self.view, place);
        let entry = self.locked.as_ref().filter(|_| found.is_empty());
        match entry.and_then(|locked| locked.get(&self.view.graph.packages[place].path)) {
            Some(Value::Object(members)) => members.clone(),
            _ => found,
        }
    }
}

/// Returns the entries of the lockfile.
fn locked(view: &View) -> Members {
    let text = read_text(&view.root.join(&view.lockfile)).ok().flatten().unwrap_or_default();
    let mut value: Value = serde_json::from_str(&text).unwrap_or_default();
    match value.get_mut("packages").map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Members::new(),
    }
}

fn on_disk(view: &View, place: usize) -> Members {
    let text = read_text(&view.folder(place).join("package.json")).ok().flatten();
    match text.and_then(|text| serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()) {
        Some(Value::Object(members)) => members,
        _ => Members::new(),
    }
}

/// Makes the changes that npm makes in every manifest that it reads.
fn normalise(members: &mut Members) {
    members.retain(|key, _| !key.starts_with('_'));
    let text = |key: &str| members.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let Some((name, version)) = text("name").zip(text("version")) {
        let id = format!("{name}@{version}");
        members.insert("_id".into(), id.into());
    }
    bundled(members);
    let is_override = |value: &Value| value.as_object().is_some_and(|all| !all.is_empty());
    if members.get("overrides").is_some_and(|value| !is_override(value)) {
        members.shift_remove("overrides");
    }
    let optional = members.get("optionalDependencies").and_then(Value::as_object);
    let optional: Vec<String> = optional.into_iter().flat_map(|all| all.keys().cloned()).collect();
    if let Some(Value::Object(all)) = members.get_mut("dependencies")
        && !optional.is_empty()
    {
        all.retain(|name, _| !optional.contains(name));
        if all.is_empty() {
            members.shift_remove("dependencies");
        }
    }
    match members.get_mut("scripts") {
        Some(Value::Object(all)) => all.retain(|_, script| script.is_string()),
        Some(Value::Array(_)) | None => {}
        Some(_) => {
            members.shift_remove("scripts");
        }
    }
    if let Some(Value::String(url)) = members.get("funding").filter(|funding| is_true(funding)) {
        let funding = json!({ "url": url });
        members.insert("funding".into(), funding);
    }
    commands(members);
}

/// Brings `bundleDependencies` into the form of a list.
fn bundled(members: &mut Members) {
    if let Some(list) = members.shift_remove("bundledDependencies")
        && !members.contains_key("bundleDependencies")
    {
        members.insert("bundleDependencies".into(), list);
    }
    let keys = |value: Option<&Value>| -> Value {
        let all = value.and_then(Value::as_object).into_iter().flat_map(Members::keys);
        all.map(|name| Value::from(name.clone())).collect()
    };
    let list = match members.get("bundleDependencies") {
        None | Some(Value::Array(_)) => return,
        Some(Value::Bool(false)) => Value::Array(Vec::new()),
        Some(Value::Bool(true)) => keys(members.get("dependencies")),
        Some(object @ Value::Object(_)) => keys(Some(object)),
        Some(_) => {
            members.shift_remove("bundleDependencies");
            return;
        }
    };
    members.insert("bundleDependencies".into(), list);
}

/// Brings `bin` into the form of an object.
fn commands(members: &mut Members) {
    let Some(bin) = members.get("bin") else { return };
    let name = members.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let given: Vec<(String, String)> = match (bin, name) {
        (Value::String(path), Some(name)) if !path.is_empty() => {
            vec![(name.to_owned(), path.clone())]
        }
        (Value::Array(list), _) => list
            .iter()
            .filter_map(Value::as_str)
            .map(|path| (last(path).to_owned(), path.to_owned()))
            .collect(),
        (Value::Object(all), _) => all
            .iter()
            .filter_map(|(command, path)| Some((command.clone(), path.as_str()?.to_owned())))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Members::new();
    for (command, path) in given {
        let (command, path) = (inside(&command), inside(&path));
        let command = last(&command);
        if !command.is_empty() && !path.is_empty() {
            found.insert(command.to_owned(), path.into());
        }
    }
    if found.is_empty() {
        members.shift_remove("bin");
    } else {
        members.insert("bin".into(), found.into());
    }
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Returns a path below a package's folder: no part of it leads out.
fn inside(path: &str) -> String {
    let path = path.replace(['\\', ':'], "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
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

/// Makes the changes that npm makes before a manifest is published or described: addresses in
/// full, and those that follow from the repository.
pub(crate) fn describe(members: &mut Members) {
    let description = members.get("description").and_then(Value::as_str).map(str::to_owned);
    if description.is_none() && let Some(readme) = members.get("readme").and_then(Value::as_str) {
        let description = first_paragraph(readme);
        members.insert("description".into(), description.into());
    }
    if let Some(Value::String(url)) = members.get("repository").filter(|value| is_true(value)) {
        let repository = json!({ "type": "git", "url": url });
        members.insert("repository".into(), repository);
    }
    let url = members.get("repository").and_then(|one| one.get("url")).and_then(Value::as_str);
    let hosted = url.and_then(Hosted::read);
    if let (Some(hosted), Some(Value::Object(repository))) =
        (&hosted, members.get_mut("repository"))
    {
        repository.insert("url".into(), hosted.address().into());
    }
    match members.get("bugs").filter(|bugs| is_true(bugs)) {
        None => {
            if let Some(url) = hosted.as_ref().and_then(Hosted::bugs) {
                members.insert("bugs".into(), json!({ "url": url }));
            }
        }
        Some(Value::String(text)) if Url::parse(text).is_ok() => {
            let bugs = json!({ "url": text });
            members.insert("bugs".into(), bugs);
        }
        Some(Value::Object(bugs)) => {
            let url = ["url", "web", "name"].into_iter().find_map(|key| bugs.get(key)?.as_str());
            let url = url.filter(|url| Url::parse(url).is_ok()).map(str::to_owned);
            match url {
                Some(url) => members.insert("bugs".into(), json!({ "url": url })),
                None => members.shift_remove("bugs"),
            };
        }
        Some(_) => {
            members.shift_remove("bugs");
        }
    }
    match members.get("homepage").filter(|page| is_true(page)) {
        None => {
            if let Some(hosted) = &hosted {
                members.insert("homepage".into(), hosted.docs().into());
            }
        }
        Some(Value::String(page)) if Url::parse(page).is_err() => {
            let page = format!("http://{page}");
            members.insert("homepage".into(), page.into());
        }
        Some(Value::String(_)) => {}
        Some(_) => {
            members.shift_remove("homepage");
        }
    }
    if let Some(author) = members.get("author").filter(|author| is_true(author)).map(person) {
        members.insert("author".into(), author);
    }
}

/// Returns the text in front of the first heading of a readme, after its title.
fn first_paragraph(readme: &str) -> String {
    let lines = readme.trim().lines().map(str::trim);
    let text = lines.skip_while(|line| line.is_empty() || line.starts_with('#'));
    text.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns a person as an object with the name that is written or given.
fn person(person: &Value) -> Value {
    let text = match person {
        Value::String(text) => text.clone(),
        other => {
            let name = other.get("name").and_then(Value::as_str).unwrap_or_default();
            name.to_owned()
        }
    };
    let name = text.split(['(', '<']).next().unwrap_or_default().trim();
    if name.is_empty() { json!({}) } else { json!({ "name": name }) }
}

/// A repository on a hosting site that npm knows.
struct Hosted(Box<GitSpec>);

impl Hosted {
    fn read(url: &str) -> Option<Self> {
        match Spec::parse(url).ok()? {
            Spec::Git(git) if git.hosted.is_some() => Some(Hosted(git)),
            _ => None,
        }
    }

    fn place(&self) -> String {
        let hosted = self.0.hosted.as_ref();
        let parts = hosted.map(|one| {
            let user = one.user.as_ref().filter(|_| one.site != HostedSite::Gist);
            let user = user.map(|user| format!("{user}/")).unwrap_or_default();
            format!("{}/{user}{}", one.site.domain(), one.project)
        });
        parts.unwrap_or_default()
    }

    fn is_on(&self, site: HostedSite) -> bool {
        self.0.hosted.as_ref().is_some_and(|hosted| hosted.site == site)
    }

    /// Returns the address as npm writes it.
    fn address(&self) -> String {
        if !self.0.is_shortcut {
            return self.0.to_string();
        }
        let committish =
            self.0.committish.as_ref().map(|text| format!("#{text}")).unwrap_or_default();
        let (scheme, end) =
            if self.is_on(HostedSite::Sourcehut) { ("https", "") } else { ("git+https", ".git") };
        format!("{scheme}://{}{end}{committish}", self.place())
    }

    fn bugs(&self) -> Option<String> {
        if self.is_on(HostedSite::Sourcehut) {
            return None;
        }
        let end = if self.is_on(HostedSite::Gist) { "" } else { "/issues" };
        Some(format!("https://{}{end}", self.place()))
    }

    fn docs(&self) -> String {
        let committish = self.0.committish.as_deref();
        if self.is_on(HostedSite::Gist) {
            let at = committish.map(|text| format!("/{text}")).unwrap_or_default();
            return format!("https://{}{at}", self.place());
        }
        let tree = if self.is_on(HostedSite::Bitbucket) { "src" } else { "tree" };
        let at = committish.map(|text| format!("/{tree}/{}", text.replace('/', "%2F")));
        format!("https://{}{}#readme", self.place(), at.unwrap_or_default())
    }
}
