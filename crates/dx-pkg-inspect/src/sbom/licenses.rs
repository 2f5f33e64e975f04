//! Licence expressions of SPDX, as far as a bill of materials needs them.

use spdx::identifiers::LICENSES;

/// The most brackets within each other; no licence needs as many.
const DEEPEST: usize = 100;

/// What a licence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum License {
    /// One licence of the list of SPDX.
    One(String),
    /// Several, joined by AND or OR.
    Several,
}

/// Reads a licence; `None` where it is no expression of SPDX.
pub(super) fn parse(text: &str) -> Option<License> {
    let mut reader = Reader { words: words(text)?, at: 0, depth: 0 };
    let found = reader.either()?;
    (reader.at == reader.words.len()).then_some(found)
}

/// Splits an expression into words and brackets.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        match character {
            ' ' | '(' | ')' | '+' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                } else if character == '+' {
                    return None;
                }
                if character != ' ' {
                    words.push(character.to_string());
                }
            }
            character if character.is_ascii_alphanumeric() || "-.:".contains(character) => {
                word.push(character);
            }
            _ => return None,
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    // `GPL-2.0+` is the name of a licence.
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if word == "+" && is_licence(&format!("{last}+")) => {
                last.push('+');
            }
            _ => joined.push(word),
        }
    }
    Some(joined)
}

/// Returns whether this is the name of a licence of SPDX, to the letter.
fn is_licence(name: &str) -> bool {
    LICENSES.binary_search_by(|licence| licence.name.cmp(name)).is_ok()
}

struct Reader {
    words: Vec<String>,
    at: usize,
    /// The brackets that are open.
    depth: usize,
}

impl Reader {
    fn takes(&mut self, wanted: &str) -> bool {
        let is_next = self.words.get(self.at).is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_next);
        is_next
    }

    fn either(&mut self) -> Option<License> {
        let mut found = self.both()?;
        while self.takes("OR") {
            self.both()?;
            found = License::Several;
        }
        Some(found)
    }

    fn both(&mut self) -> Option<License> {
        let mut found = self.one()?;
        while self.takes("AND") {
            self.one()?;
            found = License::Several;
        }
        Some(found)
    }

    fn one(&mut self) -> Option<License> {
        if self.takes("(") {
            self.depth += 1;
            let inner = if self.depth > DEEPEST { None } else { self.either() }?;
            self.depth -= 1;
            return self.takes(")").then_some(inner);
        }
        let word = self.words.get(self.at)?.clone();
        let own = word.strip_prefix("DocumentRef-").and_then(|rest| rest.split_once(':'));
        let own = own.map_or(word.as_str(), |(_, rest)| rest);
        let is_reference = own.strip_prefix("LicenseRef-").is_some_and(|name| !name.is_empty());
        let is_known = is_licence(&word);
        if !is_reference && !is_known {
            return None;
        }
        self.at += 1;
        if is_known {
            self.takes("+");
            if self.takes("WITH") {
                let exception = self.words.get(self.at)?;
                spdx::exception_id(exception)?;
                self.at += 1;
            }
        }
        Some(License::One(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_npm_reads_them() {
        let one = |text: &str| Some(License::One(text.to_owned()));
        assert_eq!(parse("MIT"), one("MIT"));
        assert_eq!(parse("(MIT)"), one("MIT"));
        assert_eq!(parse("GPL-2.0+"), one("GPL-2.0+"));
        assert_eq!(parse("Apache-2.0 WITH LLVM-exception"), one("Apache-2.0"));
        assert_eq!(parse("LicenseRef-own"), one("LicenseRef-own"));
        assert_eq!(parse("(MIT OR Apache-2.0)"), Some(License::Several));
        assert_eq!(parse("MIT AND (ISC or BSD-2-Clause)"), Some(License::Several));
        for text in ["", "UNLICENSED", "SEE LICENSE IN x", "mit", "MIT OR", "(MIT", "MIT ISC", "+"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn expressions_of_any_length_come_to_an_end() {
        let nested = |count| format!("{}MIT{}", "(".repeat(count), ")".repeat(count));
        assert_eq!(parse(&nested(DEEPEST)), Some(License::One("MIT".to_owned())));
        assert_eq!(parse(&nested(1_000_000)), None);
        let long = format!("MIT{}", " AND MIT OR MIT".repeat(100_000));
        assert_eq!(parse(&long), Some(License::Several));
    }
}
