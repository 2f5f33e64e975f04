use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::*;

fn capture(script: &str, arguments: &[OsString]) -> ScriptOutcome {
    run(&ScriptCommand {
        script,
        arguments,
        folder: Path::new("/"),
        environment: &BTreeMap::from([("ONLY".to_owned(), "this".to_owned())]),
        shell: Some(Path::new("/bin/sh")),
        output: Output::Capture,
    })
    .unwrap()
}

#[test]
fn output_and_exit_code_are_reported() {
    let outcome = capture("echo out $ONLY $HOME; echo err >&2; echo more; exit 3", &[]);
    assert_eq!((outcome.code, outcome.signal), (Some(3), None));
    assert_eq!(outcome.output, b"out this\nerr\nmore\n", "in the order of writing");
    assert!(!outcome.success());
}

#[test]
fn a_signal_is_reported() {
    let outcome = capture("kill -9 $$", &[]);
    assert_eq!((outcome.code, outcome.signal), (None, Some(9)));
}

#[test]
fn arguments_are_passed_literally() {
    let arguments = ["$ONLY", "it's", "", "a b", "`id`;x"].map(OsString::from);
    let outcome = capture("printf '<%s>'", &arguments);
    assert_eq!(String::from_utf8(outcome.output).unwrap(), "<$ONLY><it's><><a b><`id`;x>");
}

#[cfg(unix)]
#[test]
fn arguments_are_passed_with_their_bytes() {
    use std::os::unix::ffi::OsStringExt;
    let argument = OsString::from_vec(b"it's \xff".to_vec());
    assert_eq!(capture("printf '<%s>'", &[argument]).output, b"<it's \xff>");
}

#[test]
fn a_missing_shell_is_an_error_that_names_it() {
    let command = ScriptCommand {
        script: "true",
        arguments: &[],
        folder: Path::new("/"),
        environment: &BTreeMap::new(),
        shell: Some(Path::new("/no/such/shell")),
        output: Output::Capture,
    };
    assert!(run(&command).unwrap_err().to_string().contains("/no/such/shell"));
}
