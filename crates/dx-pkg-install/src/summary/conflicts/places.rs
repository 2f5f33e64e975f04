//! The line of a requirement in a manifest.

use dx_pkg_acquire::files::read_text;

use crate::project::Project;

/// The sections of a manifest that have requirements.
const SECTIONS: [&str; 4] =
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// Returns the file, relative to the project, and the line of the requirement for a package in the
/// manifest of the folder `importer`.
pub(super) fn of(project: &Project, importer: &str, package: &str) -> Option<(String, usize)> {
    if importer.is_empty() {
        let line = line(&project.manifest_text, package)?;
        return Some(("package.json".to_owned(), line));
    }
    let text = read_text(&project.root.join(importer).join("package.json")).ok()??;
    Some((format!("{importer}/package.json"), line(&text, package)?))
}

/// Returns the line, from 1 on, of a package's name in one of the sections.
fn line(text: &str, package: &str) -> Option<usize> {
    let (mut depth, mut number, mut section) = (0usize, 1, String::new());
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\n' => number += 1,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '"' => {
                let start = at + 1;
                let mut end = start;
                let mut is_escaped = false;
                for (at, c) in rest.by_ref() {
                    end = at;
                    if c == '"' && !is_escaped {
                        break;
                    }
                    is_escaped = c == '\\' && !is_escaped;
                }
                let word = text.get(start..end).unwrap_or_default();
                let is_key =
                    text.get(end + 1..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                if is_key && depth == 1 {
                    word.clone_into(&mut section);
                } else if is_key
                    && depth == 2
                    && word == package
                    && SECTIONS.contains(&section.as_str())
                {
                    return Some(number);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_line_of_a_requirement_is_found_in_its_section() {
        let text = r#"{
  "name": "a",
  "scripts": { "a": "\"a\": 1" },
  "peer": {
    "a": 1 },
  "devDependencies": {
    "@s/b": "1",
    "a": "^1"
  }
}"#;
        assert_eq!(line(text, "a"), Some(8));
        assert_eq!(line(text, "@s/b"), Some(7));
        assert_eq!(line(text, "name"), None);
        assert_eq!(line("{\"dependencies\":{\"x\":\"1\"}}", "x"), Some(1));
        assert_eq!(line("{\"dependencies\": {\"x", "x"), None);
    }
}
