//! The version after another, by npm's rules.

use dx_pkg_core::{Identifier, Version};

/// A version that is being changed.
struct Parts {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: Vec<String>,
}

/// Returns the version that follows by a change such as `minor`; `preid` is the word before the
/// number of a prerelease. `None` for a change that is not known or not possible.
#[must_use]
pub fn next(current: &Version, change: &str, preid: &str) -> Option<String> {
    if change.starts_with("pre") && !preid.is_empty() && !is_prerelease(preid) {
        return None;
    }
    let mut parts = Parts {
        major: current.major(),
        minor: current.minor(),
        patch: current.patch(),
        prerelease: current.prerelease().iter().map(Identifier::to_string).collect(),
    };
    match change {
        "premajor" => {
            parts = Parts { major: parts.major + 1, minor: 0, patch: 0, prerelease: Vec::new() };
            parts.count_prerelease(preid);
        }
        "preminor" => {
            let minor = parts.minor + 1;
            parts = Parts { minor, patch: 0, prerelease: Vec::new(), ..parts };
            parts.count_prerelease(preid);
        }
        "prepatch" => {
            parts.prerelease.clear();
            parts.patch += 1;
            parts.count_prerelease(preid);
        }
        "prerelease" => {
            parts.patch += u64::from(parts.prerelease.is_empty());
            parts.count_prerelease(preid);
        }
        "release" if parts.prerelease.is_empty() => return None,
        "release" => parts.prerelease.clear(),
        "major" => {
            let is_before = parts.minor == 0 && parts.patch == 0 && !parts.prerelease.is_empty();
            let major = parts.major + u64::from(!is_before);
            parts = Parts { major, minor: 0, patch: 0, prerelease: Vec::new() };
        }
        "minor" => {
            let is_before = parts.patch == 0 && !parts.prerelease.is_empty();
            let minor = parts.minor + u64::from(!is_before);
            parts = Parts { minor, patch: 0, prerelease: Vec::new(), ..parts };
        }
        "patch" => {
            parts.patch += u64::from(parts.prerelease.is_empty());
            parts.prerelease.clear();
        }
        "pre" => parts.count_prerelease(preid),
        _ => return None,
    }
    let text = parts.text();
    Version::parse(&text).is_ok().then_some(text)
}

impl Parts {
    /// Moves to the next prerelease of this word.
    fn count_prerelease(&mut self, preid: &str) {
        let number = |text: &String| text.parse::<u64>().ok();
        if self.prerelease.is_empty() {
            self.prerelease.push("0".to_owned());
        } else if let Some(last) =
            self.prerelease.iter_mut().rev().find(|part| number(part).is_some())
        {
            *last = number(last).map_or_else(|| last.clone(), |count| (count + 1).to_string());
        } else {
            self.prerelease.push("0".to_owned());
        }
        if preid.is_empty() {
            return;
        }
        let is_word = self.prerelease.first().is_some_and(|first| first == preid);
        if !is_word || self.prerelease.get(1).and_then(number).is_none() {
            self.prerelease = vec![preid.to_owned(), "0".to_owned()];
        }
    }

    fn text(&self) -> String {
        let Parts { major, minor, patch, prerelease } = self;
        let dash = if prerelease.is_empty() { "" } else { "-" };
        format!("{major}.{minor}.{patch}{dash}{}", prerelease.join("."))
    }
}

/// Returns whether a text can stand behind the hyphen of a version.
fn is_prerelease(text: &str) -> bool {
    Version::parse(&format!("0.0.0-{text}")).is_ok() && !text.contains('+')
}

/// Returns the first version in the name of a tag.
#[must_use]
pub fn tagged(tag: &str) -> Option<String> {
    let bytes = tag.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = 0;
    while at < bytes.len() {
        let length = digits(at);
        if length == 0 || length > 16 {
            at += length.max(1);
            continue;
        }
        let mut numbers = vec![&tag[at..at + length]];
        let mut end = at + length;
        while numbers.len() < 3 && bytes.get(end) == Some(&b'.') {
            let length = digits(end + 1);
            if length == 0 || length > 16 {
                break;
            }
            numbers.push(&tag[end + 1..end + 1 + length]);
            end += 1 + length;
        }
        let behind = tag[end..].strip_prefix('-').unwrap_or(&tag[end..]);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let length = behind.find(|c| !is_part(c)).unwrap_or(behind.len());
        let prerelease = behind[..length].trim_end_matches('.');
        let number = |place: usize| numbers.get(place).copied().unwrap_or("0");
        let release = format!("{}.{}.{}", number(0), number(1), number(2));
        let whole = format!("{release}-{prerelease}");
        let text = if numbers.len() < 3 || prerelease.is_empty() { &release } else { &whole };
        let found = Version::parse_loose(text).or_else(|_| Version::parse_loose(&release));
        return found.ok().map(|version| version.to_string());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_follow_by_npms_rules() {
        for (current, change, preid, expected) in [
            ("1.2.3", "major", "", "2.0.0"),
            ("2.0.0-beta.1", "major", "", "2.0.0"),
            ("2.1.0-beta.1", "major", "", "3.0.0"),
            ("2.1.0-beta.1", "minor", "", "2.1.0"),
            ("1.2.3", "minor", "", "1.3.0"),
            ("1.2.3-a", "patch", "", "1.2.3"),
            ("1.2.3", "premajor", "", "2.0.0-0"),
            ("1.2.3", "preminor", "rc", "1.3.0-rc.0"),
            ("1.2.3-1", "prepatch", "", "1.2.4-0"),
            ("1.2.3", "prerelease", "", "1.2.4-0"),
            ("1.2.3-0", "prerelease", "", "1.2.3-1"),
            ("1.2.3-beta.1", "prerelease", "", "1.2.3-beta.2"),
            ("1.2.3-beta", "prerelease", "", "1.2.3-beta.0"),
            ("1.2.3-beta", "prerelease", "beta", "1.2.3-beta.0"),
            ("1.2.3-beta.1", "prerelease", "beta", "1.2.3-beta.2"),
            ("1.2.3-beta.1", "prerelease", "rc", "1.2.3-rc.0"),
            ("1.2.3-beta.1", "release", "", "1.2.3"),
            ("1.2.3-beta.1.x", "pre", "", "1.2.3-beta.2.x"),
        ] {
            let current = Version::parse(current).unwrap();
            assert_eq!(next(&current, change, preid).as_deref(), Some(expected), "{change}");
        }
        let current = Version::parse("1.2.3").unwrap();
        for (change, preid) in [("release", ""), ("nonsense", ""), ("prerelease", "a b")] {
            assert_eq!(next(&current, change, preid), None);
        }
    }

    #[test]
    fn a_tag_holds_a_version() {
        for (tag, expected) in [
            ("v1.9.0", Some("1.9.0")),
            ("release-2.0.0-rc.1", Some("2.0.0-rc.1")),
            ("pkg@3.1.4+build", Some("3.1.4")),
            ("1.2", Some("1.2.0")),
            ("none", None),
        ] {
            assert_eq!(tagged(tag).as_deref(), expected, "{tag}");
        }
    }
}
