//! Search: which of the registry's own packages a text finds, and which texts may be asked
//! upstream.

use serde_json::{Value, json};

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The whole text, in lower case.
    text: String,
    /// The words, in lower case.
    pub(crate) words: Vec<String>,
    /// `keywords:a,b`.
    keywords: Vec<String>,
    /// `maintainer:name` and `author:name`.
    people: Vec<String>,
    /// `scope:acme`.
    scope: Option<String>,
}

/// A package of this registry, as search sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) keywords: Vec<String>,
    pub(crate) maintainers: Vec<(String, String)>,
    /// When that version was published, as npm writes it.
    pub(crate) date: String,
    pub(crate) publisher: Option<(String, String)>,
}

impl Query {
    /// Reads the text of a search.
    pub(crate) fn read(text: &str) -> Self {
        let mut query = Self { text: text.to_lowercase(), ..Self::default() };
        for word in text.split_whitespace() {
            let word = word.to_lowercase();
            match word.split_once(':') {
                Some(("keywords", list)) => {
                    let words = list.split([',', '+']).filter(|word| !word.is_empty());
                    query.keywords.extend(words.map(str::to_owned));
                }
                Some(("maintainer" | "author", name)) => query.people.push(name.to_owned()),
                Some(("scope", scope)) => {
                    query.scope = Some(scope.trim_start_matches('@').to_owned());
                }
                // Wishes about the order, which there is only one of.
                Some(("not" | "is" | "boost-exact" | "popularity" | "quality", _)) => {}
                _ => query.words.push(word),
            }
        }
        query
    }

    /// Whether the query would tell an upstream a name of this registry's own: a package, with its
    /// scope or without, a scope or a user. `is_own_name` says so of names, `is_own_scope` of
    /// scopes without `@`.
    pub(crate) fn tells_own_names(
        &self,
        is_own_name: impl Fn(&str) -> bool,
        is_own_scope: impl Fn(&str) -> bool,
        is_user: impl Fn(&str) -> bool,
    ) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || "-_.~".contains(c);
        // However a name is written: in quotes, with a version, in an address, as a keyword.
        let mut parts = self.text.split(|c| !is_part(c)).flat_map(|part| {
            let bare = part.trim_matches(['-', '_', '.']);
            [part, bare].into_iter().filter(|part| !part.is_empty())
        });
        parts.any(|part| is_own_name(part) || is_own_scope(part))
            || self.people.iter().any(|name| is_user(name))
    }

    /// Returns how well a package fits; `None` where it does not.
    pub(crate) fn score(&self, candidate: &Candidate) -> Option<f64> {
        let name = candidate.name.to_lowercase();
        let scope = name.strip_prefix('@').and_then(|name| name.split('/').next());
        if self.scope.is_some() && self.scope.as_deref() != scope {
            return None;
        }
        let has_keyword =
            |word: &str| candidate.keywords.iter().any(|keyword| keyword.to_lowercase() == word);
        if !self.keywords.iter().all(|word| has_keyword(word)) {
            return None;
        }
        let is_of = |person: &String| {
            candidate.maintainers.iter().any(|(name, _)| name.to_lowercase() == *person)
        };
        if !self.people.iter().all(is_of) {
            return None;
        }
        let description = candidate.description.to_lowercase();
        let bare = name.rsplit('/').next().unwrap_or_default();
        let mut score = 1.0;
        for word in &self.words {
            score += if name == *word || bare == word {
                100.0
            } else if name.starts_with(word.as_str()) || bare.starts_with(word.as_str()) {
                20.0
            } else if name.contains(word.as_str()) {
                10.0
            } else if has_keyword(word) {
                5.0
            } else if description.contains(word.as_str()) {
                2.0
            } else {
                return None;
            };
        }
        Some(score)
    }
}

impl Candidate {
    /// Returns the entry of an answer.
    pub(crate) fn entry(&self, score: f64, base: &str) -> Value {
        let person = |(name, email): &(String, String)| json!({ "username": name, "email": email });
        let scope = self.name.strip_prefix('@').and_then(|name| name.split('/').next());
        let publisher = self.publisher.as_ref().or(self.maintainers.first());
        json!({
            "package": {
                "name": self.name,
                "scope": scope.unwrap_or("unscoped"),
                "version": self.version,
                "description": self.description,
                "keywords": self.keywords,
                "date": self.date,
                "links": { "npm": format!("{base}-/ui/package/{}", self.name) },
                "publisher": publisher.map(person),
                "maintainers": self.maintainers.iter().map(person).collect::<Vec<_>>(),
            },
            "score": {
                "final": score,
                "detail": { "quality": 1.0, "popularity": 0.0, "maintenance": 1.0 },
            },
            "searchScore": score,
            "flags": { "unstable": self.version.starts_with("0.") },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Query};

    fn candidate() -> Candidate {
        Candidate {
            name: "@acme/left-pad".to_owned(),
            version: "1.2.0".to_owned(),
            description: "Pads texts on the left".to_owned(),
            keywords: vec!["Text".to_owned()],
            maintainers: vec![("alice".to_owned(), "a@acme.test".to_owned())],
            ..Candidate::default()
        }
    }

    #[test]
    fn words_find_names_keywords_and_descriptions() {
        let score = |text: &str| Query::read(text).score(&candidate());
        let better = ["left-pad", "left", "pad", "text", "texts"];
        let scores: Vec<f64> = better.iter().map(|text| score(text).unwrap()).collect();
        assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
        for found in
            ["", "LEFT pad", "keywords:text", "maintainer:alice", "scope:acme", "@acme/left"]
        {
            assert!(score(found).is_some(), "{found}");
        }
        for other in ["right", "left right", "keywords:pad", "author:bob", "scope:acm"] {
            assert!(score(other).is_none(), "{other}");
        }
    }

    #[test]
    fn own_names_are_told_to_nobody() {
        let tells = |text: &str| {
            Query::read(text).tells_own_names(
                |name| name == "secret-tool" || name == "widget",
                |scope| scope == "acme",
                |user| user == "alice",
            )
        };
        for text in [
            "secret-tool",
            "text Secret-Tool",
            "@acme",
            "@acme/other",
            "scope:acme",
            "acme",
            "maintainer:alice",
            "@ACME/left-pad",
            "widget",
            "\"Widget\"",
            "widget@1.0.0",
            "acme/other",
            "https://registry.example/@acme/other",
            "keywords:widget,x",
            "is:unstable widget.",
        ] {
            assert!(tells(text), "{text}");
        }
        for text in ["left-pad", "secret", "@acme2/x", "widgets", "scope:other", "author:bob", ""] {
            assert!(!tells(text), "{text}");
        }
    }
}
