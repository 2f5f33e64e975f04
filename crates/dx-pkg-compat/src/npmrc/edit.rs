//! Editing the text of a `.npmrc`: lines of other settings, comments and the order stay.

use super::definitions::{is_of_registry_or_scope, is_protected};
use super::error::{is_secret, redact_urls};
use super::ini;

/// Returns the text with a setting set: in its line, or in a new one at the end.
#[must_use]
pub fn with_setting(text: &str, key: &str, value: &str) -> String {
    let line = format!("{}={}", safe(key), safe(value));
    let mut edited = String::with_capacity(text.len() + line.len() + 1);
    let mut line = Some(line);
    let mut in_section = false;
    for old in text.split_inclusive('\n') {
        if !in_section && ini::is_section(old) {
            in_section = true;
            if let Some(line) = line.take() {
                add(&mut edited, &line);
            }
        }
        if in_section || !is_of(old, key) {
            edited.push_str(old);
        } else if let Some(line) = line.take() {
            edited.push_str(&line);
            edited.push_str(if old.ends_with("\r\n") { "\r\n" } else { "\n" });
        }
    }
    if let Some(line) = line {
        add(&mut edited, &line);
    }
    edited
}

/// Returns the text without a setting.
#[must_use]
pub fn without_setting(text: &str, key: &str) -> String {
    let mut in_section = false;
    let stays = |line: &&str| {
        in_section |= ini::is_section(line);
        in_section || !is_of(line, key)
    };
    text.split_inclusive('\n').filter(stays).collect()
}

/// Returns the settings of a file in their order.
#[must_use]
pub fn settings_of(text: &str) -> Vec<(String, super::RawValue)> {
    ini::parse(text)
}

/// Returns the lines of a file that name no registry and hold no secret: what a program may have
/// that is not to act for the user.
#[must_use]
pub fn without_registries(text: &str) -> String {
    let mut left = String::new();
    for line in ini::lines(text) {
        if ini::key(line).is_some_and(|key| !names_registry(&key)) && redact_urls(line) == line {
            left.push_str(line);
            left.push('\n');
        }
    }
    left
}

/// Returns whether a setting names a registry, or is a secret or a certificate for one.
#[must_use]
pub fn names_registry(key: &str) -> bool {
    const OTHERS: [&str; 4] = ["registry", "cert", "key", "otp"];
    key.starts_with("//")
        || OTHERS.contains(&key)
        || is_of_registry_or_scope(key)
        || is_protected(key)
        || is_secret(key)
}

fn add(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

/// Returns whether a line gives a setting a value.
fn is_of(line: &str, key: &str) -> bool {
    let start = line.trim_start_matches('\u{feff}').trim();
    !start.is_empty()
        && !start.starts_with([';', '#'])
        && ini::key(start).is_some_and(|own| own == key)
}

/// Returns a key or value as it is written, quoted or escaped where it would be read otherwise.
fn safe(text: &str) -> String {
    let is_quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if text.contains(['=', '\r', '\n'])
        || text.starts_with('[')
        || is_quoted('"')
        || is_quoted('\'')
        || text != text.trim()
    {
        return serde_json::Value::from(text).to_string();
    }
    text.replace(';', "\\;").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_lines_stay() {
        let text = "; first\r\nsave-exact = true\r\ntag=next\nomit[]=dev\nomit[]=peer\n# last";
        assert_eq!(
            with_setting(text, "save-exact", "false"),
            text.replace("save-exact = true", "save-exact=false")
        );
        assert_eq!(with_setting(text, "tag", "a;b"), text.replace("tag=next", "tag=a\\;b"));
        assert_eq!(
            with_setting(text, "omit", "dev"),
            text.replace("omit[]=dev\nomit[]=peer", "omit=dev")
        );
        assert_eq!(with_setting(text, "new", "x"), format!("{text}\nnew=x\n"));
        assert_eq!(without_setting(text, "omit"), text.replace("omit[]=dev\nomit[]=peer\n", ""));
        assert_eq!(without_setting(text, "gone"), text);
        assert_eq!(with_setting("", "a", "b"), "a=b\n");
        assert_eq!(with_setting("[s]\na=1\n", "a", "2"), "a=2\n[s]\na=1\n");
        assert_eq!(without_setting("a=1\n", "a"), "");
    }

    #[test]
    fn no_registry_and_no_secret_is_left() {
        let text = "\u{feff}registry=https://r.example/\r\n; x\nomit[]=dev\n@own:registry = a\n\
                    //r.example/:_authToken=x\n\"//r.example/:cafile\"=x\n_auth=x\nusername=x\n\
                    ca[]=x\nproxy=http://me:x@p.example/\nhttps-proxy=http://p.example/\n[s]\na=1\n";
        let left = "omit[]=dev\nca[]=x\nhttps-proxy=http://p.example/\n";
        assert_eq!(without_registries(text), left);
        assert_eq!(without_registries(""), "");
    }

    #[test]
    fn values_are_read_as_they_were_written() {
        for value in ["a b", "A; B # C", "\"quoted\"", "'q'", "a=b", " x ", "[x]", "~/x", "\\n"] {
            let text = with_setting("", "init-author-name", value);
            let read = ini::parse(&text);
            assert_eq!(read.len(), 1, "{text}");
            if value != "\\n" {
                assert_eq!(read[0].1.text().unwrap(), value, "{text}");
            }
        }
    }
}
