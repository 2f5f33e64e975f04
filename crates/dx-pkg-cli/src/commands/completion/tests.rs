use super::*;

fn found(line: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "package.json",
        r#"{"workspaces": ["packages/*"], "scripts": {"dev": "vite", "build:a": "x", "test": "t"},
            "dependencies": {"react": "18"}, "devDependencies": {"@s/x": "1"}}"#,
    );
    write("packages/a/package.json", r#"{"name": "ws-a", "scripts": {"inner": "x"}}"#);
    write("node_modules/react/package.json", "{}");
    write("node_modules/@s/x/package.json", "{}");
    write("node_modules/.bin/vite", "");
    let found = candidates(&Arguments::command(), &Line::read(line), folder.path());
    found.into_iter().map(|found| found.word).collect()
}

#[test]
fn words_of_the_project_are_offered() {
    for (line, expected) in [
        ("dx run ", &["dev", "build:a", "test"][..]),
        ("dx run b", &["build:a"]),
        ("dx run dev ", &[]),
        ("dx dedu", &["dedupe"]),
        ("dx dev", &[]),
        ("dx remove ", &["react", "@s/x"]),
        ("dx remove re", &["react"]),
        ("dx explain ", &["@s/x", "react"]),
        ("dx ls --workspace ", &["ws-a"]),
        ("dx ls --workspace=", &["--workspace=ws-a"]),
        ("dx ls -w w", &["ws-a"]),
        ("dx -C packages/a run ", &["inner"]),
        ("dx ls --omit ", &["dev", "optional", "peer", "prod"]),
        ("dx config get save-e", &["save-exact"]),
        ("dx config se", &["set"]),
        ("dx store ver", &["verify"]),
        ("dx completion ", &["bash", "zsh", "fish", "powershell"]),
        ("dx run dev -- --fr", &[]),
        ("dx help outd", &["outdated"]),
        ("dx 'run' \"de", &["dev"]),
    ] {
        assert_eq!(found(line), expected, "{line}");
    }
    assert!(found("dx ls --").contains(&"--depth".to_owned()));
    assert!(found("dx install --froz").contains(&"--frozen-lockfile".to_owned()));
    assert!(found("dx ").contains(&"install".to_owned()));
    assert!(found("dx explain DX_NO_MATCH").contains(&"DX_NO_MATCHING_VERSION".to_owned()));
}

#[test]
fn bash_gets_the_part_behind_its_last_break() {
    let line = Line::read("dx remove @s/x@1:b");
    let candidate = Candidate::new("@s/x@1:beta", "");
    assert_eq!(shown(&candidate, Shell::Bash, &line, " =:@"), "beta");
    assert_eq!(shown(&candidate, Shell::Zsh, &line, ""), "@s/x@1\\:beta");
}

#[test]
fn a_hostile_name_is_one_word_in_bash() {
    let line = Line::read("dx run ");
    for (word, offered) in [
        ("a;b", "a\\;b"),
        ("$(touch x)", "\\$\\(touch\\ x\\)"),
        ("`id`'\"*", "\\`id\\`\\'\\\"\\*"),
        ("build:a", "build:a"),
    ] {
        assert_eq!(shown(&Candidate::new(word, ""), Shell::Bash, &line, " ="), offered);
    }
    let candidate = Candidate::new("a\\:b", "help");
    assert_eq!(shown(&candidate, Shell::Zsh, &line, ""), "a\\\\\\:b:help");
}
