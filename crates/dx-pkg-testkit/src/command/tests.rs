use super::{without_durations, without_escapes};

#[test]
fn durations_are_replaced_and_versions_are_not() {
    for (text, expected) in [
        ("done in 1.25s", "done in [TIME]"),
        ("(340ms)", "([TIME])"),
        ("took 12 µs.", "took [TIME]."),
        ("a@1.2.3 stays", "a@1.2.3 stays"),
        ("3 scripts", "3 scripts"),
        ("es2s", "es2s"),
        ("12 packages", "12 packages"),
    ] {
        assert_eq!(without_durations(text), expected);
    }
}

#[test]
fn escapes_are_dropped() {
    assert_eq!(without_escapes("\u{1b}[1;32mok\u{1b}[0m \u{1b}[2Kx"), "ok x");
}
