//! The shell installer, with archives in a folder and from a server.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::package::program;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("packaging/install.sh")
}

fn sh(line: &str, folder: &Path) -> String {
    let output = Command::new("sh").args(["-c", line]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The target that the installer finds out for this machine.
fn target() -> String {
    let cpu = std::env::consts::ARCH;
    match std::env::consts::OS {
        "macos" => format!("{cpu}-apple-darwin"),
        _ if sh("ldd --version 2>&1 || true", Path::new("/")).to_lowercase().contains("musl") => {
            format!("{cpu}-unknown-linux-musl")
        }
        _ => format!("{cpu}-unknown-linux-gnu"),
    }
}

/// Writes a release as the workflow makes it, and returns its folder.
fn release(folder: &Path) -> PathBuf {
    let place = folder.join("release/latest/download");
    fs::create_dir_all(&place).unwrap();
    fs::copy(program("dx"), folder.join("dx")).unwrap();
    let archive = format!("dx-{}.tar.gz", target());
    sh(&format!("GZIP=-1 tar -czf '{}/{archive}' dx", place.display()), folder);
    sh(
        &format!("(sha256sum {archive} || shasum -a 256 {archive}) 2>/dev/null > {archive}.sha256"),
        &place,
    );
    folder.join("release")
}

fn install(from: &str, to: &Path, path: &str) -> Output {
    Command::new("sh")
        .arg(script())
        .args(["--from", from, "--to"])
        .arg(to)
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn programs_are_verified_before_they_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    let release = release(folder.path());
    let (from, to) = (release.display().to_string(), folder.path().join("own bin"));
    let path = std::env::var("PATH").unwrap();
    for (path, is_named) in [(path.clone(), true), (format!("{}:{path}", to.display()), false)] {
        let output = install(&from, &to, &path);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let version = env!("CARGO_PKG_VERSION");
        let installed = format!("Installed dx {version} in {}.", to.display());
        assert!(text.contains(&installed), "{text}");
        assert_eq!(text.contains("export PATH="), is_named, "{text}");
    }
    let installed = fs::read(to.join("dx")).unwrap();
    assert!(installed == fs::read(program("dx")).unwrap());

    let archive = release.join(format!("latest/download/dx-{}.tar.gz", target()));
    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    let other = folder.path().join("other");
    let output = install(&from, &other, &path);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("it is damaged, or was exchanged"), "{text}");
    assert!(!other.exists());

    fs::remove_file(archive.with_extension("gz.sha256")).unwrap();
    let output = install(&from, &other, &path);
    assert!(!output.status.success() && !other.exists());
}

#[test]
fn archives_come_from_a_server() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped without curl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let release = release(folder.path());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split_whitespace().nth(1).unwrap().trim_start_matches('/');
            let (status, body) = match fs::read(release.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    let (to, path) = (folder.path().join("bin"), std::env::var("PATH").unwrap());
    let output = install(&address, &to, &path);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(to.join("dx").is_file());
    let other = Command::new("sh")
        .arg(script())
        .args(["--from", &address, "--version", "9.9.9", "--to"])
        .arg(folder.path().join("none"))
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stderr).contains("cannot be fetched"));
}

#[test]
fn bad_arguments_are_refused() {
    for (words, problem) in [
        (&["--wrong"][..], "unknown argument --wrong"),
        (&["--to"], "--to needs a value"),
        (&[], "say where the archives are"),
    ] {
        let run = Command::new("sh")
            .arg(script())
            .args(words)
            .env_remove("DX_INSTALL_FROM")
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&run.stderr).contains(problem), "{words:?}");
    }
}

/// Every shell script, where `shellcheck` is installed.
#[test]
fn shell_scripts_are_clean() {
    if Command::new("shellcheck").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "`.ci/run` installs shellcheck");
        eprintln!("skipped without shellcheck");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = Command::new("shellcheck")
        .args(["packaging/install.sh", ".ci/run"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
