use super::*;

#[test]
fn only_installed_handlers_turn_a_signal_into_cancellation() {
    // In a process of its own: a handler is the whole process's.
    if std::env::var_os("DX_TEST_SIGNALS").is_some() {
        assert!(!cancellation_flag().load(Ordering::Relaxed));
        install_signal_handlers();
        install_signal_handlers();
        let own = rustix::process::getpid();
        rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap();
        while cancelled_by_signal() == 0 {
            std::thread::yield_now();
        }
        assert!(cancellation_flag().load(Ordering::Relaxed));
        assert_eq!(cancelled_by_signal(), libc::SIGTERM);
        return;
    }
    let name = "process::signals::tests::only_installed_handlers_turn_a_signal_into_cancellation";
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("DX_TEST_SIGNALS", "1")
        .status()
        .unwrap();
    assert!(status.success());
}
