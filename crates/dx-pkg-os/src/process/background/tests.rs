#[cfg(target_os = "linux")]
#[test]
fn a_background_process_gives_way() {
    // In a process of its own: a test must not slow its neighbours down.
    if std::env::var_os("DX_TEST_BACKGROUND").is_some() {
        super::work_in_background();
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let (session, nice) = (fields[3], fields[16]);
        assert_eq!(session, std::process::id().to_string(), "a session of its own");
        assert_eq!(nice, "19");
        return;
    }
    let name = "process::background::tests::a_background_process_gives_way";
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("DX_TEST_BACKGROUND", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_background_thread_gives_way_alone() {
    let nice = || {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        fields.map(str::to_owned).nth(16).unwrap()
    };
    let before = nice();
    let lowered = std::thread::spawn(move || {
        super::thread_in_background();
        nice()
    });
    assert_eq!(lowered.join().unwrap(), "19");
    assert_eq!(nice(), before);
}
