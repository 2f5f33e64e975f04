//! The repository: where it is and which files belong to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder that cargo builds in.
pub(crate) fn target() -> PathBuf {
    root().join(
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from),
    )
}

/// Every file below `root` that git tracks or would add, relative and with `/`, sorted.
///
/// Outside a repository, as in the tests of the tasks, every file but those below `target` and
/// `.git`.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut files = if root.join(".git").exists() { listed_by_git(root)? } else { walk(root, "")? };
    files.sort();
    Ok(files)
}

/// The text of a file; the error names it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Copies a folder, except what an install or a build left in it.
pub(crate) fn copy_project(from: &Path, to: &Path) -> Result<(), String> {
    const LEFT_OVER: [&str; 5] = ["node_modules", "dist", ".next", ".astro", "package-lock.json"];
    let failed = |error: std::io::Error| format!("copy {}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if LEFT_OVER.iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            copy_project(&entry.path(), &to.join(&name))?;
        } else {
            fs::copy(entry.path(), to.join(&name)).map_err(failed)?;
        }
    }
    Ok(())
}

fn listed_by_git(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty() && root.join(name).is_file())
        .map(str::to_owned)
        .collect())
}

fn walk(root: &Path, folder: &str) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let entries = fs::read_dir(root.join(folder)).map_err(|error| format!("{folder}: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.path().is_file() {
            files.push(path);
        } else if name != "target" && name != ".git" {
            files.extend(walk(root, &path)?);
        }
    }
    Ok(files)
}
