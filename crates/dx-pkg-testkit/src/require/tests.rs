use super::{Need, decide};
use std::panic::catch_unwind;

fn message(required: &'static str) -> String {
    let panic = catch_unwind(|| decide(Need::Strace, Err::<(), _>("it is not there"), required));
    *panic.unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn what_is_available_is_returned_whatever_is_required() {
    for required in ["", "strace", "mounts, strace,"] {
        assert_eq!(decide(Need::Strace, Ok::<_, String>(7), required), Some(7));
    }
}

#[test]
fn what_is_missing_skips_unless_it_is_required() {
    for required in ["", "mounts", "npm,mounts"] {
        assert_eq!(decide(Need::Strace, Err::<(), _>("it is not there"), required), None);
    }
    for required in ["strace", "mounts, strace", "strace,"] {
        assert_eq!(message(required), "DX_TEST_REQUIRE names `strace`: it is not there");
    }
}

#[test]
fn a_name_that_is_no_need_fails() {
    assert_eq!(message("mount"), "DX_TEST_REQUIRE names `mount`, which no test needs");
}
