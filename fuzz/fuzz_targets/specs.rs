//! Lines of any text as specs, arguments, names and platforms: refused in one short line, or read
//! so that a name is written as it was.

use dx_pkg_core::{PackageName, Platform, Spec};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.lines().take(64).collect();
    for line in &lines {
        if let Ok(name) = PackageName::parse(line) {
            assert_eq!(name.as_str(), *line);
            assert!(!line.contains("..") || !line.starts_with('.'), "{line:?}");
            assert!(line.split('/').all(|part| !matches!(part, "" | "." | "..")), "{line:?}");
            assert!(!line.contains(['\\', '\0']) && line.matches('/').count() <= 1, "{line:?}");
            assert_eq!(name.scope().is_some(), line.contains('/'), "{line:?}");
        }
        match Spec::parse(line) {
            Ok(spec) => assert_eq!(Spec::parse(line), Ok(spec)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let _ = Spec::parse_argument(line).map(|argument| format!("{argument:?}"));
        let _ = Spec::foreign_protocol(line);
    }
    let host = Platform::host(Some("glibc"));
    assert_eq!(host.accepts(&lines, &[], &[]), host.accepts(&lines, &lines[..0], &[]));
}
