//! The overview of one version of a package, as `npm view` prints it.

use std::cmp::Reverse;

use dx_pkg_compat::npmrc::milliseconds_of;
use serde_json::{Map, Value};

use super::age::ago;
use super::person::person;

/// The most dependencies that are listed.
const MOST_DEPENDENCIES: usize = 24;
/// The most dist-tags that are listed.
const MOST_TAGS: usize = 5;
/// The time of a tag whose version has none, in milliseconds since 1970: the year 2000.
const NO_TIME: u64 = 946_684_800_000;

/// Returns the overview of a version. `unicode` allows a symbol in it.
pub(super) fn card(
    packument: &Map<String, Value>,
    all: &Map<String, Value>,
    unicode: bool,
) -> String {
    let text = |key: &str| all.get(key).and_then(Value::as_str).unwrap_or_default();
    let dependencies = all.get("dependencies").and_then(Value::as_object);
    let count = dependencies.map_or(0, Map::len);
    let versions = packument.get("versions").and_then(Value::as_array).map_or(0, Vec::len);
    let mut lines = vec![
        String::new(),
        format!(
            "{}@{} | {} | deps: {} | versions: {versions}",
            text("name"),
            text("version"),
            license(all),
            if count == 0 { "none".to_owned() } else { count.to_string() },
        ),
    ];
    lines.extend(Some(text("description").to_owned()).filter(|text| !text.is_empty()));
    let home = all.get("homepage").and_then(|home| home.get("url").unwrap_or(home).as_str());
    lines.extend(home.filter(|home| !home.is_empty()).map(str::to_owned));
    if let Some(message) = all.get("deprecated").filter(|it| !is_empty(it)) {
        let mark = if unicode { " \u{26a0}\u{fe0f} " } else { "!!" };
        lines.push(format!("\nDEPRECATED{mark} - {}", shown(message)));
    }
    let keywords = packument.get("keywords").and_then(Value::as_array);
    if let Some(keywords) = keywords.filter(|keywords| !keywords.is_empty()) {
        lines.push(format!("\nkeywords: {}", list(keywords)));
    }
    let commands = all.get("bin").and_then(Value::as_object);
    if let Some(commands) = commands.filter(|commands| !commands.is_empty()) {
        let names: Vec<&str> = commands.keys().map(String::as_str).collect();
        lines.push(format!("\nbin: {}", names.join(", ")));
    }
    lines.push("\ndist".to_owned());
    lines.extend(tarball(all.get("dist")));
    if let Some(dependencies) = dependencies.filter(|all| !all.is_empty()) {
        let all = dependencies.iter().map(|(name, spec)| format!("{name}: {}", shown(spec)));
        let first: Vec<String> = all.take(MOST_DEPENDENCIES).collect();
        lines.push(format!("\ndependencies:\n{}", first.join(", ")));
        if count > MOST_DEPENDENCIES {
            lines.push(format!("(...and {} more.)", count - MOST_DEPENDENCIES));
        }
    }
    let maintainers = packument.get("maintainers").and_then(Value::as_array);
    if let Some(maintainers) = maintainers.filter(|all| !all.is_empty()) {
        lines.push("\nmaintainers:".to_owned());
        lines.extend(maintainers.iter().map(|one| format!("- {}", person(one))));
    }
    lines.push("\ndist-tags:".to_owned());
    lines.extend(tags(packument));
    lines.extend(published(packument, all));
    lines.join("\n")
}

/// Returns the lines about the tarball.
fn tarball(dist: Option<&Value>) -> Vec<String> {
    let member = |key: &str| dist.and_then(|dist| dist.get(key)).filter(|value| !is_empty(value));
    let shown = |key: &str| member(key).map_or_else(|| "undefined".to_owned(), shown);
    let mut lines =
        vec![format!(".tarball: {}", shown("tarball")), format!(".shasum: {}", shown("shasum"))];
    if member("integrity").is_some() {
        lines.push(format!(".integrity: {}", shown("integrity")));
    }
    if let Some(size) = member("unpackedSize").and_then(Value::as_f64) {
        lines.push(format!(".unpackedSize: {}", bytes(size)));
    }
    lines
}

/// Returns the lines of the dist-tags: `latest` first, then those of the newest versions.
fn tags(packument: &Map<String, Value>) -> Vec<String> {
    let times = packument.get("time");
    let tags = packument.get("dist-tags").and_then(Value::as_object);
    let mut tags: Vec<(u64, &String, String)> = tags
        .into_iter()
        .flatten()
        .map(|(tag, version)| {
            let version = shown(version);
            let time = times.and_then(|times| times.get(&version)).and_then(Value::as_str);
            let time = time.map_or(Some(NO_TIME), milliseconds_of).unwrap_or(0);
            (if tag == "latest" { u64::MAX } else { time }, tag, version)
        })
        .collect();
    tags.sort_by_key(|(time, tag, _)| Reverse((*time, (*tag).clone())));
    let count = tags.len();
    let lines =
        tags.into_iter().take(MOST_TAGS).map(|(_, tag, version)| format!("{tag}: {version}"));
    let mut lines = vec![lines.collect::<Vec<_>>().join("\n")];
    if count > MOST_TAGS {
        lines.push(format!("(...and {} more.)", count - MOST_TAGS));
    }
    lines
}

/// Returns the lines about when and by whom the version was published.
fn published(packument: &Map<String, Value>, all: &Map<String, Value>) -> Vec<String> {
    let publisher = all.get("_npmUser").filter(|user| !is_empty(user));
    let times = packument.get("time");
    if publisher.is_none() && times.is_none() {
        return Vec::new();
    }
    let mut line = "published".to_owned();
    let version = all.get("version").and_then(Value::as_str).unwrap_or_default();
    let time = times.and_then(|times| times.get(version)).and_then(Value::as_str);
    if let Some(ago) = time.and_then(ago) {
        line.push_str(&format!(" {ago}"));
    }
    if let Some(publisher) = publisher {
        line.push_str(&format!(" by {}", person(publisher)));
    }
    vec![String::new(), line]
}

fn license(all: &Map<String, Value>) -> &str {
    let license = all.get("license").filter(|license| !is_empty(license));
    let named = license.and_then(|license| license.get("type").unwrap_or(license).as_str());
    named.unwrap_or("Proprietary")
}

/// Returns whether JavaScript takes a value for false.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn list(values: &[Value]) -> String {
    values.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Returns a number of bytes in npm's units.
fn bytes(size: f64) -> String {
    match size {
        size if size < 1000.0 => format!("{size} B"),
        size if size < 999_950.0 => format!("{:.1} kB", size / 1e3),
        size if size < 999_950_000.0 => format!("{:.1} MB", size / 1e6),
        size => format!("{:.1} GB", size / 1e9),
    }
}
