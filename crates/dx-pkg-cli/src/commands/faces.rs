//! The name that dx was called by, and what it makes of the command line.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use dx_pkg_compat::command_words::{Face, Translation};

use crate::report::complain;

/// Returns the words of the command line as dx's own.
///
/// # Errors
/// There is nothing more to do: the tool's version was asked for, or dx cannot do what is asked.
pub fn read(words: Vec<OsString>) -> Result<Translation, ExitCode> {
    let face = words.first().and_then(|program| Face::of(Path::new(program)));
    let Some(face) = face else { return Ok(Translation { words, ..Translation::default() }) };
    if face.asks_version(&words) {
        crate::report::print(&format!("{}\n", face.version()));
        return Err(ExitCode::SUCCESS);
    }
    face.translate(words).map_err(|error| {
        complain(&format!("error: {error}\n"));
        ExitCode::from(2)
    })
}
