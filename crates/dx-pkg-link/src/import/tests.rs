use super::carriage_return;

#[test]
fn only_the_end_of_an_interpreter_line_is_repaired() {
    assert_eq!(carriage_return(b"#!/usr/bin/env node\r\nx\r\n"), Some(19));
    for fine in [
        &b"#!/usr/bin/env node\nx\r\n"[..],
        b"// no interpreter\r\n",
        b"\xef\xbb\xbf#!/usr/bin/env node\r\n",
        b"#!/usr/bin/env node\r",
        b"#!",
        b"",
    ] {
        assert_eq!(carriage_return(fine), None, "{:?}", String::from_utf8_lossy(fine));
    }
}
