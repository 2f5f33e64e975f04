//! The fields that describe a package: description, people, addresses, keywords.

use serde_json::{Map, Value, json};
use url::Url;

use super::{Normalised, is_truthy};
use dx_pkg_compat::hosted::Hosted;

/// What stands for a readme that is not there.
pub(super) const NO_README: &str = "ERROR: No README data found!";
/// Misspelt members, and what was meant.
const TYPOS: [(&str, &str); 19] = [
    ("dependancies", "dependencies"),
    ("dependecies", "dependencies"),
    ("depdenencies", "dependencies"),
    ("devEependencies", "devDependencies"),
    ("depends", "dependencies"),
    ("dev-dependencies", "devDependencies"),
    ("devDependences", "devDependencies"),
    ("devDepenencies", "devDependencies"),
    ("devdependencies", "devDependencies"),
    ("repostitory", "repository"),
    ("repo", "repository"),
    ("prefereGlobal", "preferGlobal"),
    ("hompage", "homepage"),
    ("hampage", "homepage"),
    ("autohr", "author"),
    ("autor", "author"),
    ("contributers", "contributors"),
    ("publicationConfig", "publishConfig"),
    ("script", "scripts"),
];

impl Normalised {
    /// Brings the fields that describe the package into npm's forms.
    pub(super) fn fix_data(&mut self) {
        self.fix_description();
        if self.get("modules").is_some() {
            self.told("\"modules\" was removed, as it means nothing");
            self.remove("modules");
        }
        self.fix_texts("files");
        if let Some(Value::String(man)) = self.get("man") {
            let man = json!([man]);
            self.set("man", man);
        }
        self.fix_bugs();
        if let Some(Value::String(keywords)) = self.data.get("keywords") {
            let words: Vec<String> = split_keywords(keywords).iter().map(|w| (*w).into()).collect();
            self.set("keywords", words);
        }
        self.fix_texts("keywords");
        self.require_bundled();
        self.fix_home_page();
        if self.get("readme").is_none() {
            self.set("readme", NO_README);
        }
        if let Some(author) = self.get("author") {
            let author = person(author);
            self.set("author", author);
        }
        for key in ["maintainers", "contributors"] {
            if let Some(Value::Array(people)) = self.data.get(key) {
                let people: Vec<Value> = people.iter().map(person).collect();
                self.set(key, people);
            }
        }
        for (wrong, right) in TYPOS {
            if self.data.contains_key(wrong) {
                self.told(format!("\"{wrong}\" should probably be \"{right}\""));
            }
        }
    }

    fn fix_description(&mut self) {
        if self.get("description").is_some_and(|value| !value.is_string()) {
            self.told("\"description\" was removed, as it is no text");
            self.remove("description");
        }
        let readme = self.text("readme").filter(|readme| *readme != NO_README).map(str::to_owned);
        if let Some(readme) = readme.filter(|_| self.get("description").is_none()) {
            self.set("description", first_paragraph(&readme));
        }
    }

    /// Leaves texts in a list; what is no list is removed.
    fn fix_texts(&mut self, key: &str) {
        let Some(value) = self.get(key) else { return };
        let Value::Array(items) = value else {
            self.told(format!("\"{key}\" was removed, as it is no list"));
            return self.remove(key);
        };
        let is_text = |item: &&Value| item.as_str().is_some_and(|text| !text.is_empty());
        let texts: Vec<Value> = items.iter().filter(is_text).cloned().collect();
        if texts.len() != items.len() {
            self.told(format!("items of \"{key}\" were removed, as they are no texts"));
        }
        self.set(key, texts);
    }

    fn fix_bugs(&mut self) {
        let Some(bugs) = self.get("bugs").cloned() else {
            let hosted = self.repository_url().and_then(Hosted::read);
            if let Some(url) = hosted.and_then(|hosted| hosted.bugs()) {
                self.set("bugs", json!({ "url": url }));
            }
            return;
        };
        let fixed = match bugs {
            Value::String(text) if is_email(&text) => json!({ "email": text }),
            Value::String(text) if Url::parse(&text).is_ok() => json!({ "url": text }),
            Value::String(_) => {
                self.told("\"bugs\" was removed, as it is no address");
                return self.remove("bugs");
            }
            Value::Object(bugs) => {
                let text = |key: &str| bugs.get(key).and_then(Value::as_str).map(str::to_owned);
                let url = text("name").or_else(|| text("web")).or_else(|| text("url"));
                let mut fixed = Map::new();
                if let Some(url) = url.filter(|url| Url::parse(url).is_ok()) {
                    fixed.insert("url".to_owned(), url.into());
                }
                if let Some(email) = text("email").filter(|email| is_email(email)) {
                    fixed.insert("email".to_owned(), email.into());
                }
                fixed.into()
            }
            _ => Value::Null,
        };
        if fixed.as_object().is_none_or(Map::is_empty) {
            self.told("\"bugs\" was removed, as it has no address");
            return self.remove("bugs");
        }
        self.set("bugs", fixed);
    }

    fn fix_home_page(&mut self) {
        if self.get("homepage").is_none() {
            let hosted = self.repository_url().and_then(Hosted::read);
            if let Some(hosted) = hosted {
                self.set("homepage", hosted.docs());
            }
        }
        match self.get("homepage") {
            Some(Value::String(page)) if Url::parse(page).is_err() => {
                let page = format!("http://{page}");
                self.set("homepage", page);
            }
            Some(Value::String(_)) | None => {}
            Some(_) => {
                self.told("\"homepage\" was removed, as it is no text");
                self.remove("homepage");
            }
        }
    }
}

/// Returns the words that commas with a space behind them separate.
fn split_keywords(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(comma) = text[from..].find(',').map(|at| from + at) {
        let behind = text[comma + 1..].trim_start();
        from = text.len() - behind.len();
        if from > comma + 1 {
            words.push(&text[start..comma]);
            start = from;
        }
    }
    words.push(&text[start..]);
    words
}

fn is_email(text: &str) -> bool {
    text.find('@').is_some_and(|at| text.rfind('.').is_some_and(|dot| at < dot))
}

/// Returns the first paragraph of a readme that is no heading.
fn first_paragraph(readme: &str) -> String {
    let lines: Vec<&str> = readme.trim().split('\n').collect();
    let is_skipped = |line: &&&str| line.trim().is_empty() || line.trim().starts_with('#');
    let start = lines.iter().take_while(is_skipped).count();
    let length = lines.iter().skip(start + 1).take_while(|line| !line.trim().is_empty()).count();
    let end = (start + 1 + length).min(lines.len());
    lines.get(start..end).unwrap_or_default().join(" ").trim().to_owned()
}

/// Returns a person as an object.
fn person(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let part = |keys: [&str; 2]| {
                let found = keys.iter().find_map(|key| members.get(*key).filter(|v| is_truthy(v)));
                found.map(crate::node_text::as_text)
            };
            let name = part(["name", "name"]).unwrap_or_default();
            let email = part(["email", "mail"]).map(|email| format!(" <{email}>"));
            let url = part(["url", "web"]).map(|url| format!(" ({url})"));
            format!("{name}{}{}", email.unwrap_or_default(), url.unwrap_or_default())
        }
        _ => String::new(),
    };
    let between = |open: char, close: char| {
        let mut rest = text.as_str();
        loop {
            let at = rest.find(open)?;
            let inside = &rest[at + 1..];
            let end = inside.find([open, close])?;
            if inside[end..].starts_with(close) && end > 0 {
                return Some(inside[..end].to_owned());
            }
            rest = inside;
        }
    };
    let mut fixed = Map::new();
    let name = text.split(['(', '<']).next().unwrap_or_default().trim();
    if !name.is_empty() {
        fixed.insert("name".to_owned(), name.into());
    }
    if let Some(email) = between('<', '>') {
        fixed.insert("email".to_owned(), email.into());
    }
    if let Some(url) = between('(', ')') {
        fixed.insert("url".to_owned(), url.into());
    }
    fixed.into()
}
