//! The search of a registry, in the forms of `npm search`.

use dx_pkg_compat::json_size::{ANSWER_VALUES, parse};
use dx_pkg_core::text::plain_text;
use dx_pkg_install::Session;
use serde_json::Value;
use url::form_urlencoded::{self, Serializer};

use super::{QuestionError, answer};

/// The longest text that is shown of a package, in characters.
const LONGEST: usize = 2000;

/// The weights of quality, popularity and maintenance that npm sends.
const WEIGHTS: [(&str, [&str; 3]); 4] = [
    ("", ["0.65", "0.98", "0.5"]),
    ("quality", ["1", "0", "0"]),
    ("popularity", ["0", "1", "0"]),
    ("maintenance", ["0", "0", "1"]),
];

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub struct SearchOptions {
    /// The words.
    pub words: Vec<String>,
    /// The most packages that the registry is asked for.
    pub limit: u32,
    /// Further members of the request, as in an address: `from=20&sortBy=quality`.
    pub options: String,
    /// Words, between spaces, that no package may have in its name, keywords or maintainers.
    pub exclude: String,
}

/// The packages that were found.
#[derive(Debug)]
pub struct SearchResult {
    packages: Vec<Value>,
    words: Vec<String>,
}

/// Searches the registry.
///
/// # Errors
/// There is nothing to search for, an answer that is none, or no answer.
pub fn search(session: &Session, options: &SearchOptions) -> Result<SearchResult, QuestionError> {
    let words = options.words.iter().map(|word| word.to_lowercase());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(QuestionError::NothingToSearch);
    }
    let path = format!("-/v1/search?{}", query(&words, options));
    let answer = answer(session, session.config().registry(), &path)?;
    let found: Value = parse(&answer, ANSWER_VALUES)
        .map_err(|error| QuestionError::BadSearch { reason: error.to_string() })?;
    let Some(objects) = found.get("objects").and_then(Value::as_array) else {
        let reason = "it has no list \"objects\"".to_owned();
        return Err(QuestionError::BadSearch { reason });
    };
    let exclude = options.exclude.to_lowercase();
    let excluded: Vec<&str> = exclude.split_whitespace().collect();
    let packages = objects.iter().filter_map(|object| object.get("package"));
    let packages = packages.filter(|package| !is_excluded(package, &excluded)).cloned();
    Ok(SearchResult { packages: packages.collect(), words: options.words.clone() })
}

fn query(words: &[String], options: &SearchOptions) -> String {
    let given: Vec<(String, String)> =
        form_urlencoded::parse(options.options.as_bytes()).into_owned().collect();
    let given = |key: &str| {
        let found = given.iter().rfind(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    };
    let sort = given("sortBy").unwrap_or_default();
    let [quality, popularity, maintenance] = WEIGHTS
        .iter()
        .find(|(name, _)| *name == sort)
        .map_or(WEIGHTS[0].1, |(_, weights)| *weights);
    let weight = |key: &str, usual: &str| {
        given(key).filter(|_| sort.is_empty()).unwrap_or_else(|| usual.to_owned())
    };
    Serializer::new(String::new())
        .append_pair("text", &words.join(" "))
        .append_pair("size", &options.limit.to_string())
        .append_pair("from", &given("from").unwrap_or_else(|| "0".to_owned()))
        .append_pair("quality", &weight("quality", quality))
        .append_pair("popularity", &weight("popularity", popularity))
        .append_pair("maintenance", &weight("maintenance", maintenance))
        .finish()
}

/// Returns whether a package has one of the words in its name, maintainers or keywords.
fn is_excluded(package: &Value, excluded: &[&str]) -> bool {
    let words =
        std::iter::once(text(package, "name")).chain(maintainers(package)).chain(keywords(package));
    let words = words.collect::<Vec<_>>().join(" ").to_lowercase();
    excluded.iter().any(|word| {
        let word =
            word.strip_prefix('/').map_or(*word, |rest| rest.strip_suffix('/').unwrap_or(rest));
        words.contains(word)
    })
}

impl SearchResult {
    /// Returns the packages for people, or that there are none.
    #[must_use]
    pub fn text(&self) -> String {
        if self.packages.is_empty() {
            let words = self.words.iter().map(|word| Value::from(word.as_str()).to_string());
            return format!("No matches found for {}", words.collect::<Vec<_>>().join(" "));
        }
        let packages = self.packages.iter().map(|package| {
            let mut lines = vec![text(package, "name")];
            lines.extend(Some(text(package, "description")).filter(|text| !text.is_empty()));
            let publisher = package.get("publisher").map(|user| text(user, "username"));
            lines.push(format!(
                "Version {} published {} by {}",
                text(package, "version"),
                date(package),
                publisher.filter(|name| !name.is_empty()).unwrap_or_else(|| "???".to_owned()),
            ));
            lines.push(format!("Maintainers: {}", maintainers(package).join(" ")));
            let keywords = keywords(package);
            if !keywords.is_empty() {
                lines.push(format!("Keywords: {}", keywords.join(" ")));
            }
            lines.push(format!("https://npm.im/{}\n", text(package, "name")));
            lines.join("\n")
        });
        packages.collect::<Vec<_>>().join("\n")
    }

    /// Returns a line for each package, with tabs between its parts.
    #[must_use]
    pub fn parseable(&self) -> Vec<String> {
        let lines = self.packages.iter().map(|package| {
            let parts = [
                text(package, "name"),
                text(package, "description"),
                date(package),
                text(package, "version"),
            ];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            let parts: Vec<String> = parts.chain([keywords(package).join(",")]).collect();
            parts.join("\t")
        });
        lines.collect()
    }

    /// Returns whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// Returns what the registry said of the packages.
    #[must_use]
    pub fn json(&self) -> Value {
        self.packages.clone().into()
    }
}

/// Returns a text of a package on one line.
fn text(package: &Value, key: &str) -> String {
    plain_text(package.get(key).and_then(Value::as_str).unwrap_or_default(), LONGEST)
}

/// Returns the day on which a package was published.
fn date(package: &Value) -> String {
    let date = text(package, "date");
    match date.get(..10) {
        Some(day) => day.to_owned(),
        None => "prehistoric".to_owned(),
    }
}

fn maintainers(package: &Value) -> Vec<String> {
    let people = package.get("maintainers").and_then(Value::as_array);
    people.into_iter().flatten().map(|user| text(user, "username")).collect()
}

fn keywords(package: &Value) -> Vec<String> {
    match package.get("keywords") {
        Some(Value::Array(words)) => {
            let words = words.iter().filter_map(Value::as_str);
            words.map(|word| plain_text(word, LONGEST)).collect()
        }
        Some(Value::String(words)) => {
            let words = words.split([' ', ',']).filter(|word| !word.is_empty());
            words.map(|word| plain_text(word, LONGEST)).collect()
        }
        _ => Vec::new(),
    }
}
