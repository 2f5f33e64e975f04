//! Specs, arguments and names, compared with the results of npm's packages;
//! `tests/oracle/specs.cjs` writes the record.

use dx_pkg_core::{PackageName, Spec, Version};

const RECORD: &str = include_str!("../fixtures/specs.txt");

#[test]
fn specs_mean_what_they_mean_to_npm() {
    let mut compared = 0;
    for fields in records("spec") {
        let text = fields[0];
        let actual = Spec::parse(text).map_or_else(|_| "error".to_owned(), |spec| describe(&spec));
        assert_eq!(actual, expected(&fields[1..]), "{text:?}");
        compared += 1;
    }
    assert!(compared > 150, "{compared} specs");
}

#[test]
fn arguments_are_split_as_npm_splits_them() {
    for fields in records("argument") {
        let text = fields[0];
        let actual = Spec::parse_argument(text).map_or_else(
            |_| "error".to_owned(),
            |argument| {
                let name = argument.name.as_ref().map_or("-", PackageName::as_str);
                format!("{name}\t{}\t{}", argument.raw, kind(&argument.spec))
            },
        );
        // npm rewrites an `scp`-like address to a URL, and keeps spaces around the spec.
        let expected: Vec<&str> =
            fields[1..].iter().map(|field| field.trim_start_matches("git+ssh://").trim()).collect();
        let actual: Vec<&str> =
            actual.split('\t').map(|field| field.trim_start_matches("git+ssh://")).collect();
        assert_eq!(actual, expected, "{text:?}");
    }
}

#[test]
fn names_are_those_npm_accepts() {
    for fields in records("name") {
        let name = fields[0];
        assert_eq!(PackageName::parse(name).is_ok().to_string(), fields[1], "{name:?}");
    }
}

fn records(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    RECORD
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(move |fields| fields[0] == kind)
        .map(|fields| fields[1..].to_vec())
}

/// The recorded result in the form of [`describe`]: what npm fetches, and for git how it is saved
/// and selected.
fn expected(fields: &[&str]) -> String {
    let optional = |field: &str| (field != "-").then(|| field.to_owned());
    match fields {
        ["version", version, ..] => {
            format!("version {}", Version::parse_loose(version).expect(version))
        }
        ["git", url, saved, committish, range, subdirectory] => {
            format!(
                "git {:?} {saved} {:?} {:?} {:?}",
                optional(url),
                optional(committish),
                optional(range),
                optional(subdirectory)
            )
        }
        ["error"] => "error".to_owned(),
        ["range", "-", ..] => "range ".to_owned(),
        [kind, fetched, ..] => format!("{kind} {fetched}"),
        _ => panic!("a record of another form: {fields:?}"),
    }
}

fn describe(spec: &Spec) -> String {
    match spec {
        Spec::Range(range) => format!("range {}", range.text()),
        Spec::Version(version) => format!("version {version}"),
        Spec::Tag(tag) => format!("tag {tag}"),
        Spec::Alias { name, spec } => {
            let target = describe(spec);
            let (kind, fetched) = target.split_once(' ').expect("a kind and what is fetched");
            format!("alias {name}@{kind}:{fetched}")
        }
        Spec::Git(git) => {
            let url = (!git.is_shortcut).then(|| git.url.to_string());
            let range = git.semver.as_ref().map(|range| range.text().to_owned());
            format!("git {url:?} {git} {:?} {range:?} {:?}", git.committish, git.subdirectory)
        }
        Spec::Directory(path) => format!("directory {}", resolved(path)),
        Spec::Tarball(path) => format!("file {}", resolved(path)),
        Spec::Remote(url) => format!("remote {url}"),
        Spec::Workspace(_) => "workspace".to_owned(),
    }
}

fn kind(spec: &Spec) -> &'static str {
    match spec {
        Spec::Range(_) => "range",
        Spec::Version(_) => "version",
        Spec::Tag(_) => "tag",
        Spec::Alias { .. } => "alias",
        Spec::Git(_) => "git",
        Spec::Directory(_) => "directory",
        Spec::Tarball(_) => "file",
        Spec::Remote(_) => "remote",
        Spec::Workspace(_) => "workspace",
    }
}

/// The path from the folder /project, with the home folder the record was written with.
fn resolved(path: &str) -> String {
    let full = match path.strip_prefix('~') {
        Some(below_home) if below_home.starts_with('/') => format!("/home/user{below_home}"),
        _ if path.starts_with('/') => path.to_owned(),
        _ => format!("/project/{path}"),
    };
    let mut segments = Vec::new();
    for segment in full.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}
