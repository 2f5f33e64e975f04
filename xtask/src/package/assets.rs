//! Manual pages and completions, made by asking the program itself.

use std::path::Path;
use std::process::Command;

use super::help::Help;
use super::man;
use crate::dx::{run as output_of, write};
use crate::options::Options;

/// The shells with their folder and file for the completions of `dx`.
const SHELLS: [(&str, &str); 4] = [
    ("bash", "completions/dx.bash"),
    ("zsh", "completions/_dx"),
    ("fish", "completions/dx.fish"),
    ("powershell", "completions/dx.ps1"),
];

/// Writes the pages and completions of the program of `--binary` into the folder of `--out`.
pub(super) fn run(options: &Options) -> Result<(), String> {
    options.required("binary")?;
    options.required("out")?;
    let binary = options.path("binary")?.unwrap_or_default();
    let out = options.path("out")?.unwrap_or_default();
    let name = binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let version = asked(&binary, &["--version"])?;
    let mut pages = Vec::new();
    collect(&binary, &mut Vec::new(), &mut pages)?;
    for (words, help) in &pages {
        let page = man::page(&name, words, help, version.trim());
        let file = format!("man/man1/{}.1", title(&name, words));
        write(&out.join(file), &page)?;
    }
    println!("{} manual pages", pages.len());
    if name == "dx" {
        for (shell, file) in SHELLS {
            write(&out.join(file), &asked(&binary, &["completion", shell])?)?;
        }
        println!("{} completions", SHELLS.len());
    }
    Ok(())
}

/// Returns the name of a page: `dx-store-export`.
fn title(name: &str, words: &[String]) -> String {
    let words = words.iter().map(|word| format!("-{word}"));
    std::iter::once(name.to_owned()).chain(words).collect()
}

/// Collects the help of a command and of those below it.
fn collect(
    binary: &Path,
    words: &mut Vec<String>,
    pages: &mut Vec<(Vec<String>, Help)>,
) -> Result<(), String> {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = Help::parse(&asked(binary, &arguments)?)?;
    let below: Vec<String> = help.commands().map(str::to_owned).collect();
    pages.push((words.clone(), help));
    for word in below {
        words.push(word);
        collect(binary, words, pages)?;
        words.pop();
    }
    Ok(())
}

fn asked(binary: &Path, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(binary);
    // A folder without a project: its scripts are no commands of dx.
    command.args(words).current_dir(std::env::temp_dir()).env("COLUMNS", "100");
    Ok(String::from_utf8_lossy(&output_of(command)?.stdout).into_owned())
}
