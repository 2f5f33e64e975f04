//! Settings among the words of a command line: `--key value`, `--key=value`, `--no-key`, as npm
//! takes any of its settings.

use std::ffi::OsString;

use super::{Flag, FlagValue, OptionGroup, OptionInfo, find_flag};

/// npm's switches that have no influence on what dx does.
const IDLE_SWITCHES: [&str; 9] = [
    "color",
    "description",
    "ignore-extension",
    "long",
    "parseable",
    "rebuild-bundle",
    "unicode",
    "update-notifier",
    "yes",
];
/// npm's settings with a value that have no influence on what dx does.
const IDLE_VALUES: [&str; 9] = [
    "audit-level",
    "cache-max",
    "cache-min",
    "depth",
    "git",
    "heading",
    "logs-dir",
    "logs-max",
    "viewer",
];

/// The part of a command line that words are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The words of a command that runs no script.
    Command,
    /// The words in front of the name of a script, or of a command of a package: none is its own.
    BeforeScript,
    /// The words behind the name of a script, of which flags with a help of their own stay.
    Script,
}

/// The settings given by the words of a command line, and the other words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingWords {
    /// Keys and values, in the order given.
    pub settings: Vec<(String, String)>,
    /// The words that are left, in their order.
    pub rest: Vec<OsString>,
}

/// A setting's flag without the value it needs.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("--{key} needs a value: --{key}=VALUE")]
pub struct MissingValue {
    /// The setting.
    pub key: String,
}

/// What a word that begins with `--` says of a setting.
enum Word {
    /// The whole setting.
    Whole(String, String),
    /// A switch, which the next word may turn off.
    Switch(String),
    /// A setting whose value is the next word.
    Value(String),
    /// A setting of npm's without influence, whose value is the next word.
    IdleValue(String),
    /// Nothing that matters to dx.
    Idle,
}

/// Takes the settings out of the words of a command line. Flags of the option table with a help of
/// their own stay, except in front of a script's name and, where they have a value, behind it; so
/// does everything behind `--`, and so do the flags, without their dashes, that the command has
/// itself by `is_own`.
///
/// # Errors
/// The value of a setting is missing.
pub fn take_settings(
    words: impl IntoIterator<Item = OsString>,
    region: Region,
    is_own: impl Fn(&str) -> bool,
) -> Result<SettingWords, MissingValue> {
    let mut taken = SettingWords::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            taken.rest.push(word);
            taken.rest.extend(words);
            break;
        }
        let text = word.to_str().filter(|word| !is_own(flag_name(word)));
        let Some(meaning) = text.and_then(|word| meaning(word, region)) else {
            taken.rest.push(word);
            continue;
        };
        let mut next = |is_value: fn(&str) -> bool| {
            let value = words.peek()?.to_str().filter(|word| is_value(word))?.to_owned();
            words.next();
            Some(value)
        };
        match meaning {
            Word::Whole(key, value) => taken.settings.push((key, value)),
            Word::Switch(key) => {
                let value = next(|word| matches!(word, "true" | "false"));
                taken.settings.push((key, value.unwrap_or_else(|| "true".to_owned())));
            }
            Word::Value(key) => match next(|word| !word.starts_with('-')) {
                Some(value) => taken.settings.push((key, value)),
                None => return Err(MissingValue { key }),
            },
            Word::IdleValue(key) => {
                next(|word| !word.starts_with('-')).ok_or(MissingValue { key })?;
            }
            Word::Idle => {}
        }
    }
    Ok(taken)
}

/// Returns the name of the flag that a word is: without dashes and value.
fn flag_name(word: &str) -> &str {
    let name = word.trim_start_matches('-');
    name.split_once('=').map_or(name, |(name, _)| name)
}

/// Returns what a word says of a setting; `None` where it says nothing, or where the flag is one
/// that commands have themselves.
fn meaning(word: &str, region: Region) -> Option<Word> {
    let name = word.strip_prefix("--")?;
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (name, None),
    };
    let flag = find_flag(&format!("--{name}"));
    let is_own =
        |flag: &Flag| region == Region::Command || !matches!(flag.value, FlagValue::Argument(_));
    if let Some((option, flag)) = flag.filter(|(_, flag)| is_own(flag)) {
        let Some(value) = value else {
            return match flag.value {
                _ if region != Region::BeforeScript => None,
                FlagValue::Fixed(fixed) => {
                    Some(Word::Whole(option.key.to_owned(), fixed.to_owned()))
                }
                FlagValue::Argument(_) | FlagValue::Ignored(_) => Some(Word::Idle),
            };
        };
        return match flag.value {
            FlagValue::Argument(_) => None,
            FlagValue::Fixed(fixed) => {
                let on = value != "false";
                match if on { Some(fixed) } else { opposite(fixed) } {
                    Some(set) => Some(Word::Whole(option.key.to_owned(), set.to_owned())),
                    None => OptionInfo::find(name)
                        .map(|option| Word::Whole(option.key.to_owned(), value)),
                }
            }
            FlagValue::Ignored(_) => Some(Word::Whole(option.key.to_owned(), value)),
        };
    }
    // Words such as `message` and `scope` are a script's own more often than dx's.
    let find = |name: &str| {
        let is_scripts = |option: &OptionInfo| option.group == OptionGroup::Publish;
        OptionInfo::find(name).filter(|it| region != Region::Script || !is_scripts(it))
    };
    if let Some(option) = find(name) {
        let key = option.key.to_owned();
        return Some(match value {
            Some(value) => Word::Whole(key, value),
            None if option.is_switch => Word::Switch(key),
            None => Word::Value(key),
        });
    }
    let denied = name.strip_prefix("no-");
    if let Some(option) = denied.and_then(find).filter(|_| value.is_none()) {
        return Some(Word::Whole(option.key.to_owned(), "false".to_owned()));
    }
    idle(name, denied, value.is_some())
}

/// Returns what a setting of npm's without influence takes.
fn idle(name: &str, denied: Option<&str>, has_value: bool) -> Option<Word> {
    if IDLE_SWITCHES.contains(&denied.unwrap_or(name)) {
        return Some(Word::Idle);
    }
    let is_known = IDLE_VALUES.contains(&name);
    is_known.then(|| if has_value { Word::Idle } else { Word::IdleValue(name.to_owned()) })
}

/// Returns the other value of a switch.
fn opposite(value: &str) -> Option<&'static str> {
    match value {
        "true" => Some("false"),
        "false" => Some("true"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str, region: Region) -> (String, String) {
        let words = line.split(' ').map(OsString::from);
        let SettingWords { settings, rest } = take_settings(words, region, |_| false).unwrap();
        let settings: Vec<String> =
            settings.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let rest: Vec<String> = rest.into_iter().map(|word| word.into_string().unwrap()).collect();
        (settings.join(" "), rest.join(" "))
    }

    #[test]
    fn any_setting_is_taken_in_npms_forms() {
        for (line, settings, rest) in [
            ("add a --maxsockets 3 b", "maxsockets=3", "add a b"),
            ("add a --cafile=~", "cafile=~", "add a"),
            ("install --no-strict-ssl", "strict-ssl=false", "install"),
            ("install --engine-strict", "engine-strict=true", "install"),
            ("install --engine-strict false a", "engine-strict=false", "install a"),
            ("install --no-symlink -D", "symlink=false", "install -D"),
            ("install --offline=false", "offline=false", "install"),
            ("install --no-save=false", "save=true", "install"),
            ("install --production=false", "production=false", "install"),
            ("install --offline --json", "", "install --offline --json"),
            ("install --no-color --depth 3 --logs-max=0 a", "", "install a"),
            ("install --no-such", "", "install --no-such"),
            ("add t --cafile x -- --cafile y", "cafile=x", "add t -- --cafile y"),
            ("install --no-bin-links --tag x", "", "install --no-bin-links --tag x"),
        ] {
            let taken = taken(line, Region::Command);
            assert_eq!(taken, (settings.to_owned(), rest.to_owned()), "{line}");
        }
    }

    #[test]
    fn words_behind_a_script_may_be_its_own_and_those_before_it_are_not() {
        for (line, region, settings, rest) in [
            ("t --tag x --omit=dev --dry-run", Region::Script, "tag=x omit=dev", "t --dry-run"),
            ("t --otp=1 --message m", Region::Script, "", "t --otp=1 --message m"),
            (
                "run --tag x --omit=dev --dry-run --no-audit",
                Region::BeforeScript,
                "tag=x omit=dev dry-run=true",
                "run",
            ),
            ("test --otp=1 --message m", Region::BeforeScript, "otp=1 message=m", "test"),
        ] {
            let taken = taken(line, region);
            assert_eq!(taken, (settings.to_owned(), rest.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_value_must_be_there() {
        for line in ["add a --cafile", "add a --cafile --json", "install --depth"] {
            let words = line.split(' ').map(OsString::from);
            let error = take_settings(words, Region::Command, |_| false).unwrap_err();
            assert!(error.to_string().contains("needs a value"), "{line}");
        }
    }
}
