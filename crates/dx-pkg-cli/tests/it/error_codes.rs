//! Every error code of docs/errors.md is provoked by a test, and `dx explain` knows it.
//!
//! [`CASES`] are command lines that end with a code. Most codes are provoked by the tests of what
//! they are about, which name them. `error_codes.txt` lists those that a test knows by another
//! name, and those that no test can provoke, with the reason.

use std::path::{Path, PathBuf};

use dx_pkg_testkit::{Project, Registry};
use serde_json::Value;

use crate::harness::{command, ok};

/// A command line, and the code that it ends with.
struct Case {
    code: &'static str,
    /// Files of the project beside its `package.json`, which one of them may replace.
    files: &'static [(&'static str, &'static str)],
    /// What a shell does in the project before.
    before: &'static str,
    words: &'static [&'static str],
}

const fn case(code: &'static str, words: &'static [&'static str]) -> Case {
    Case { code, files: &[], before: "", words }
}

impl Case {
    const fn with(self, files: &'static [(&'static str, &'static str)]) -> Case {
        Case { files, ..self }
    }

    const fn after(self, before: &'static str) -> Case {
        Case { before, ..self }
    }
}

const OWN: &str = r#"{"name":"own","version":"1.0.0"}"#;
const WORKSPACES: &[(&str, &str)] = &[
    ("package.json", r#"{"name":"app","workspaces":["packages/*"]}"#),
    ("packages/x/package.json", r#"{"name":"x","version":"1.0.0","scripts":{"build":"exit 3"}}"#),
    ("packages/y/package.json", r#"{"name":"y","version":"1.0.0","private":true}"#),
];
const LOCK_HEAD: &str = r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"^1.0.0"}},"#;

const CASES: &[Case] = &[
    case("DX_BAD_FIELD", &["view", "a", "versions[]"]),
    case("DX_BAD_PATH", &["pkg", "set", "version.x=1"]).with(&[("package.json", OWN)]),
    case("DX_GIT_NOT_CLEAN", &["version", "patch"])
        .with(&[("package.json", OWN), ("file", "1")])
        .after(concat!(
            "git init -q . && git add -A && git -c user.email=a@b.example ",
            "-c user.name=a commit -qm one && echo 2 > file"
        )),
    case("DX_GIT_REFUSED", &["version", "patch"]).with(&[("package.json", OWN)]).after(
        "git init -q . && git config user.email a@b.example && git config user.name a \
                && git add -A && git commit -qm one && git tag v1.0.1",
    ),
    case("DX_INITIALIZER_UNKNOWN", &["create", "https://host.example/x.tgz"]),
    case("DX_INIT_FIELD", &["init", "-y"]).with(&[("package.json", r#"{"name":"favicon.ico"}"#)]),
    case("DX_INVALID_GIT_SPEC", &["add", "git+https://host.example/x.git#-revision"]),
    case("DX_LOCK_MISSING_TARGET", &["ci"]).with(&[
        ("package.json", r#"{"dependencies":{"lib":"file:lib"}}"#),
        ("lib/package.json", r#"{"name":"lib","version":"1.0.0"}"#),
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"lib":"file:lib"}},
                "node_modules/lib":{"resolved":"lib","link":true}}}"#,
        ),
    ]),
    case("DX_NOT_GLOBAL", &["approve-scripts", "-g", "a"]),
    case("DX_NOT_IN_REGISTRY", &["dist-tag", "ls", "nothing-here"]),
    case("DX_NOT_OF_REGISTRY", &["view", "https://host.example/x.tgz"]),
    case("DX_NOT_OPENED", &["docs", "a", "--browser=/bin/false"]),
    case("DX_NO_PAGE", &["repo", "a"]),
    case("DX_PACK_FAILED", &["pack"])
        .with(&[("package.json", OWN)])
        .after("head -c 70000 /dev/zero | tr '\\0' a > .npmignore"),
    case("DX_PRIVATE", &["publish"])
        .with(&[("package.json", r#"{"name":"own","version":"1.0.0","private":true}"#)]),
    case("DX_PUBLISHED", &["publish"])
        .with(&[("package.json", r#"{"name":"a","version":"1.0.0"}"#)]),
    case("DX_SAME_VERSION", &["version", "1.0.0"]).with(&[("package.json", OWN)]),
    case("DX_SCRIPT_ENDED", &["run", "--workspaces", "build"]).with(WORKSPACES),
    case("DX_SEVERAL_VERSIONS", &["patch", "a"])
        .with(&[("package.json", r#"{"dependencies":{"a":"^2.0.0","old":"1"}}"#)])
        .after("\"$DX\" install"),
    case("DX_TAG_NEEDED", &["publish"])
        .with(&[("package.json", r#"{"name":"own","version":"1.0.0-beta.1"}"#)]),
    case("DX_TARBALL_CORRUPT", &["add", "./x.tgz"]).after(
        "mkdir package && echo '{}' > package/package.json && tar czf y.tgz package \
         && head -c 30 y.tgz > x.tgz && echo nonsense-instead-of-bytes >> x.tgz",
    ),
    case("DX_TARBALL_TRUNCATED", &["add", "./x.tgz"]).after(
        "mkdir package && head -c 5000 /dev/zero > package/file && tar cf - package \
         | head -c 2000 | gzip > x.tgz",
    ),
    case("DX_TREE_PROBLEMS", &["ls"])
        .with(&[("package.json", r#"{"dependencies":{"a":"^1.0.0"}}"#)]),
    case("DX_UNSCOPED", &["publish", "--access=restricted"]).with(&[("package.json", OWN)]),
    case("DX_WORKSPACES_CONTRADICT", &["run", "-w", "x", "--no-workspaces", "build"])
        .with(WORKSPACES),
    case("DX_UNSUPPORTED_SOURCE", &["ci"])
        .with(&[
            ("package.json", r#"{"dependencies":{"a":"git+ssh://git@host.example/a.git#main"}}"#),
            ("lock", LOCK_HEAD),
        ])
        .after(
            "(cat lock | sed s,^1.0.0,git+ssh://git@host.example/a.git#main,; \
                echo '\"node_modules/a\":{\"version\":\"1.0.0\",\
                \"resolved\":\"git+ssh://git@host.example/a.git#main\"}}}') > package-lock.json",
        ),
    case("DX_INVALID_INTEGRITY", &["ci"])
        .with(&[("package.json", r#"{"dependencies":{"a":"^1.0.0"}}"#), ("lock", LOCK_HEAD)])
        .after(
            "(cat lock; echo '\"node_modules/a\":{\"version\":\"1.0.0\",\
                \"integrity\":\"sha512-nonsense\"}}}') > package-lock.json",
        ),
    case("DX_LOCKFILE_TOO_LARGE", &["ci"])
        .with(&[("package.json", r#"{"dependencies":{"a":"^1.0.0"}}"#), ("lock", LOCK_HEAD)])
        .after(
            "(cat lock; seq 100001 | sed 's/.*/\"node_modules\\/p&\":{},/'; \
                echo '\"node_modules/a\":{}}}') > package-lock.json",
        ),
];

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0").publish();
    registry.package("old", "1.0.0").dep("a", "^1.0.0").publish();
    registry
}

/// Returns what went otherwise than a case says.
fn provoke(registry: &Registry, case: &Case) -> Option<String> {
    let mut builder = Project::new(registry);
    for (path, text) in case.files {
        builder = builder.file(path, *text);
    }
    let project = builder.create();
    // A token for the registry, which takes no publications.
    let place = registry.url().trim_start_matches("http:").trim_end_matches('/').to_owned();
    let own = format!("{place}/:_authToken=token\n");
    std::fs::write(project.home().join(".npmrc"), own).unwrap();
    if !case.before.is_empty() {
        let shell = project.command(Path::new("sh")).args(["-c", case.before]);
        let shell = shell.env("DX", env!("CARGO_BIN_EXE_dx")).env("DX_PREPARED_TREES", "0");
        shell.run().success();
    }
    let run = command(&project).args(case.words).run();
    let is_provoked = run.status.is_some_and(|status| status != 0)
        && run.stderr.contains(&format!("[{}]", case.code));
    (!is_provoked).then(|| format!("{} by {:?}: {run}", case.code, case.words))
}

#[test]
fn command_lines_end_with_these_codes() {
    let registry = registry();
    let wrong: Vec<String> = CASES.iter().filter_map(|case| provoke(&registry, case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `DX_NPMRC_EMPTY_REGISTRY` is only a warning, which has no code in its line.
#[test]
fn an_empty_registry_is_named() {
    let registry = registry();
    let project = Project::new(&registry).npmrc("@s:registry=").dep("a", "^1.0.0").create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("\"@s:registry\" in ") && run.stderr.contains("is empty"), "{run}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn codes() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/errors.md")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect()
}

/// Adds the text of every test below a folder: of test files, and what stands behind `cfg(test)`
/// in others.
fn collect(folder: &Path, tests: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != "target") {
                collect(&entry, tests);
            }
            continue;
        }
        if entry.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&entry).unwrap();
        let is_test = entry.ends_with("tests.rs")
            || entry.components().any(|part| part.as_os_str() == "tests");
        let text = match is_test {
            true => text,
            false => text.split_once("#[cfg(test)]\nmod tests {").map_or("", |it| it.1).to_owned(),
        };
        tests.push((entry, text));
    }
}

#[test]
fn every_code_is_provoked_by_a_test() {
    let mut tests = Vec::new();
    collect(&root().join("crates"), &mut tests);
    let mut listed = Vec::new();
    for line in include_str!("error_codes.txt").lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.splitn(3, " | ").collect();
        let [code, file, text] = parts[..] else { panic!("not in three parts: {line}") };
        listed.push(code);
        if file == "-" {
            assert!(text.len() > 20, "no reason: {line}");
            continue;
        }
        let found = std::fs::read_to_string(root().join("crates").join(file)).unwrap();
        assert!(found.contains(text), "{file} has no {text:?}, by which it provokes {code}");
    }
    let mut wrong = Vec::new();
    let codes = codes();
    assert!(codes.len() > 200, "{codes:?}");
    for code in &codes {
        // Not the beginning of a longer code.
        let names_it = |text: &str| {
            text.match_indices(code.as_str()).any(|(at, _)| {
                let next = text[at + code.len()..].chars().next();
                !next.is_some_and(|next| next == '_' || next.is_ascii_alphanumeric())
            })
        };
        let is_tested = tests.iter().any(|(_, text)| names_it(text));
        match (is_tested, listed.contains(&code.as_str())) {
            (false, false) => wrong.push(format!("no test provokes {code}")),
            (true, true) => wrong.push(format!("{code} is tested, and need not be listed")),
            _ => {}
        }
    }
    let gone = listed.iter().filter(|code| !codes.iter().any(|known| known == *code));
    wrong.extend(gone.map(|code| format!("{code} is no code of docs/errors.md")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_explained() {
    let project = Project::offline().create();
    let codes = codes();
    let words = std::iter::once("explain").chain(codes.iter().map(String::as_str));
    let run = command(&project).args(words.clone()).run().success();
    for code in &codes {
        assert!(run.stdout.lines().any(|line| line == code), "{code}: {run}");
    }
    let run = command(&project).args(words.chain(["--json"])).run().success();
    let pages: Value = serde_json::from_str(&run.stdout).unwrap();
    let pages = pages.as_array().unwrap();
    assert_eq!(pages.len(), codes.len());
    for (page, code) in pages.iter().zip(&codes) {
        assert_eq!(page["code"], code.as_str());
        assert!(page["text"].as_str().is_some_and(|text| text.len() > 40), "{page}");
    }
    let run = ok(&project, ["explain", "DX_NOT_A_NAME"]);
    assert!(run.stdout.contains("name"), "{run}");
}
