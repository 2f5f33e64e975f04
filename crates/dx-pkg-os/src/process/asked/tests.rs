use super::*;

/// Asks a shell script with a limit of 10 bytes.
fn ask(script: &str, patience: Duration) -> Result<Vec<u8>, NoAnswer> {
    Asked::start(Command::new("/bin/sh").args(["-c", script]), 10).unwrap().answer(patience)
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn an_answer_is_as_long_as_the_limit_at_most() {
    assert_eq!(ask("printf 0123456789", LONG).unwrap(), b"0123456789");
    assert_eq!(ask("printf x; exit 3", LONG).unwrap(), b"x");
    assert!(matches!(ask("printf 01234567890", LONG), Err(NoAnswer::TooLong)));
    assert!(matches!(ask("exec yes", LONG), Err(NoAnswer::TooLong)));
}

#[test]
fn a_program_that_does_not_answer_is_ended_with_what_it_started() {
    let script = "sleep 600 & echo $! > \"$0\"; wait";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(&file);
    let asked = Asked::start(&mut command, 10).unwrap();
    let started: u32 = loop {
        if let Ok(text) = std::fs::read_to_string(&file)
            && let Ok(id) = text.trim().parse()
        {
            break id;
        }
        std::thread::yield_now();
    };
    assert!(matches!(asked.answer(Duration::ZERO), Err(NoAnswer::TooLate)));
    // An orphan that was ended is gone, or waits for the first process to notice.
    let is_gone = || {
        let status = std::fs::read_to_string(format!("/proc/{started}/status"));
        status.map_or(true, |status| status.contains("State:\tZ"))
    };
    let begun = Instant::now();
    while !is_gone() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
    assert!(is_gone(), "{started}");
}
