//! `pnpm-workspace.yaml`, as far as it matters to whoever has to say that it is not carried out:
//! the keys at its top, and its overrides. Not a reader of YAML.

use super::foreign::{ForeignPin, PinStyle};

/// The field that its pins are in, for messages.
const FIELD: &str = "overrides in pnpm-workspace.yaml";

/// What a `pnpm-workspace.yaml` sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PnpmWorkspace {
    /// The keys at its top, in their order.
    pub keys: Vec<String>,
    /// Its pins of versions.
    pub pins: Vec<ForeignPin>,
}

impl PnpmWorkspace {
    /// Reads the text of the file. Lines that are no key with a value are passed over, but for
    /// those in `overrides`, each of which is a pin.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut found = PnpmWorkspace::default();
        let mut in_overrides = false;
        for line in text.lines() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') || content == "---" {
                continue;
            }
            if !line.starts_with([' ', '\t', '-', '}', ']']) {
                let Some((key, value)) = pair(content) else { continue };
                in_overrides = key == "overrides";
                if in_overrides && !value.is_empty() && value != "{}" {
                    found.pins.push(ForeignPin::new(FIELD, "*", None, PinStyle::Pnpm));
                }
                found.keys.push(key);
            } else if in_overrides {
                let (key, value) = pair(content).unwrap_or_else(|| ("*".to_owned(), String::new()));
                let value = Some(value.as_str()).filter(|value| !value.is_empty());
                found.pins.push(ForeignPin::new(FIELD, &key, value, PinStyle::Pnpm));
            }
        }
        found
    }
}

/// Splits `key: value # comment`, each plain or in quotes.
fn pair(line: &str) -> Option<(String, String)> {
    let (key, rest) = scalar(line, ": ")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim();
    let value = if rest.is_empty() || rest.starts_with('#') {
        String::new()
    } else {
        scalar(rest, " #")?.0
    };
    Some((key, value))
}

/// Splits a scalar off the text, which ends where `end` begins if it is plain.
fn scalar<'t>(text: &'t str, end: &str) -> Option<(String, &'t str)> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (inside, rest) = text[1..].split_once(quote)?;
        return Some((inside.to_owned(), rest));
    }
    // A key without a value ends in the colon itself.
    let at = text.find(end).or_else(|| text.ends_with(':').then(|| text.len() - 1));
    let (plain, rest) = text.split_at(at.unwrap_or(text.len()));
    Some((plain.trim().to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_overrides_are_found() {
        let text = "# c\npackages:\n  - 'a/*'\n\noverrides:\n  a: ^1.0.0 # why\n  'b>c': \"2\"\n  \
                    \"@s/d\": npm:e@1\nonlyBuiltDependencies:\n- x\nhoist: false\n";
        let found = PnpmWorkspace::parse(text);
        assert_eq!(found.keys, ["packages", "overrides", "onlyBuiltDependencies", "hoist"]);
        let (json, others) = ForeignPin::as_overrides(&found.pins);
        let json = json.unwrap();
        assert_eq!(json, r#"{"a":"^1.0.0","b":{"c":"2"},"@s/d":"npm:e@1"}"#);
        assert!(others.is_empty(), "{others:?}");
    }

    #[test]
    fn overrides_that_cannot_be_read_are_pins_all_the_same() {
        for text in ["overrides: {a: 1}", "overrides:\n  - a", "overrides:\n  a:\n    b: 1"] {
            let found = PnpmWorkspace::parse(text);
            assert!(!found.pins.is_empty(), "{text}");
            assert!(!ForeignPin::as_overrides(&found.pins).1.is_empty(), "{text}");
        }
        for text in ["overrides: {}", "overrides:", "packages: []", "", "\u{feff}---\n[1, 2]"] {
            assert!(PnpmWorkspace::parse(text).pins.is_empty(), "{text}");
        }
    }
}
