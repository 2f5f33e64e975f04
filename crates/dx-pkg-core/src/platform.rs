//! Platforms as Node names them, and npm's rules for the packages that run on them.

use std::fmt;

#[cfg(test)]
mod tests;

/// An operating system, processor and C library, named as `process.platform`, `process.arch` and
/// npm's `libc` do.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Platform {
    /// `linux`, `darwin`, `win32`, …
    pub os: Box<str>,
    /// `x64`, `arm64`, `ia32`, …
    pub cpu: Box<str>,
    /// `glibc` or `musl`; `None` where it is unknown, and outside Linux.
    pub libc: Option<Box<str>>,
}

/// As `linux x64 glibc`.
impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.os, self.cpu)?;
        self.libc.iter().try_for_each(|libc| write!(out, " {libc}"))
    }
}

impl Platform {
    /// Returns in words what a manifest's lists require, as `os darwin, linux; cpu x64`.
    pub fn required_in_words(os: &[&str], cpu: &[&str], libc: &[&str]) -> String {
        let lists = [("os", os), ("cpu", cpu), ("libc", libc)];
        let named = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let named: Vec<String> =
            named.map(|(field, list)| format!("{field} {}", list.join(", "))).collect();
        named.join("; ")
    }

    /// Returns the platform this program was built for; `libc` is kept on Linux only.
    pub fn host(libc: Option<&str>) -> Self {
        let os = node_os(std::env::consts::OS);
        Self {
            os: os.into(),
            cpu: node_cpu(std::env::consts::ARCH, cfg!(target_endian = "little")).into(),
            libc: libc.filter(|_| os == "linux").map(Into::into),
        }
    }

    /// Returns whether a package with these `os`, `cpu` and `libc` lists runs here; an empty list
    /// allows everything.
    ///
    /// An entry that begins with `!` excludes its value. A package that names a C library does not
    /// run where none is known.
    pub fn accepts(&self, os: &[&str], cpu: &[&str], libc: &[&str]) -> bool {
        allows(os, &self.os)
            && allows(cpu, &self.cpu)
            && (libc.is_empty() || self.libc.as_deref().is_some_and(|family| allows(libc, family)))
    }
}

fn allows(list: &[&str], value: &str) -> bool {
    if matches!(list, ["any"]) {
        return true;
    }
    let mut only_exclusions = true;
    let mut listed = false;
    for entry in list {
        match entry.strip_prefix('!') {
            Some(excluded) if excluded == value => return false,
            Some(_) => {}
            None => {
                only_exclusions = false;
                listed |= *entry == value;
            }
        }
    }
    listed || only_exclusions
}

/// Returns Node's name of an operating system, given Rust's.
fn node_os(os: &str) -> &str {
    match os {
        "macos" => "darwin",
        "windows" => "win32",
        "solaris" | "illumos" => "sunos",
        same => same,
    }
}

/// Returns Node's name of a processor, given Rust's.
fn node_cpu(cpu: &str, little_endian: bool) -> &str {
    match cpu {
        "x86_64" => "x64",
        "x86" => "ia32",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64",
        "powerpc" => "ppc",
        "loongarch64" => "loong64",
        "mips" if little_endian => "mipsel",
        same => same,
    }
}
