//! pnpm: its commands, its flags for workspaces, and scripts that get everything behind them.

use super::{NotSpoken, Reader, Told, name_of, not_spoken};

/// Commands that have another name in dx.
const RENAMED: [(&str, &[&str]); 5] = [
    ("approve-builds", &["approve-scripts"]),
    ("ignored-builds", &["install-scripts", "ls"]),
    ("dislink", &["unlink"]),
    ("rb", &["rebuild"]),
    ("upgrade", &["update"]),
];

/// Commands that dx does not have, with what to do instead.
const ABSENT: [(&str, &str); 10] = [
    ("env", "install Node.js with a version manager"),
    ("runtime", "install Node.js with a version manager"),
    ("rt", "install Node.js with a version manager"),
    ("self-update", "update dx as you installed it"),
    ("setup", "`dx shims --help` shows how to put dx on the PATH"),
    ("server", "dx needs no server"),
    ("cat-file", "`dx store` manages dx's store"),
    ("cat-index", "`dx store` manages dx's store"),
    ("find-hash", "`dx store` manages dx's store"),
    ("catalog", "write catalogs into pnpm-workspace.yaml, which dx reads"),
];

/// Flags that change how output of several scripts is mixed, or their order.
const ABOUT_ORDER: [&str; 8] = [
    "--parallel",
    "--stream",
    "--aggregate-output",
    "--no-bail",
    "--bail",
    "--no-sort",
    "--sort",
    "--use-stderr",
];

/// Commands that run a script, whose arguments follow its name, and those that are one.
const RUN: [&str; 2] = ["run", "run-script"];
const SCRIPTS: [&str; 6] = ["test", "t", "tst", "start", "stop", "restart"];
/// Commands that take packages.
const WITH_PACKAGES: [&str; 3] = ["add", "install", "i"];

/// Commands that pnpm and dx have; any other word is a script or a command of a package.
const KNOWN: [&str; 75] = [
    "access",
    "add",
    "audit",
    "bin",
    "bugs",
    "c",
    "cache",
    "ci",
    "clean-install",
    "completion",
    "config",
    "create",
    "dedupe",
    "deploy",
    "deprecate",
    "dist-tag",
    "dlx",
    "docs",
    "doctor",
    "edit",
    "exec",
    "explain",
    "fetch",
    "fund",
    "get",
    "help",
    "i",
    "import",
    "info",
    "init",
    "install",
    "install-test",
    "it",
    "la",
    "licenses",
    "link",
    "list",
    "ll",
    "ln",
    "login",
    "logout",
    "ls",
    "outdated",
    "owner",
    "pack",
    "patch",
    "patch-commit",
    "patch-remove",
    "ping",
    "pkg",
    "prefix",
    "profile",
    "prune",
    "publish",
    "query",
    "rebuild",
    "remove",
    "repo",
    "rm",
    "root",
    "sbom",
    "search",
    "set",
    "shims",
    "show",
    "store",
    "team",
    "token",
    "un",
    "undeprecate",
    "uninstall",
    "unlink",
    "unpublish",
    "up",
    "update",
];

/// Returns whether a word is a command.
fn is_command(word: &str) -> bool {
    let renamed = RENAMED.iter().any(|(name, _)| *name == word);
    let is_absent = ABSENT.iter().any(|(name, _)| *name == word);
    let is_run = RUN.contains(&word) || SCRIPTS.contains(&word);
    let others = ["v", "version", "view", "whoami", "why"];
    KNOWN.contains(&word) || others.contains(&word) || renamed || is_absent || is_run
}

/// What stands before and behind a command.
#[derive(Default)]
struct Line {
    told: Told,
    command: Option<String>,
    recursive: bool,
    filters: Vec<String>,
    flags: Vec<String>,
    words: Vec<String>,
    /// What belongs to a script or command, as it is.
    passed: Vec<String>,
}

/// Returns the words of `pnpm` as dx's.
pub(super) fn translate(words: &[String]) -> Result<Told, NotSpoken> {
    let mut line = Line::default();
    let mut reader = Reader::new(words);
    while let Some(word) = reader.next() {
        if word == "--" {
            line.passed.extend_from_slice(reader.rest());
            break;
        }
        if word.starts_with('-') {
            line.flag(word, &mut reader)?;
            continue;
        }
        match &line.command {
            None if matches!(word, "recursive" | "multi" | "m") => line.recursive = true,
            None => {
                line.command = Some(word.to_owned());
                if SCRIPTS.contains(&word) {
                    line.take_rest(&mut reader)?;
                } else if !is_command(word) {
                    line.passed.extend_from_slice(reader.rest());
                }
            }
            Some(command) if RUN.contains(&command.as_str()) => {
                line.words.push(word.to_owned());
                line.passed.extend_from_slice(reader.rest());
            }
            Some(command) if matches!(command.as_str(), "exec" | "dlx") => {
                line.passed.push(word.to_owned());
                line.passed.extend_from_slice(reader.rest());
            }
            Some(_) => line.words.push(word.to_owned()),
        }
    }
    line.finish()
}

impl Line {
    fn flag<'w>(&mut self, word: &'w str, reader: &mut Reader<'w>) -> Result<(), NotSpoken> {
        let name = name_of(word);
        match name {
            "-r" | "--recursive" => self.recursive = true,
            "-w" | "--workspace-root" => self.told.at_root = true,
            "-F" | "--filter" => {
                let value = reader.value(word);
                let is_plain = !value.contains(['[', '^', '!', '{', '*']) && !value.contains("...");
                if !is_plain {
                    return Err(not_spoken(
                        &format!("pnpm --filter {value}"),
                        "give workspaces by name or folder, one --filter for each",
                    ));
                }
                self.filters.push(value.to_owned());
            }
            "--workspace-concurrency" => {
                reader.value(word);
                self.told.note(name, "scripts of workspaces run one after the other");
            }
            "--reporter" => match reader.value(word) {
                "silent" => self.flags.push("--silent".to_owned()),
                _ => self.told.note(name, "--silent, --verbose and --json choose the output"),
            },
            _ if ABOUT_ORDER.contains(&name) => {
                self.told.note(name, "scripts of workspaces run one after the other");
            }
            "--color" | "--no-color" => {}
            "--no-optional" => self.flags.push("--omit=optional".to_owned()),
            "--no-lockfile" => self.flags.push("--no-package-lock".to_owned()),
            "--allow-build" => {
                self.flags.push(format!("--allow-scripts={}", reader.value(word)));
            }
            "--save-catalog" | "--save-catalog-name" => {
                return Err(not_spoken(
                    &format!("pnpm {name}"),
                    "write the catalog into pnpm-workspace.yaml, and catalog: into package.json",
                ));
            }
            _ => match word.strip_prefix("--config.") {
                Some(setting) => self.flags.push(format!("--{setting}")),
                None => self.flags.push(word.to_owned()),
            },
        }
        Ok(())
    }

    /// Takes what stands behind a command that is a script.
    fn take_rest(&mut self, reader: &mut Reader<'_>) -> Result<(), NotSpoken> {
        while let Some(word) = reader.next() {
            match word {
                "-r" | "--recursive" => self.recursive = true,
                "--if-present" => self.flags.push(word.to_owned()),
                "-F" | "--filter" => self.filters.push(reader.value(word).to_owned()),
                _ => {
                    self.passed.push(word.to_owned());
                    self.passed.extend_from_slice(reader.rest());
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Told, NotSpoken> {
        let Line { mut told, command, recursive, filters, mut flags, words, passed } = self;
        let Some(command) = command else {
            told.words = if flags.is_empty() { vec!["--help".to_owned()] } else { flags };
            return Ok(told);
        };
        if !is_command(&command) {
            return Ok(of_script(told, command, recursive, &filters, flags, passed));
        }
        if let Some((_, instead)) = ABSENT.iter().find(|(absent, _)| *absent == command) {
            return Err(not_spoken(&format!("pnpm {command}"), instead));
        }
        let renamed = RENAMED.iter().find(|(name, _)| *name == command);
        match renamed {
            Some((_, names)) => told.words.extend(names.iter().map(|name| (*name).to_owned())),
            None => told.push(command.clone()),
        }
        if WITH_PACKAGES.contains(&command.as_str()) && words.is_empty() {
            for flag in &mut flags {
                match flag.as_str() {
                    "-P" => *flag = "--prod".to_owned(),
                    "-D" | "--dev" => {
                        return Err(not_spoken(
                            "pnpm install --dev",
                            "dx installs what development needs together with the rest",
                        ));
                    }
                    _ => {}
                }
            }
        }
        let is_run = RUN.contains(&command.as_str());
        let is_script = is_run || SCRIPTS.contains(&command.as_str());
        let is_install = matches!(command.as_str(), "install" | "i" | "fetch" | "import");
        if recursive && !is_install && filters.is_empty() {
            told.push("--workspaces");
            if is_script {
                told.push("--if-present");
            }
        }
        told.words.extend(filters.into_iter().map(|filter| format!("--workspace={filter}")));
        if command == "exec" {
            told.push("--no");
        }
        told.words.extend(flags);
        told.words.extend(words);
        if !passed.is_empty() {
            told.push("--");
            told.words.extend(passed);
        }
        Ok(told)
    }
}

/// Returns the words for a script, or a command of a package, by its name alone.
fn of_script(
    mut told: Told,
    name: String,
    recursive: bool,
    filters: &[String],
    flags: Vec<String>,
    passed: Vec<String>,
) -> Told {
    let is_for_workspaces = recursive || !filters.is_empty();
    if is_for_workspaces {
        told.push("run");
        if filters.is_empty() {
            told.words.extend(["--workspaces".to_owned(), "--if-present".to_owned()]);
        }
        told.words.extend(filters.iter().map(|filter| format!("--workspace={filter}")));
    }
    told.words.extend(flags);
    told.push(name);
    if is_for_workspaces && !passed.is_empty() {
        told.push("--");
    }
    told.words.extend(passed);
    told
}
