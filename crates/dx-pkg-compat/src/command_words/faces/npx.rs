//! npx: flags stand before the command, and everything behind it is the command's.

use super::{Reader, Told, name_of};
use crate::npmrc::OptionInfo;

/// Flags with a value, besides settings.
const WITH_VALUE: [&str; 9] =
    ["-p", "--package", "-c", "--call", "-w", "--workspace", "-C", "--prefix", "--shell"];

/// Flags that npx no longer has, and whether a value stands behind them.
const REMOVED: [(&str, bool); 6] = [
    ("--always-spawn", false),
    ("--ignore-existing", false),
    ("--shell-auto-fallback", false),
    ("--npm", true),
    ("--node-arg", true),
    ("-n", true),
];

/// Returns the words of `npx` as those of a command of dx.
pub(super) fn translate(words: &[String], command: &str) -> Told {
    let mut told = Told::default();
    told.push(command);
    let mut reader = Reader::new(words);
    while let Some(word) = reader.next() {
        if word == "--" || !word.starts_with('-') || word == "-" {
            told.push("--");
            if word != "--" {
                told.push(word);
            }
            told.words.extend_from_slice(reader.rest());
            return told;
        }
        let name = name_of(word);
        if let Some((_, with_value)) = REMOVED.iter().find(|(removed, _)| *removed == name) {
            if *with_value {
                reader.value(word);
            }
            told.note(name, "npx has it no more");
            continue;
        }
        match name {
            "--no-install" => told.push("--no"),
            "-q" | "--quiet" => told.push("--silent"),
            "--shell" => told.words.push(format!("--script-shell={}", reader.value(word))),
            _ => {
                told.push(word);
                let setting = name.strip_prefix("--").and_then(OptionInfo::find);
                let has_value =
                    WITH_VALUE.contains(&name) || setting.is_some_and(|setting| !setting.is_switch);
                if has_value && !word.contains('=') {
                    told.words.extend(reader.next().map(str::to_owned));
                }
            }
        }
    }
    told
}
