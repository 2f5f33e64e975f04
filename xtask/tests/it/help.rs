//! Every task answers `--help`.

use std::process::{Command, Output};

fn xtask(words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(words.split_whitespace()).output().unwrap()
}

#[test]
fn every_task_prints_its_help_and_does_nothing_else() {
    let overview = xtask("--help");
    assert!(overview.status.success());
    let overview = String::from_utf8(overview.stdout).unwrap();
    let is_task = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let tasks: Vec<&str> = overview
        .lines()
        .filter(is_task)
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(tasks.contains(&"bench") && tasks.contains(&"tidy"), "{tasks:?}");
    for task in tasks {
        for words in ["--help", "-h", "word --dx /nowhere --help"] {
            let run = xtask(&format!("{task} {words}"));
            let text = String::from_utf8(run.stdout).unwrap();
            assert!(run.status.success(), "{task} {words}");
            assert!(text.contains(&format!("  cargo xtask {task}")), "{task} {words}: {text}");
        }
    }
}

#[test]
fn without_a_task_or_with_an_unknown_one_the_tasks_are_named_and_it_fails() {
    for words in ["", "unknown"] {
        let run = xtask(words);
        assert_eq!(run.status.code(), Some(1));
        assert!(String::from_utf8(run.stderr).unwrap().contains("  bench "), "{words}");
    }
}
