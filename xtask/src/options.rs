//! The options of a task: words, `--name value` and `--switch`.

use std::path::PathBuf;

/// The names that take no value.
const SWITCHES: [&str; 4] = ["force", "keep", "through-dx-registry", "tls"];
/// The names that take one.
const VALUES: [&str; 33] = [
    "before",
    "binaries",
    "binary",
    "data",
    "db",
    "dx",
    "dx-registry",
    "first",
    "fixture",
    "jobs",
    "managers",
    "minutes",
    "network",
    "node",
    "npm",
    "old-npm",
    "only",
    "out",
    "peers",
    "port",
    "record",
    "registry",
    "repository",
    "root",
    "runs",
    "scenarios",
    "seed",
    "server",
    "step",
    "upstream",
    "verdaccio",
    "without",
    "yarn",
];

/// The arguments after the task's name.
#[derive(Debug, Default)]
pub(crate) struct Options {
    words: Vec<String>,
    named: Vec<(String, String)>,
}

impl Options {
    /// Parses the arguments; the error names the one that is unknown or lacks its value.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let argument = if argument == "-n" { "--runs".to_owned() } else { argument };
            let Some(name) = argument.strip_prefix("--") else {
                options.words.push(argument);
                continue;
            };
            let value = if SWITCHES.contains(&name) {
                String::new()
            } else if VALUES.contains(&name) {
                arguments.next().ok_or_else(|| format!("--{name} needs a value"))?
            } else {
                return Err(format!("unknown option --{name}"));
            };
            options.named.push((name.to_owned(), value));
        }
        Ok(options)
    }

    /// The value of `--name`, or that of the last one given.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.named.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of `--name`, which the task cannot do without.
    pub(crate) fn required(&self, name: &str) -> Result<&str, String> {
        self.value(name).ok_or_else(|| format!("this task needs --{name}"))
    }

    /// Returns the value of `--name` as an absolute path.
    pub(crate) fn path(&self, name: &str) -> Result<Option<PathBuf>, String> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        std::path::absolute(value).map(Some).map_err(|error| format!("--{name} {value}: {error}"))
    }

    /// The value of `--name` as a number.
    pub(crate) fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        let Some(value) = self.value(name) else {
            return Ok(default);
        };
        value.parse().map_err(|_| format!("--{name} {value}: not a number"))
    }

    /// The words of `--name`, which commas separate; those of `default` where it is not given.
    pub(crate) fn list<'a>(&'a self, name: &str, default: &'a str) -> Vec<&'a str> {
        self.value(name)
            .unwrap_or(default)
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// Returns whether the switch was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The words that are not options.
    pub(crate) fn words(&self) -> &[String] {
        &self.words
    }

    /// The first word that is not an option.
    pub(crate) fn word(&self) -> Option<&str> {
        self.words.first().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_values_and_switches_are_told_apart() {
        let options = parse("npm --runs 5 --force --seed 7").unwrap();
        assert_eq!(options.word(), Some("npm"));
        assert_eq!(options.number("runs", 100), Ok(5));
        assert_eq!(options.number("other", 100), Ok(100));
        assert!(options.has("force"));
    }

    #[test]
    fn unknown_names_and_missing_values_are_refused() {
        assert_eq!(parse("--fixtures x").unwrap_err(), "unknown option --fixtures");
        assert_eq!(parse("--runs").unwrap_err(), "--runs needs a value");
        assert!(parse("--runs many").unwrap().number("runs", 1).is_err());
    }
}
