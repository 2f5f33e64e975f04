//! The three files of a command on Windows, where links need a privilege and interpreter lines have
//! no effect: `name.cmd` for the command prompt, `name.ps1` for PowerShell, `name` for POSIX
//! shells.

/// A file in `.bin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shim {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns the shims that start `target`, a `/`-separated path relative to `.bin`, whose file
/// begins with `start`.
pub(crate) fn shims(name: &str, target: &str, start: &[u8]) -> [Shim; 3] {
    let program = interpreter(start);
    let dos_target = target.replace('/', "\\");
    let (cmd, ps1, sh) = match &program {
        Some(program) => (
            format!("\"{program}\" \"%~dp0\\{dos_target}\" %*"),
            format!("& \"{program}\" \"$PSScriptRoot/{target}\" @args"),
            format!("exec {program} \"$here/{target}\" \"$@\""),
        ),
        None => (
            format!("\"%~dp0\\{dos_target}\" %*"),
            format!("& \"$PSScriptRoot/{target}\" @args"),
            format!("exec \"$here/{target}\" \"$@\""),
        ),
    };
    [
        Shim {
            name: format!("{name}.cmd"),
            text: format!("@echo off\r\n{cmd}\r\nexit /b %ERRORLEVEL%\r\n"),
        },
        Shim {
            name: format!("{name}.ps1"),
            text: format!(
                "if ($MyInvocation.ExpectingInput) {{ $input | {ps1} }} else {{ {ps1} }}\nexit $LASTEXITCODE\n"
            ),
        },
        Shim {
            name: name.to_owned(),
            text: format!(
                "#!/bin/sh\nhere=$(dirname \"$(echo \"$0\" | sed -e 's,\\\\,/,g')\")\n{sh}\n"
            ),
        },
    ]
}

/// Returns the program of an interpreter line, by its last segment: `node` for `#!/usr/bin/env
/// node` and `#!/usr/bin/node`.
fn interpreter(start: &[u8]) -> Option<String> {
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+')
    };
    program.chars().all(plain).then(|| program.to_owned())
}
