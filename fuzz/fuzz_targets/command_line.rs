//! Lines of any text as the words of a command line: no panic, and a folder only where one is
//! named.

use std::ffi::OsString;

use dx_pkg_compat::command_words::{
    PlainInstall, command_place, folder, instead_of_flag, is_flag, unknown_command,
};
use dx_pkg_compat::npmrc::environment_setting;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let words: Vec<OsString> = text.lines().take(16).map(OsString::from).collect();
    let place = command_place(&words);
    assert!(place.is_none_or(|place| place < words.len() && !is_flag(&words[place])));
    let _ = folder(&words);
    if let Some(install) = PlainInstall::read(words.iter().cloned()) {
        assert!(words.iter().any(|word| word == "install" || word == "i"), "{install:?}");
    }
    for line in text.lines().take(16) {
        let _ = (unknown_command(line, ["install", "remove"].into_iter()), instead_of_flag(line));
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let variables = [(name.to_owned(), value.to_owned())];
        let _ = environment_setting(&variables, "registry");
    }
}
