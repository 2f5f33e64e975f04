use super::*;

#[test]
fn this_process_lives_and_impossible_ones_do_not() {
    assert!(process_alive(std::process::id()));
    #[cfg(unix)]
    {
        assert!(!process_alive(0));
        assert!(!process_alive(u32::MAX));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(!process_alive(child.id()));
    }
}
