//! Yarn, of all generations: installing without a command, workspaces by a command of their own.

use super::{NotSpoken, Reader, Told, name_of, not_spoken};

/// Commands that have another name in dx.
const RENAMED: [(&str, &[&str]); 9] = [
    ("upgrade", &["update"]),
    ("up", &["update"]),
    ("upgrade-interactive", &["update", "-i"]),
    ("list", &["ls", "--all"]),
    ("info", &["view"]),
    ("tag", &["dist-tag"]),
    ("licenses", &["licenses"]),
    ("why", &["why"]),
    ("create", &["create"]),
];

/// Commands that dx does not have, with what to do instead.
const ABSENT: [(&str, &str); 12] = [
    ("policies", "dx does not manage versions of Yarn"),
    ("set", "dx does not manage versions of Yarn"),
    ("plugin", "dx has no plugins"),
    ("constraints", "dx has no constraints"),
    ("autoclean", "nothing has to be cleaned: files come from dx's store"),
    ("check", "`dx ls` and `dx ci` tell what is not in order"),
    ("unplug", "dx installs into node_modules, where files can be edited; see `dx patch`"),
    ("stage", "use git"),
    ("generate-lock-entry", "`dx install` writes the lockfile"),
    ("versions", "`dx --version` prints dx's version"),
    ("explain", "`dx explain CODE` tells what an error of dx means"),
    ("sdks", "dx installs into node_modules, which editors read by themselves"),
];

/// Flags without influence on what dx does.
const IDLE: [&str; 18] = [
    "-W",
    "--ignore-workspace-root-check",
    "--non-interactive",
    "--interactive",
    "--check-files",
    "--check-cache",
    "--immutable-cache",
    "--refresh-lockfile",
    "--check-resolutions",
    "--inline-builds",
    "--ignore-engines",
    "--ignore-platform",
    "--emoji",
    "--no-emoji",
    "--no-progress",
    "--skip-integrity-check",
    "--no-node-version-check",
    "-2",
];

/// Flags that mean something else in dx, or have another name there.
const FLAGS: [(&str, &str); 12] = [
    ("-D", "--save-dev"),
    ("--dev", "--save-dev"),
    ("-P", "--save-peer"),
    ("--peer", "--save-peer"),
    ("-O", "--save-optional"),
    ("--optional", "--save-optional"),
    ("-E", "--save-exact"),
    ("--exact", "--save-exact"),
    ("-T", "--save-prefix=~"),
    ("--tilde", "--save-prefix=~"),
    ("-C", "--save-prefix=^"),
    ("--caret", "--save-prefix=^"),
];

/// Returns the words of `yarn` as dx's.
pub(super) fn translate(words: &[String]) -> Result<Told, NotSpoken> {
    let mut told = Told::default();
    let mut reader = Reader::new(words);
    while let Some(word) = reader.next() {
        match word {
            "--cwd" => {
                told.words.extend(["-C".to_owned(), reader.value(word).to_owned()]);
            }
            _ if word.starts_with('-') => {
                if matches!(word, "-h" | "--help") {
                    told.push("--help");
                    return Ok(told);
                }
                reader.at -= 1;
                break;
            }
            _ => {
                command(word, reader.rest(), &mut told)?;
                return Ok(told);
            }
        }
    }
    let rest = reader.rest().to_vec();
    command("install", &rest, &mut told)?;
    Ok(told)
}

fn command(name: &str, rest: &[String], told: &mut Told) -> Result<(), NotSpoken> {
    if let Some((_, instead)) = ABSENT.iter().find(|(absent, _)| *absent == name) {
        return Err(not_spoken(&format!("yarn {name}"), instead));
    }
    let first = rest.first().map_or("", String::as_str);
    match name {
        "workspace" => of_workspace(rest, told),
        "workspaces" => of_workspaces(first, rest, told),
        "run" | "test" | "start" | "stop" | "restart" => {
            script(name, rest, told);
            Ok(())
        }
        "exec" | "dlx" => {
            let passed = super::npx::translate(rest, name);
            told.words.extend(passed.words);
            Ok(())
        }
        "node" => {
            let quoted = rest.iter().map(|word| format!(" '{}'", word.replace('\'', r"'\''")));
            told.push("exec");
            told.words.push(format!("--call=node{}", quoted.collect::<String>()));
            Ok(())
        }
        "global" => {
            match first {
                "bin" => told.words.extend(["bin".to_owned(), "--global".to_owned()]),
                "dir" => told.words.extend(["root".to_owned(), "--global".to_owned()]),
                _ => {
                    let rest = rest.get(1..).unwrap_or_default();
                    command(if first.is_empty() { "list" } else { first }, rest, told)?;
                    told.push("--global");
                }
            }
            Ok(())
        }
        "npm" => command(first, rest.get(1..).unwrap_or_default(), told),
        "cache" if matches!(first, "dir" | "") => {
            told.words.extend(["store".to_owned(), "path".to_owned()]);
            Ok(())
        }
        "init" => {
            told.push("init");
            for word in rest.iter().filter(|word| !IDLE.contains(&word.as_str())) {
                told.push(match word.as_str() {
                    "-p" | "--private" => "--init-private=true",
                    other => other,
                });
            }
            Ok(())
        }
        "create" => {
            told.push(name);
            told.words.extend_from_slice(rest);
            Ok(())
        }
        "version" => version(rest, told),
        _ => {
            let renamed = RENAMED.iter().find(|(renamed, _)| *renamed == name);
            match renamed {
                Some((_, names)) => told.words.extend(names.iter().map(|it| (*it).to_owned())),
                None => told.push(name),
            }
            let rest = match (name, first) {
                ("licenses", "list" | "ls") => &rest[1..],
                _ => rest,
            };
            if is_known(name) {
                flags(rest, told)
            } else {
                told.words.extend_from_slice(rest);
                Ok(())
            }
        }
    }
}

/// Returns whether a command takes flags; all others are scripts or commands of packages.
fn is_known(name: &str) -> bool {
    const KNOWN: [&str; 28] = [
        "install",
        "add",
        "remove",
        "upgrade",
        "up",
        "upgrade-interactive",
        "list",
        "info",
        "outdated",
        "audit",
        "why",
        "licenses",
        "dedupe",
        "link",
        "unlink",
        "pack",
        "publish",
        "import",
        "bin",
        "cache",
        "config",
        "rebuild",
        "login",
        "logout",
        "whoami",
        "tag",
        "owner",
        "search",
    ];
    KNOWN.contains(&name)
}

fn script(name: &str, rest: &[String], told: &mut Told) {
    told.push(name);
    let named = usize::from(name == "run");
    let at = rest.iter().position(|word| !word.starts_with('-'));
    let split = if named == 1 { at.map_or(rest.len(), |at| at + 1) } else { 0 };
    told.words.extend_from_slice(&rest[..split]);
    let passed = &rest[split..];
    // Yarn takes one `--` away.
    let passed =
        if passed.first().is_some_and(|word| word == "--") { &passed[1..] } else { passed };
    if !passed.is_empty() {
        told.push("--");
        told.words.extend_from_slice(passed);
    }
}

/// `yarn workspace NAME COMMAND …`.
fn of_workspace(rest: &[String], told: &mut Told) -> Result<(), NotSpoken> {
    let [workspace, inner, more @ ..] = rest else {
        return Err(not_spoken("yarn workspace", "name a workspace and a command"));
    };
    let at = told.words.len() + 1;
    command(inner, more, told)?;
    // A script by its name alone cannot stand before flags.
    let is_bare = !is_known(inner)
        && !matches!(
            inner.as_str(),
            "run"
                | "test"
                | "start"
                | "stop"
                | "restart"
                | "exec"
                | "dlx"
                | "node"
                | "version"
                | "npm"
                | "global"
                | "init"
                | "create"
        );
    if is_bare {
        told.words.truncate(at - 1);
        let line: Vec<String> =
            std::iter::once(inner.clone()).chain(more.iter().cloned()).collect();
        script("run", &line, told);
    }
    told.words.insert(at, format!("--workspace={workspace}"));
    Ok(())
}

/// `yarn workspaces run …` and `yarn workspaces foreach … run …`.
fn of_workspaces(first: &str, rest: &[String], told: &mut Told) -> Result<(), NotSpoken> {
    let rest = rest.get(1..).unwrap_or_default();
    let inner = match first {
        "run" => {
            let line: Vec<String> =
                std::iter::once("run".to_owned()).chain(rest.iter().cloned()).collect();
            line
        }
        "foreach" => {
            let at = rest.iter().position(|word| !word.starts_with('-'));
            let at = at.unwrap_or(rest.len());
            let chosen = |word: &String| {
                ["--include", "--exclude", "--from", "--since", "-R", "--recursive", "-W"]
                    .contains(&name_of(word))
            };
            if let Some(flag) = rest[..at].iter().find(|word| chosen(word)) {
                return Err(not_spoken(
                    &format!("yarn workspaces foreach {flag}"),
                    "name the workspaces: dx run SCRIPT -w NAME -w NAME",
                ));
            }
            if at > 0 {
                told.note(&rest[..at].join(" "), "scripts of workspaces run one after the other");
            }
            rest[at..].to_vec()
        }
        "list" | "info" => {
            return Err(not_spoken(
                &format!("yarn workspaces {first}"),
                "`dx query .workspace` lists workspaces",
            ));
        }
        _ => {
            return Err(not_spoken(
                &format!("yarn workspaces {first}"),
                "dx installs all workspaces together; `dx deploy` copies one out",
            ));
        }
    };
    let Some((name, more)) = inner.split_first() else {
        return Err(not_spoken("yarn workspaces", "name a command"));
    };
    let at = told.words.len() + 1;
    command(name, more, told)?;
    told.words.insert(at, "--workspaces".to_owned());
    if name == "run" {
        told.words.insert(at + 1, "--if-present".to_owned());
    }
    Ok(())
}

/// `yarn version --major`, `--new-version 1.2.3`.
fn version(rest: &[String], told: &mut Told) -> Result<(), NotSpoken> {
    told.push("version");
    let mut reader = Reader::new(rest);
    while let Some(word) = reader.next() {
        match name_of(word) {
            "--major" | "--minor" | "--patch" | "--premajor" | "--preminor" | "--prepatch"
            | "--prerelease" => told.push(word.trim_start_matches('-')),
            "--new-version" => told.words.push(reader.value(word).to_owned()),
            _ => told.push(word),
        }
    }
    Ok(())
}

/// Flags and words of all other commands.
fn flags(rest: &[String], told: &mut Told) -> Result<(), NotSpoken> {
    let mut reader = Reader::new(rest);
    while let Some(word) = reader.next() {
        let name = name_of(word);
        if IDLE.contains(&word) {
            continue;
        }
        if let Some((_, own)) = FLAGS.iter().find(|(flag, _)| *flag == word) {
            told.push(*own);
            continue;
        }
        match name {
            "--cwd" => told.words.extend(["-C".to_owned(), reader.value(word).to_owned()]),
            "--pure-lockfile" => told.push("--no-save"),
            "--no-lockfile" => told.push("--no-package-lock"),
            "--ignore-optional" => told.push("--omit=optional"),
            "--network-timeout" => {
                told.words.push(format!("--fetch-timeout={}", reader.value(word)));
            }
            "--network-concurrency" | "--mutex" | "--cache-folder" | "--modules-folder" => {
                reader.value(word);
                told.note(name, "settings.md lists dx's own settings");
            }
            "--mode" => match reader.value(word) {
                "update-lockfile" => told.push("--package-lock-only"),
                "skip-build" => told.push("--ignore-scripts"),
                _ => told.push(word),
            },
            "--pattern" => told.words.push(reader.value(word).to_owned()),
            "--flat" | "--har" | "--link-duplicates" | "--pnp" => {
                return Err(not_spoken(&format!("yarn {word}"), "leave it out"));
            }
            _ => told.push(word),
        }
    }
    Ok(())
}
